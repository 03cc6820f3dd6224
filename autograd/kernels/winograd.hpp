// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "convolution.hpp"

// Winograd's form F(4x4, 3x3) of a 3x3 convolution with stride 1 (Lavin and Gray, CVPR 2016): 36
// products of small matrices for each tile of 4x4 outputs, a quarter of the multiplications.
// Channels-last float32 memory, channels in whole vectors. The same bits for any number of threads.
namespace xtape::kernels::winograd {

/// Tiles of 4x4 outputs, which share the transformed weights.
inline std::int64_t tiles(const ConvolutionShape& s) {
  return s.batch * ((s.out_height + 3) / 4) * ((s.out_width + 3) / 4);
}

/// Whether the kernels can compute it.
XTAPE_API bool serves(const ConvolutionShape& shape);
/// Whether they are the fastest: a rule by processor and shape, see docs/performance.md.
XTAPE_API bool pays(const ConvolutionShape& shape);

/// As those of kernels, on dense channels-last x and y. The error is some 1e-6 of the rms.
XTAPE_API void convolution_forward(const ConvolutionShape& shape, const float* x,
                                   const float* weight, const float* bias, float* y);
XTAPE_API void convolution_backward_data(const ConvolutionShape& shape, const float* gy,
                                         const float* weight, float* gx);
XTAPE_API void convolution_backward_weight(const ConvolutionShape& shape, const float* x,
                                           const float* gy, float* gweight);

}  // namespace xtape::kernels::winograd
