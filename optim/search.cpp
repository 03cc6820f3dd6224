// SPDX-License-Identifier: BSD-3-Clause
#include "search.hpp"

#include <algorithm>
#include <cmath>
#include <compare>
#include <cstdio>
#include <exception>
#include <map>
#include <mutex>
#include <optional>

#include "../autograd/error.hpp"
#include "folds.hpp"
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

// Hands out the folds of all points that are not done, in their order, and logs a point when its
// last fold is done. Those before one that failed have all been handed out: whatever the number of
// threads, the first failure is found.
class FoldQueue {
 public:
  struct Task {
    std::size_t point = 0, fold = 0;
    auto operator<=>(const Task&) const = default;
  };

  FoldQueue(detail::SearchLog& log, std::size_t folds, bool (*stop)())
      : log_(log), folds_(folds), stop_(stop) {}

  std::optional<Task> take() {
    const std::lock_guard lock(mutex_);
    const std::size_t points = log_.rows().size();
    if (next_.fold == 0) {
      while (next_.point < points && log_.rows()[next_.point]) ++next_.point;
      closed_ = closed_ || next_.point == points || (stop_ && stop_());
    }
    if (closed_) return std::nullopt;
    const Task task = next_;
    if (++next_.fold == folds_) next_ = {task.point + 1, 0};
    return task;
  }

  void done(const Task& task, NamedNumbers figures) {
    const std::lock_guard lock(mutex_);
    Open& open = open_[task.point];
    open.result.folds.resize(folds_);
    open.result.folds[task.fold] = std::move(figures);
    if (++open.done < folds_) return;
    log_.add(task.point, open.result.statistics());
    open_.erase(task.point);
  }

  void failed(const Task& task, std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    if (error_ && first_failed_ < task) return;  // an earlier one failed too
    first_failed_ = task;
    error_ = std::move(error);
  }

  /// Throws what the first fold that failed threw, its point before the text.
  void rethrow(const std::vector<Point>& points) const {
    if (!error_) return;
    try {
      std::rethrow_exception(error_);
    } catch (...) {
      detail::rethrow_named("search: " + points[first_failed_.point].to_string());
    }
  }

 private:
  struct Open {
    CrossValidation result{};
    std::size_t done = 0;
  };

  detail::SearchLog& log_;
  std::size_t folds_;
  bool (*stop_)();
  std::mutex mutex_;
  Task next_;
  std::map<std::size_t, Open> open_;  // points of which some folds are done
  bool closed_ = false;
  Task first_failed_;
  std::exception_ptr error_;
};

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
  for (std::size_t i = 0; i < rows[0].point.settings.size(); ++i) {
    const std::string& name = rows[0].point.settings[i].first;
    std::vector<double> numbers;
    std::vector<std::string> texts;
    for (const SearchRow& row : rows) {
      const Setting& value = row.point.settings[i].second;
      value.is_text() ? texts.push_back(value.text()) : numbers.push_back(value.number());
    }
    texts.empty() ? table.add(name, numbers) : table.add(name, texts);
  }
  const auto add = [&](const std::string& name, auto value) {
    std::vector<double> numbers;
    for (const SearchRow& row : rows) numbers.push_back(value(row));
    table.add(name, numbers);
  };
  for (std::size_t i = 0; i < rows[0].figures.size(); ++i) {
    const FoldStatistics& first = rows[0].figures[i];
    add(first.name + "_mean", [=](const SearchRow& r) { return r.figures.at(i).mean; });
    add(first.name + "_std",
        [=](const SearchRow& r) { return r.figures.at(i).standard_deviation; });
    for (std::size_t f = 0; f < first.folds.size(); ++f) {
      add(first.name + "_fold_" + std::to_string(f),
          [=](const SearchRow& r) { return r.figures.at(i).folds.at(f); });
    }
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
  check_folds(folds, data.size());
  SearchLog log(points, data.size(), folds, options);
  FoldQueue queue(log, folds.size(), options.stop);
  const auto evaluate = [&](const FoldQueue::Task& task) {
    auto make = [&](const data::Dataset& train) {
      return factory.make(factory.object, points[task.point], train);
    };
    return run_fold({&make,
                     [](void* f, const data::Dataset& train) {
                       return (*static_cast<decltype(make)*>(f))(train);
                     }},
                    data, folds, task.fold,
                    {.seed = options.seed, .first_stream = task.point * folds.size()});
  };
  run_on_threads(options.threads, points.size() * folds.size(), [&] {
    while (const auto task = queue.take()) {
      try {
        queue.done(*task, evaluate(*task));
      } catch (...) {
        queue.failed(*task, std::current_exception());
      }
    }
  });
  queue.rethrow(points);
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
