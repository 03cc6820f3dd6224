// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"

namespace xtape {

/// Height and width; one number stands for both.
struct Size2 {
  constexpr Size2(std::int64_t both) noexcept : height(both), width(both) {}
  constexpr Size2(std::int64_t h, std::int64_t w) noexcept : height(h), width(w) {}
  std::int64_t height, width;
};

struct Conv2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;  ///< zeros added on each side
  Size2 dilation = 1;
  std::int64_t groups = 1;
};

/// Cross-correlation of x [N, C, H, W] (or [C, H, W]) with weight [O, C / groups, KH, KW], plus
/// bias [O] where defined: y [N, O, OH, OW], OH = floor((H + 2 padding - dilation (KH - 1) - 1) /
/// stride)
/// + 1. The result may lie channels-last in memory. Differentiable to any order. Throws ShapeError,
/// DTypeError (floating, one dtype), ValueError.
XTAPE_API Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const Conv2dOptions& options = {});

namespace detail {

/// Uninitialised [N, C, H, W] with the memory order [N, H, W, C].
Tensor empty_channels_last(DType dtype, const Shape& shape);

}  // namespace detail
}  // namespace xtape
