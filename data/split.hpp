// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

// Which rows train and which test; semantics and defaults as scikit-learn's. Every order depends on
// the seed alone.
namespace xtape::data {

/// Row numbers, for `Table::take`, `index_select` and loaders.
struct Split {
  std::vector<std::int64_t> train, test;
};

struct TrainTestSplitOptions {
  double test_size = 0.25;  ///< share of the rows, in (0, 1); their number is rounded up
  bool shuffle = true;      ///< otherwise the last rows test
  std::uint64_t seed = 0;
  Tensor stratify{};  ///< int64 [rows]: each label has its share in both parts
};

/// Parts the rows 0 ... count-1 in two. Throws ValueError where a part would be empty and, with
/// labels, where there is one label only, one has a single row, or a part has less rows than there
/// are labels; ShapeError, DTypeError.
XTAPE_API Split train_test_split(std::int64_t count, const TrainTestSplitOptions& options = {});

/// Each row tests in one fold and trains in the others: `KFold{.n_splits = 10}.split(rows)`.
struct XTAPE_API KFold {
  std::int64_t n_splits = 5;
  bool shuffle = false;  ///< otherwise folds are runs of rows
  std::uint64_t seed = 0;

  /// Row numbers ascend. Throws ValueError on less than two folds, or more than rows.
  std::vector<Split> split(std::int64_t count) const;
};

/// As KFold, each label spread evenly over the folds.
struct XTAPE_API StratifiedKFold {
  std::int64_t n_splits = 5;
  bool shuffle = false;  ///< within each label
  std::uint64_t seed = 0;

  /// Of int64 [rows]. Throws ValueError on less than two folds, on one label only, and where a
  /// label has less rows than there are folds; ShapeError, DTypeError.
  std::vector<Split> split(const Tensor& labels) const;
};

/// Folds in which all of the training rows come before the test rows; each next fold tests the rows
/// that follow.
struct XTAPE_API TimeSeriesSplit {
  std::int64_t n_splits = 5;
  std::int64_t max_train_size = 0;  ///< the last ones of the training rows; 0: all
  std::int64_t test_size = 0;       ///< rows; 0: rows / (n_splits + 1)
  std::int64_t gap = 0;             ///< rows left out between training and test rows

  /// Throws ValueError on less than two folds, negative sizes, and where the first fold would have
  /// no training row or the test rows were none.
  std::vector<Split> split(std::int64_t count) const;
};

}  // namespace xtape::data
