// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../autograd/export.hpp"
#include "../data/dataset.hpp"
#include "../data/table.hpp"
#include "cross_validate.hpp"
#include "schedule_plateau.hpp"
#include "search_space.hpp"

// Hyper-parameters tried out by cross-validation: all combinations, or some drawn at random.
namespace xtape::optim {

struct SearchOptions {
  int threads = 1;         ///< folds at one time; each computes with one thread itself
  std::uint64_t seed = 0;  ///< of all random numbers; fold i of n of point p has stream p n + i
  std::string metric = "loss";          ///< the figure whose mean is compared
  PlateauMode mode = PlateauMode::min;  ///< whether it is best where it is least, or greatest
  /// Where each finished point goes at once: the file holds whole points at any time, and a search
  /// that finds one of its own does only what is missing. "": nowhere.
  std::string results{};
  /// Asked before each point; true leaves the rest for another time.
  bool (*stop)() = nullptr;
};

struct SearchRow {
  Point point;
  std::vector<FoldStatistics> figures;
};

/// What a search found; rows in the order of the points, whichever was finished first.
struct XTAPE_API SearchResult {
  std::vector<SearchRow> rows;
  std::string metric;
  PlateauMode mode = PlateauMode::min;
  bool complete = true;  ///< false where `stop` left points undone

  /// The first of the best; NaN is never that. Throws ValueError where no point has the figure.
  const SearchRow& best() const;
  /// A column for each parameter and, for each figure, "<name>_mean", "<name>_std" and its values
  /// on the folds, "<name>_fold_0", ..., missing where NaN; for `data::write_csv`.
  data::Table table() const;
  /// Aligned lines for reading, the best one marked.
  std::string to_string() const;
};

namespace detail {

struct PointLearnerFactory {
  void* object;
  Learner (*make)(void* object, const Point& point, const data::Dataset& train);
};
XTAPE_API SearchResult search_with(PointLearnerFactory factory, std::vector<Point> points,
                                   const data::Dataset& data, std::span<const Fold> folds,
                                   const SearchOptions& options);
template <class F>
PointLearnerFactory point_factory(F& make_model) {
  return {&make_model, [](void* f, const Point& point, const data::Dataset& train) {
            return (*static_cast<F*>(f))(point, train);
          }};
}

}  // namespace detail

/// Cross-validates a learner of `make_model(point, train)` at each combination of the parameters'
/// values, the last parameter's changing first. The function is called from several threads at
/// once. The figures are the same for any number of threads, and whether or not the search was
/// killed and went on. Throws ValueError for no parameter, one without values, of both kinds, named
/// twice or with a range of other than whole numbers, and for over a million points; FileError
/// where `results` cannot be written, is damaged, or is of another search (other points, seed,
/// folds or number of samples, a number where a text is now); otherwise as cross_validate, what the
/// first point that failed threw.
template <class F>
SearchResult grid_search(F make_model, const std::vector<Hyperparameter>& parameters,
                         const data::Dataset& data, std::span<const Fold> folds,
                         const SearchOptions& options = {}) {
  return detail::search_with(detail::point_factory(make_model), detail::grid_points(parameters),
                             data, folds, options);
}

/// The same for `count` combinations drawn by the seed before the first is tried: each parameter by
/// itself, from a list all values alike likely, from a Range as that says. They differ, unless a
/// range of other than whole numbers is among them, which hardly gives one twice. Where there are
/// not more than `count`, all, in the order of the grid. Throws ValueError for count < 1 too.
template <class F>
SearchResult random_search(F make_model, const std::vector<Hyperparameter>& parameters,
                           std::int64_t count, const data::Dataset& data,
                           std::span<const Fold> folds, const SearchOptions& options = {}) {
  return detail::search_with(detail::point_factory(make_model),
                             detail::random_points(parameters, count, options.seed), data, folds,
                             options);
}

}  // namespace xtape::optim
