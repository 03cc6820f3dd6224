// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <initializer_list>

#include "../export.hpp"
#include "../tensor.hpp"

// Sequences, pictures and volumes of another resolution.
namespace xtape {

/// nearest_exact differs from nearest, as in PyTorch, in that it takes the element around the
/// middle of what an output covers, not around its beginning; area is adaptive_avg_pool.
enum class InterpolateMode : std::uint8_t {
  nearest,
  nearest_exact,
  linear,
  bilinear,
  bicubic,
  trilinear,
  area
};

/// By how much the resolution grows: one number for all directions, or one for each of up to three.
struct ScaleFactor {
  ScaleFactor() noexcept = default;
  ScaleFactor(double all) noexcept : factors{all}, count(1) {}
  ScaleFactor(double height, double width) noexcept : factors{height, width}, count(2) {}
  ScaleFactor(double depth, double height, double width) noexcept
      : factors{depth, height, width}, count(3) {}
  double factors[3] = {};
  int count = 0;
};

struct InterpolateOptions {
  /// Of each direction, or one number for all; either this or `scale_factor`.
  Shape size{};
  ScaleFactor scale_factor{};
  InterpolateMode mode = InterpolateMode::nearest;
  /// The corners' middles keep their values; otherwise the corners' edges keep their places.
  bool align_corners = false;
  /// Where a scale_factor is given: whether the step is the quotient of the sizes, not its inverse.
  bool recompute_scale_factor = false;
  /// Going down in bilinear or bicubic mode: every element has its share, as in Pillow.
  bool antialias = false;
};

/// x [N, C, L], [N, C, H, W] or [N, C, D, H, W] at another resolution; linear takes the first,
/// bilinear and bicubic the second, trilinear the third. Output i stands at (i + 1/2) step - 1/2,
/// or at i (L - 1) / (n - 1) where corners are aligned; beyond the edge x goes on as it ends there.
/// Throws ShapeError, ValueError, DTypeError.
XTAPE_API Tensor interpolate(const Tensor& x, const InterpolateOptions& options);

/// [..., C r^2, H, W] to [..., C, H r, W r], r = `upscale_factor`: channel c r^2 + i r + j becomes
/// the element (i, j) of each square of channel c. Shi et al., CVPR 2016. Throws ShapeError where
/// the channels do not divide, ValueError.
XTAPE_API Tensor pixel_shuffle(const Tensor& x, std::int64_t upscale_factor);
/// The reverse: [..., C, H r, W r] to [..., C r^2, H, W].
XTAPE_API Tensor pixel_unshuffle(const Tensor& x, std::int64_t downscale_factor);

}  // namespace xtape
