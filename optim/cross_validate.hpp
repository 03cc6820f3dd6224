// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "../data/dataset.hpp"
#include "../data/split.hpp"
#include "trainer.hpp"

namespace xtape::optim {

/// The samples of one part of a cross-validation, as `KFold` and its like give them.
using Fold = data::Split;

/// What is trained on a fold. The trainer refers to model and optimizer.
struct Learner {
  Owned<nn::Module> model{};
  Owned<Optimizer> optimizer{};
  Owned<Trainer> trainer{};
  std::int64_t epochs = 1;
  std::int64_t batch_size = 32;
};

struct CrossValidateOptions {
  int threads = 1;         ///< folds at one time; each computes with one thread itself
  std::uint64_t seed = 0;  ///< of all random numbers; fold i has stream first_stream + i
  std::uint64_t first_stream = 0;
};

/// A figure over the folds; the deviation is that of a sample (n - 1), NaN for one fold.
struct FoldStatistics {
  std::string name;
  double mean = 0;
  double standard_deviation = 0;
  std::vector<double> folds{};  ///< the figure on each
};

/// A mean with its standard error, NaN for one fold.
struct Difference {
  double mean = 0;
  double standard_error = 0;
};

/// How much a figure changed between two trainings on the same folds, fold by fold: of the
/// differences d_i = after_i - before_i of n folds the mean, and s / sqrt(n), s being their
/// deviation (n - 1). What makes a fold easy or hard is in both and goes out. The error takes the
/// folds for independent: those of one k-fold partition share training samples, which makes it
/// rather too small. Throws ValueError where names or numbers of folds differ, or there are none.
XTAPE_API Difference paired_difference(const FoldStatistics& after, const FoldStatistics& before);

struct XTAPE_API CrossValidation {
  std::vector<NamedNumbers> folds;  ///< "loss" and the metrics on each fold's test samples

  /// In the order of the figures.
  std::vector<FoldStatistics> statistics() const;
};

namespace detail {

struct LearnerFactory {
  void* object;
  Learner (*make)(void* object, const data::Dataset& train);
};
XTAPE_API CrossValidation cross_validate_with(LearnerFactory factory, const data::Dataset& data,
                                              std::span<const Fold> folds,
                                              const CrossValidateOptions& options);

}  // namespace detail

/// Trains a learner of `make_model(train)` on each fold and evaluates it on what was left out. The
/// function is called from several threads at once, with the fold's training samples: whatever is
/// fitted to data, a scaling say, is fitted to these alone. So it is before tensors are made of the
/// data, where these are a `data::TableDataset` or another whose `fitted` says so. The figures are
/// the same for any number
/// of threads. Throws ValueError for no folds, an empty one or a sample of both its sides,
/// IndexError, and what the first fold that failed threw, its number before the text.
template <class F>
CrossValidation cross_validate(F make_model, const data::Dataset& data, std::span<const Fold> folds,
                               const CrossValidateOptions& options = {}) {
  return detail::cross_validate_with(
      {&make_model,
       [](void* f, const data::Dataset& train) { return (*static_cast<F*>(f))(train); }},
      data, folds, options);
}

}  // namespace xtape::optim
