// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The folds of a cross-validation as tasks of several threads; not part of the public interface.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "../autograd/parallel.hpp"
#include "cross_validate.hpp"

namespace xtape::optim::detail {

/// Throws as cross_validate does for no folds, an empty one, or a sample that does not fit.
void check_folds(std::span<const Fold> folds, std::int64_t samples);

/// Of a figure's values on all folds.
FoldStatistics fold_statistics(std::string name, std::vector<double> folds);

/// Trains a learner on a fold and evaluates it; fold i has the random numbers of stream
/// first_stream + i. Errors name the fold.
NamedNumbers run_fold(LearnerFactory factory, const data::Dataset& data,
                      std::span<const Fold> folds, std::size_t i,
                      const CrossValidateOptions& options);

/// Calls work() on so many threads, but not more than tasks, each computing with one thread itself.
/// They are threads of our own even for one, so that the caller's settings stay.
template <class Work>
void run_on_threads(int count, std::size_t tasks, const Work& work) {
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(static_cast<std::size_t>(count), tasks); ++i) {
    threads.emplace_back([&work] {
      set_num_threads(1);
      work();
    });
  }
}

}  // namespace xtape::optim::detail
