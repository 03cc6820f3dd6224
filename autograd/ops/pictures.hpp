// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../kernels/images.hpp"
#include "../tensor.hpp"

namespace xtape::detail {

/// The floating input of an operation on pictures [N, C, H, W] or [C, H, W], or, with one
/// dimension, on sequences [N, C, L] or [C, L], which become pictures of height one. Throws
/// ShapeError, DTypeError.
struct Pictures {
  const char* operation;
  int dims;     // 1 or 2
  Shape given;  // for errors
  Tensor x{};   // [N, C, H, W]

  Pictures(const char* operation, const Tensor& input, int dims);
  /// A result [N, C, H', W'] without the dimensions that were added.
  Tensor as_given(const Tensor& y) const;
};

/// Of a tensor of four dimensions.
inline kernels::Strides4 strides4(const Tensor& x) {
  const auto s = x.strides();
  return {s[0], s[1], s[2], s[3]};
}

}  // namespace xtape::detail
