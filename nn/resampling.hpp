// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/ops/resampling.hpp"
#include "module.hpp"

namespace xtape::nn {

/// x at another resolution, as xtape::interpolate: `nn::Upsample({.scale_factor = 2})`.
class XTAPE_API Upsample : public Module {
 public:
  InterpolateOptions options;
  XTAPE_DECLARE_PARTS()

  explicit Upsample(const InterpolateOptions& options);
  Tensor forward(const Tensor& x) override;
};

/// Channels become squares of elements: xtape::pixel_shuffle.
class XTAPE_API PixelShuffle : public Module {
 public:
  std::int64_t upscale_factor;
  XTAPE_DECLARE_PARTS()

  explicit PixelShuffle(std::int64_t upscale_factor);
  Tensor forward(const Tensor& x) override;
};

/// Squares of elements become channels: xtape::pixel_unshuffle.
class XTAPE_API PixelUnshuffle : public Module {
 public:
  std::int64_t downscale_factor;
  XTAPE_DECLARE_PARTS()

  explicit PixelUnshuffle(std::int64_t downscale_factor);
  Tensor forward(const Tensor& x) override;
};

}  // namespace xtape::nn
