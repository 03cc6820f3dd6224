// SPDX-License-Identifier: BSD-3-Clause
#include "search.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>

#include "../autograd/error.hpp"
#include "named_error.hpp"
#include "search_log.hpp"

namespace xtape::optim {
namespace {

std::string shortened(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.5g", x);
  return text;
}

std::vector<std::string> heading(const SearchRow& row) {
  std::vector<std::string> names;
  for (const auto& [name, value] : row.point.settings) names.push_back(name);
  for (const FoldStatistics& f : row.figures) {
    names.push_back(f.name + "_mean");
    names.push_back(f.name + "_std");
  }
  return names;
}

// Null where no row has the figure as a number.
const SearchRow* find_best(const SearchResult& result) {
  const SearchRow* found = nullptr;
  double least = 0;
  for (const SearchRow& row : result.rows) {
    for (const FoldStatistics& f : row.figures) {
      const double cost = result.mode == PlateauMode::min ? f.mean : -f.mean;
      if (f.name != result.metric || std::isnan(cost) || (found && !(cost < least))) continue;
      found = &row;
      least = cost;
    }
  }
  return found;
}

}  // namespace

const SearchRow& SearchResult::best() const {
  const SearchRow* found = find_best(*this);
  if (!found) throw ValueError("search: no point has a figure '" + metric + "' that is a number");
  return *found;
}

data::Table SearchResult::table() const {
  data::Table table;
  if (rows.empty()) return table;
  const std::vector<std::string> names = heading(rows[0]);
  const std::size_t parameters = rows[0].point.settings.size();
  for (std::size_t i = 0; i < parameters; ++i) {
    std::vector<double> numbers;
    std::vector<std::string> texts;
    for (const SearchRow& row : rows) {
      const Setting& value = row.point.settings[i].second;
      value.is_text() ? texts.push_back(value.text()) : numbers.push_back(value.number());
    }
    texts.empty() ? table.add(names[i], numbers) : table.add(names[i], texts);
  }
  for (std::size_t i = parameters; i < names.size(); ++i) {
    std::vector<double> numbers;
    for (const SearchRow& row : rows) {
      const FoldStatistics& f = row.figures.at((i - parameters) / 2);
      const double x = (i - parameters) % 2 == 0 ? f.mean : f.standard_deviation;
      numbers.push_back(std::isfinite(x) ? x : std::numeric_limits<double>::quiet_NaN());
    }
    table.add(names[i], numbers);
  }
  return table;
}

std::string SearchResult::to_string() const {
  if (rows.empty()) return "";
  const SearchRow* marked = find_best(*this);
  std::vector<std::vector<std::string>> lines{heading(rows[0])};
  for (const SearchRow& row : rows) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const auto& [name, value] : row.point.settings) line.push_back(value.to_string());
    for (const FoldStatistics& f : row.figures) {
      line.push_back(shortened(f.mean));
      line.push_back(shortened(f.standard_deviation));
    }
  }
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (std::size_t r = 0; r < lines.size(); ++r) {
    text += r > 0 && &rows[r - 1] == marked ? "*" : " ";
    for (std::size_t i = 0; i < lines[r].size(); ++i) {
      text += std::string(widths[i] - lines[r][i].size() + 1, ' ') + lines[r][i];
    }
    text += "\n";
  }
  return text;
}

SearchResult detail::search_with(PointLearnerFactory factory, std::vector<Point> points,
                                 const data::Dataset& data, std::span<const Fold> folds,
                                 const SearchOptions& options) {
  if (options.threads < 1) {
    throw ValueError("search: threads is at least 1, got " + std::to_string(options.threads));
  }
  SearchLog log(points, data.size(), folds, options);
  std::vector<std::exception_ptr> errors(points.size());
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  const auto evaluate = [&](std::size_t p) {
    const auto make = [&](const data::Dataset& train) {
      return factory.make(factory.object, points[p], train);
    };
    auto figures =
        cross_validate(make, data, folds, {.seed = options.seed, .first_stream = p * folds.size()})
            .statistics();
    const std::lock_guard lock(mutex);
    log.add(p, std::move(figures));
  };
  const auto work = [&] {
    // Points begin in their order, so those before one that failed have all been begun: whatever
    // the number of threads, the first failure is found.
    for (std::size_t p; !failed && (p = next++) < points.size();) {
      if (log.rows()[p]) continue;
      if (options.stop && options.stop()) return;
      try {
        evaluate(p);
      } catch (...) {
        errors[p] = std::current_exception();
        failed = true;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    const auto count = std::min(static_cast<std::size_t>(options.threads), points.size());
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back(work);
  }
  for (std::size_t p = 0; p < errors.size(); ++p) {
    if (!errors[p]) continue;
    try {
      std::rethrow_exception(errors[p]);
    } catch (...) {
      rethrow_named("search: " + points[p].to_string());
    }
  }
  SearchResult result{.rows = {}, .metric = options.metric, .mode = options.mode};
  for (std::size_t p = 0; p < points.size(); ++p) {
    if (const auto& figures = log.rows()[p]) {
      result.rows.push_back({std::move(points[p]), *figures});
    } else {
      result.complete = false;
    }
  }
  return result;
}

}  // namespace xtape::optim
