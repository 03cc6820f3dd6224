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
#include "../autograd/ops/random.hpp"
#include "../autograd/random.hpp"
#include "../data/number_text.hpp"
#include "search_log.hpp"

namespace xtape::optim {

using data::detail::number_text;
namespace {

constexpr std::int64_t kMostPoints = 1'000'000;
constexpr std::uint64_t kDrawing = ~std::uint64_t{0};  // a stream that no fold has

std::string shortened(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.5g", x);
  return text;
}

// Returns the number of combinations; beyond kMostPoints, one more than these.
std::int64_t check(std::span<const Parameter> parameters) {
  if (parameters.empty()) throw ValueError("search: there is no parameter");
  std::int64_t points = 1;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, values] = parameters[i];
    const std::string where = "search: parameter '" + name + "'";
    if (values.empty()) throw ValueError(where + " has no values");
    for (std::size_t j = 0; j < i; ++j) {
      if (parameters[j].name == name) throw ValueError(where + " comes twice");
    }
    for (std::size_t j = 0; j < values.size(); ++j) {
      if (values[j].is_text() != values[0].is_text()) {
        throw ValueError(where + " has numbers and texts");
      }
      if (!values[j].is_text() && !std::isfinite(values[j].number())) {
        throw ValueError(where + " has the value " + values[j].to_string());
      }
      if (std::find(values.begin(), values.end(), values[j]) - values.begin() !=
          static_cast<std::ptrdiff_t>(j)) {
        throw ValueError(where + " has the value " + values[j].to_string() + " twice");
      }
    }
    const auto count = static_cast<std::int64_t>(values.size());
    points = points > kMostPoints / count ? kMostPoints + 1 : points * count;
  }
  return points;
}

Point point_of(std::span<const Parameter> parameters, const std::vector<std::int64_t>& chosen) {
  Point point;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    point.settings.emplace_back(parameters[i].name,
                                parameters[i].values[static_cast<std::size_t>(chosen[i])]);
  }
  return point;
}

const Setting& setting(const Point& point, const std::string& name, bool text) {
  for (const auto& [found, value] : point.settings) {
    if (found != name) continue;
    if (value.is_text() != text) {
      throw ValueError("search: parameter '" + name + "' is a " + (text ? "number" : "text"));
    }
    return value;
  }
  throw ValueError("search: there is no parameter '" + name + "'");
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

std::string Setting::to_string() const { return is_text_ ? text_ : number_text(number_); }

double Point::number(const std::string& name) const { return setting(*this, name, false).number(); }

std::int64_t Point::whole(const std::string& name) const {
  const double x = number(name);
  if (x != std::floor(x) || std::abs(x) > 0x1p53) {
    throw ValueError("search: parameter '" + name + "' is " + number_text(x) + ", no whole number");
  }
  return static_cast<std::int64_t>(x);
}

const std::string& Point::text(const std::string& name) const {
  return setting(*this, name, true).text();
}

std::string Point::to_string() const {
  std::string text;
  for (const auto& [name, value] : settings) {
    text += (text.empty() ? "" : ", ") + name + " " + value.to_string();
  }
  return text;
}

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

std::vector<Point> detail::grid_points(std::span<const Parameter> parameters) {
  const std::int64_t count = check(parameters);
  if (count > kMostPoints) throw ValueError("grid_search: over a million points");
  std::vector<Point> points;
  std::vector<std::int64_t> chosen(parameters.size());
  for (std::int64_t n = 0; n < count; ++n) {
    std::int64_t left = n;
    for (std::size_t i = parameters.size(); i-- > 0;) {
      const auto values = static_cast<std::int64_t>(parameters[i].values.size());
      chosen[i] = left % values;
      left /= values;
    }
    points.push_back(point_of(parameters, chosen));
  }
  return points;
}

std::vector<Point> detail::random_points(std::span<const Parameter> parameters, std::int64_t count,
                                         std::uint64_t seed) {
  if (count < 1 || count > kMostPoints) {
    throw ValueError("random_search: from 1 to a million points, got " + std::to_string(count));
  }
  if (check(parameters) <= count) return grid_points(parameters);
  const GeneratorScope scope({.seed = seed, .stream = kDrawing});
  std::vector<std::vector<std::int64_t>> drawn;  // sorted
  std::vector<Point> points;
  while (points.size() < static_cast<std::size_t>(count)) {
    std::vector<std::int64_t> chosen;
    for (const Parameter& p : parameters) {
      chosen.push_back(
          randint(0, static_cast<std::int64_t>(p.values.size()), {1}).item<std::int64_t>());
    }
    const auto place = std::lower_bound(drawn.begin(), drawn.end(), chosen);
    if (place != drawn.end() && *place == chosen) continue;
    points.push_back(point_of(parameters, chosen));
    drawn.insert(place, std::move(chosen));
  }
  return points;
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
  for (const std::exception_ptr& e : errors) {
    if (e) std::rethrow_exception(e);
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
