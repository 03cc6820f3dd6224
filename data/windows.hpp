// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

#include "../autograd/export.hpp"
#include "dataset.hpp"

namespace xtape::data {

struct WindowOptions {
  std::int64_t length = 1;   ///< steps that go in
  std::int64_t horizon = 1;  ///< the target is this many steps after the window's last one
  std::int64_t stride = 1;   ///< from one window to the next
};

/// Windows over a time series: sample i is x = series[i stride : i stride + length] and
/// y = targets[i stride + length - 1 + horizon]. The series is held once, however long the windows.
class XTAPE_API WindowDataset : public Dataset {
 public:
  /// Series [steps, ...] that predicts itself. Throws ShapeError where it is shorter than one
  /// window and its target, ValueError on options that are not positive.
  explicit WindowDataset(const Tensor& series, WindowOptions options = {});
  /// Throws ShapeError too where the numbers of steps differ.
  WindowDataset(const Tensor& series, const Tensor& targets, WindowOptions options = {});

  std::int64_t size() const override { return size_; }
  Batch get(std::int64_t index) const override;
  /// x [batch, length, ...], y [batch, ...]. Throws IndexError.
  Batch get_batch(std::span<const std::int64_t> indices) const override;

 private:
  Tensor series_, targets_;
  WindowOptions options_;
  std::int64_t size_ = 0;
};

}  // namespace xtape::data
