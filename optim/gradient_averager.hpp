// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "../nn/module.hpp"
#include "process_group.hpp"

namespace xtape::optim {

struct GradientAveragerOptions {
  std::int64_t bucket_bytes = 1 << 20;  ///< gradients that travel together
  /// Send a bucket as soon as the sweep has filled it; otherwise all of them in `wait()`, so that
  /// several sweeps may add up before.
  bool overlap = true;
};

/// Data-parallel training: after each backward every rank holds the mean of all ranks' gradients.
/// What loss and step make of it is that of one process with the batches put together, where the
/// loss is a mean over equal batches.
///
///     optim::GradientAverager averager(group, net);
///     ...
///     loss.backward();
///     averager.wait();
///     optimizer.step();
///
/// A parameter that no rank has a gradient for keeps none; one that some ranks have none for counts
/// as zero there. Buffers (running statistics) are equal at the start and then each rank's own.
class XTAPE_API GradientAverager {
 public:
  /// Overwrites parameters and buffers by those of rank 0. Refers to the group, which outlives it.
  /// Throws ValueError for bucket_bytes below 1.
  GradientAverager(ProcessGroup& group, const nn::Module& model,
                   const GradientAveragerOptions& options = {});
  ~GradientAverager();
  GradientAverager(const GradientAverager&) = delete;
  GradientAverager& operator=(const GradientAverager&) = delete;

  /// Sends what is not on its way yet, and sets all gradients to their means.
  void wait();

 private:
  struct State;
  Shared<State> state_;
};

}  // namespace xtape::optim
