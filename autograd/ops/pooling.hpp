// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"
#include "convolution.hpp"

namespace xtape {

struct MaxPool2dOptions {
  Size2 stride = 0;  ///< 0: the kernel's size
  Size2 padding = 0;
  Size2 dilation = 1;
  bool ceil_mode = false;  ///< a last window may reach over the edge
};

/// The maximum over windows of x [N, C, H, W] (or [C, H, W]); NaN wins. The gradient goes to the
/// first maximum. Throws ShapeError, ValueError, DTypeError.
XTAPE_API Tensor max_pool2d(const Tensor& x, Size2 kernel_size,
                            const MaxPool2dOptions& options = {});

struct AvgPool2dOptions {
  Size2 stride = 0;  ///< 0: the kernel's size
  Size2 padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::int64_t divisor_override = 0;  ///< where not 0, what the sum is divided by
};

/// The mean over windows of x [N, C, H, W] (or [C, H, W]). Throws ShapeError, ValueError,
/// DTypeError.
XTAPE_API Tensor avg_pool2d(const Tensor& x, Size2 kernel_size,
                            const AvgPool2dOptions& options = {});

}  // namespace xtape
