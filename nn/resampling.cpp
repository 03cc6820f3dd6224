// SPDX-License-Identifier: BSD-3-Clause
#include "resampling.hpp"

namespace xtape::nn {

XTAPE_DEFINE_PARTS(Upsample)
XTAPE_DEFINE_PARTS(PixelShuffle)
XTAPE_DEFINE_PARTS(PixelUnshuffle)

Upsample::Upsample(const InterpolateOptions& o) : options(o) {}
Tensor Upsample::forward(const Tensor& x) { return interpolate(x, options); }

PixelShuffle::PixelShuffle(std::int64_t factor) : upscale_factor(factor) {}
Tensor PixelShuffle::forward(const Tensor& x) { return pixel_shuffle(x, upscale_factor); }

PixelUnshuffle::PixelUnshuffle(std::int64_t factor) : downscale_factor(factor) {}
Tensor PixelUnshuffle::forward(const Tensor& x) { return pixel_unshuffle(x, downscale_factor); }

}  // namespace xtape::nn
