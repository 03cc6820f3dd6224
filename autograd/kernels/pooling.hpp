// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../memory.hpp"
#include "images.hpp"

namespace xtape::kernels {

/// Sizes of a 2-D pooling, x [batch, channels, in_height, in_width] to y [batch, channels,
/// out_height, out_width]; the caller has checked them. Windows may reach over every edge
/// (padding, ceil mode): what lies outside of x does not count.
struct PoolingShape {
  std::int64_t batch = 0, channels = 0;
  std::int64_t in_height = 0, in_width = 0, out_height = 0, out_width = 0;
  std::int64_t kernel_height = 1, kernel_width = 1;
  std::int64_t stride_height = 1, stride_width = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  std::int64_t dilation_height = 1, dilation_width = 1;
};

/// Whether positions within the window fit uint8 indices; int32 otherwise.
constexpr bool pooling_index_fits_byte(const PoolingShape& shape) {
  return shape.kernel_height * shape.kernel_width <= 255;
}

/// y = maximum over each window (the first of equals; a NaN is a maximum), indices = its position
/// p * kernel_width + q in the window. T: float, double; Index: uint8_t, int32_t.
/// A window without any element of x gives the lowest infinity and belongs to none.
template <class T, class Index>
XTAPE_API void max_pool_forward(const PoolingShape& shape, const T* x, const Strides4& x_strides,
                                T* y, const Strides4& y_strides, Index* indices,
                                const Strides4& index_strides);

/// gx = gy added up where the maxima were, 0 elsewhere.
template <class T, class Index>
XTAPE_API void max_pool_backward(const PoolingShape& shape, const T* gy, const Strides4& gy_strides,
                                 const Index* indices, const Strides4& index_strides, T* gx,
                                 const Strides4& gx_strides);

/// y = x at the positions of the maxima: the gradient of max_pool_backward.
template <class T, class Index>
XTAPE_API void max_pool_gather(const PoolingShape& shape, const T* x, const Strides4& x_strides,
                               const Index* indices, const Strides4& index_strides, T* y,
                               const Strides4& y_strides);

/// What an average divides by, as in PyTorch: the given number where it is not 0, else the elements
/// of the window, those in the padding included or not (never those beyond it).
struct AverageDivisor {
  bool count_include_pad = true;
  std::int64_t divisor_override = 0;
};

/// y = sum over each window / divisor. Dilation is not used.
template <class T>
XTAPE_API void average_pool_forward(const PoolingShape& shape, AverageDivisor divisor, const T* x,
                                    const Strides4& x_strides, T* y, const Strides4& y_strides);

/// gx = gy / divisor added up over the windows that hold the element.
template <class T>
XTAPE_API void average_pool_backward(const PoolingShape& shape, AverageDivisor divisor, const T* gy,
                                     const Strides4& gy_strides, T* gx, const Strides4& gx_strides);

}  // namespace xtape::kernels
