// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"

// Pictures looked at through a grid of places. Jaderberg et al., NeurIPS 2015.
namespace xtape {

enum class GridSampleMode : std::uint8_t { bilinear, nearest, bicubic };
/// What lies outside of a picture: zeros, the nearest element of its edge, or its mirror images.
enum class GridPadding : std::uint8_t { zeros, border, reflection };

struct GridSampleOptions {
  GridSampleMode mode = GridSampleMode::bilinear;
  GridPadding padding_mode = GridPadding::zeros;
  /// -1 and 1 are the middles of the outermost elements; otherwise their outer edges.
  bool align_corners = false;
};

/// x [N, C, H, W] at the places of `grid` [N, OH, OW, 2], (across, down) from -1 to 1:
/// [N, C, OH, OW]. nearest rounds halves to even and has no gradient for the grid. Where the
/// padding stops a place, at the edge itself too, its gradient is 0; bicubic pads each of the 16
/// elements around a place, not the place. Throws ShapeError, DTypeError.
XTAPE_API Tensor grid_sample(const Tensor& x, const Tensor& grid,
                             const GridSampleOptions& options = {});

/// The grid for grid_sample that maps pictures of shape `size` [N, C, H, W] by theta [N, 2, 3]:
/// theta (across, down, 1) for each place, [N, H, W, 2]. Throws ShapeError, DTypeError.
XTAPE_API Tensor affine_grid(const Tensor& theta, const Shape& size, bool align_corners = false);

}  // namespace xtape
