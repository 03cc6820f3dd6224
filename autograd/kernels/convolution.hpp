// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../memory.hpp"
#include "bfloat16.hpp"
#include "images.hpp"

namespace xtape::kernels {

/// Sizes of a 2-D convolution: x [batch, in_channels, in_height, in_width], weight [out_channels,
/// in_channels / groups, kernel_height, kernel_width], y [batch, out_channels, out_height,
/// out_width]. The caller has checked that they fit one another; stride and dilation are at
/// least 1.
struct ConvolutionShape {
  std::int64_t batch = 0, in_channels = 0, in_height = 0, in_width = 0;
  std::int64_t out_channels = 0, out_height = 0, out_width = 0;
  std::int64_t kernel_height = 0, kernel_width = 0;
  std::int64_t stride_height = 1, stride_width = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  std::int64_t dilation_height = 1, dilation_width = 1;
  std::int64_t groups = 1;

  Strides4 x_sizes() const { return {batch, in_channels, in_height, in_width}; }
  Strides4 y_sizes() const { return {batch, out_channels, out_height, out_width}; }
  /// Weights of one output channel.
  std::int64_t depth() const { return in_channels / groups * kernel_height * kernel_width; }
  /// What Winograd's forms compute: a 3x3 kernel over all neighbours, and all channels.
  bool is_plain_3x3() const {
    return kernel_height == 3 && kernel_width == 3 && stride_height == 1 && stride_width == 1 &&
           dilation_height == 1 && dilation_width == 1 && groups == 1;
  }
};

/// Whether y (and the gradient of x) is best allocated channels-last: oneDNN works in that layout,
/// and so do the Winograd kernels, which compute what lies so. Any layout is accepted.
template <class T>
XTAPE_API bool prefers_channels_last();

/// y[b, o, i, j] = bias[o] + sum over c, p, q of weight[o, c, p, q] * x[b, c, i', j'], with
/// i' = i * stride_height - pad_top + p * dilation_height and j' alike, 0 outside of x.
/// `weight` is contiguous; `bias` may be null. T in all of these: float, double.
template <class T>
XTAPE_API void convolution_forward(const ConvolutionShape& shape, const T* x,
                                   const Strides4& x_strides, const T* weight, const T* bias, T* y,
                                   const Strides4& y_strides,
                                   Precision precision = Precision::full);

/// Writes the gradient of x, given `gy` that of y.
template <class T>
XTAPE_API void convolution_backward_data(const ConvolutionShape& shape, const T* gy,
                                         const Strides4& gy_strides, const T* weight, T* gx,
                                         const Strides4& gx_strides,
                                         Precision precision = Precision::full);

/// Writes the gradient of the weight (contiguous) and, where `gbias` is not null, of the bias.
template <class T>
XTAPE_API void convolution_backward_weight(const ConvolutionShape& shape, const T* x,
                                           const Strides4& x_strides, const T* gy,
                                           const Strides4& gy_strides, T* gweight, T* gbias,
                                           Precision precision = Precision::full);

/// Writes the gradient of the bias alone: gy summed over all but the channels.
template <class T>
XTAPE_API void convolution_backward_bias(const ConvolutionShape& shape, const T* gy,
                                         const Strides4& gy_strides, T* gbias);

/// The engine of our own, by im2col and matrix product: for all that neither the Winograd kernels
/// (winograd.hpp) nor oneDNN compute, and the reference that both are tested against. Bits do not
/// depend on the number of threads unless those of the matrix product do.
namespace generic {
template <class T>
XTAPE_API void convolution_forward(const ConvolutionShape& shape, const T* x,
                                   const Strides4& x_strides, const T* weight, const T* bias, T* y,
                                   const Strides4& y_strides);
template <class T>
XTAPE_API void convolution_backward_data(const ConvolutionShape& shape, const T* gy,
                                         const Strides4& gy_strides, const T* weight, T* gx,
                                         const Strides4& gx_strides);
template <class T>
XTAPE_API void convolution_backward_weight(const ConvolutionShape& shape, const T* x,
                                           const Strides4& x_strides, const T* gy,
                                           const Strides4& gy_strides, T* gweight);
}  // namespace generic

}  // namespace xtape::kernels
