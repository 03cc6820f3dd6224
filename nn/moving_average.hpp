// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "module.hpp"

namespace xtape::nn {

/// An exponential moving average a = decay a + (1 - decay) p of a module's parameters, which often
/// does better than their last values. Keeps handles; the module's buffers are left alone.
class XTAPE_API ExponentialMovingAverage {
 public:
  /// Starts at the parameters' values. Throws ValueError for decay outside [0, 1] and for a module
  /// without parameters.
  explicit ExponentialMovingAverage(const Module& module, double decay = 0.999);

  /// To be called after each step of the optimizer.
  void update();
  /// Exchanges the parameters' values with the averages: before an evaluation, and after it.
  void swap();
  std::int64_t updates() const noexcept { return updates_; }

  /// The averages by the parameters' names, and "num_updates"; shares memory.
  NamedTensors state() const;
  /// Takes over a copy. Throws ValueError on names that differ, ShapeError, DTypeError; nothing is
  /// changed then.
  void load_state(const NamedTensors& state);

 private:
  NamedTensors parameters_;
  std::vector<Tensor> averages_;
  double decay_;
  std::int64_t updates_ = 0;
};

}  // namespace xtape::nn
