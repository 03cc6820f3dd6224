// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"

namespace xtape {

/// The one direction of a sequence.
struct Size1 {
  constexpr Size1(std::int64_t n) noexcept : length(n) {}
  std::int64_t length;
};
/// Height and width; one number stands for both.
struct Size2 {
  constexpr Size2(std::int64_t both) noexcept : height(both), width(both) {}
  constexpr Size2(std::int64_t h, std::int64_t w) noexcept : height(h), width(w) {}
  std::int64_t height, width;
};
/// Depth, height and width; one number stands for all.
struct Size3 {
  constexpr Size3(std::int64_t all) noexcept : depth(all), height(all), width(all) {}
  constexpr Size3(std::int64_t d, std::int64_t h, std::int64_t w) noexcept
      : depth(d), height(h), width(w) {}
  std::int64_t depth, height, width;
};

/// As much padding as keeps the size: dilation (kernel - 1) in all, the odd one at the end. Takes a
/// stride of 1.
struct Same {};
inline constexpr Same same{};

/// Zeros on each side, or `same`.
template <class Size>
struct ConvPadding : Size {
  using Size::Size;
  constexpr ConvPadding(const Size& zeros) noexcept : Size(zeros) {}
  constexpr ConvPadding(Same) noexcept : Size(0), is_same(true) {}
  bool is_same = false;
};

struct Conv1dOptions {
  std::int64_t stride = 1;
  ConvPadding<Size1> padding = 0;
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
};
struct Conv2dOptions {
  Size2 stride = 1;
  ConvPadding<Size2> padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
};
struct Conv3dOptions {
  Size3 stride = 1;
  ConvPadding<Size3> padding = 0;
  Size3 dilation = 1;
  std::int64_t groups = 1;
};

/// Cross-correlation of x [N, C, H, W] (or [C, H, W]) with weight [O, C / groups, KH, KW], plus
/// bias [O] where defined: y [N, O, OH, OW], OH = floor((H + 2 padding - dilation (KH - 1) - 1) /
/// stride) + 1. The result may lie channels-last in memory. Differentiable to any order. Throws
/// ShapeError, DTypeError (floating, one dtype), ValueError.
XTAPE_API Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const Conv2dOptions& options = {});
/// The same of x [N, C, L] (or [C, L]) with weight [O, C / groups, K].
XTAPE_API Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const Conv1dOptions& options = {});
/// The same of x [N, C, D, H, W] (or [C, D, H, W]) with weight [O, C / groups, KD, KH, KW].
XTAPE_API Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const Conv3dOptions& options = {});

struct ConvTranspose1dOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;         ///< cut off on each side
  std::int64_t output_padding = 0;  ///< added at the end; below the stride or the dilation
  std::int64_t groups = 1;
  std::int64_t dilation = 1;
};
struct ConvTranspose2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;         ///< cut off on each side
  Size2 output_padding = 0;  ///< added at the bottom and right; below the stride or the dilation
  std::int64_t groups = 1;
  Size2 dilation = 1;
};

/// The gradient of conv2d with respect to its input, as an operation: x [N, C, H, W] (or
/// [C, H, W]) with weight [C, O / groups, KH, KW], plus bias [O] where defined, to y [N, O, OH,
/// OW], OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1. Throws as conv2d.
XTAPE_API Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                                  const ConvTranspose2dOptions& options = {});
/// The same of x [N, C, L] (or [C, L]) with weight [C, O / groups, K].
XTAPE_API Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                                  const ConvTranspose1dOptions& options = {});

namespace detail {

/// Uninitialised [N, C, H, W] with the memory order [N, H, W, C].
Tensor empty_channels_last(DType dtype, const Shape& shape);

}  // namespace detail
}  // namespace xtape
