// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "convolution.hpp"

namespace xtape::kernels::onednn {

/// Dense memory that oneDNN takes as it is.
enum class Layout : std::int64_t { channels_first, channels_last };

/// As those of kernels, on dense x and y. False, with nothing written, where oneDNN has no kernel,
/// or none in bfloat16 that is fast.
bool convolution_forward(const ConvolutionShape& shape, const float* x, Layout x_layout,
                         const float* weight, const float* bias, float* y, Layout y_layout,
                         Precision precision);
bool convolution_backward_data(const ConvolutionShape& shape, const float* gy, Layout gy_layout,
                               const float* weight, float* gx, Layout gx_layout,
                               Precision precision);
bool convolution_backward_weight(const ConvolutionShape& shape, const float* x, Layout x_layout,
                                 const float* gy, Layout gy_layout, float* gweight,
                                 Precision precision);

}  // namespace xtape::kernels::onednn
