// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"
#include "convolution.hpp"

// Windows that slide over a tensor, and their sum.
namespace xtape {

/// The windows of `size` elements of dimension `dim`, each `step` further on, as a new last
/// dimension: a view. Throws ValueError where none fits.
XTAPE_API Tensor unfold(const Tensor& x, std::int64_t dim, std::int64_t size, std::int64_t step);

struct UnfoldOptions {
  Size2 dilation = 1;
  Size2 padding = 0;  ///< zeros added on each side
  Size2 stride = 1;
};
/// The windows of x [N, C, H, W] as columns: [N, C KH KW, number of windows]; without N for
/// [C, H, W].
XTAPE_API Tensor unfold(const Tensor& x, Size2 kernel_size, const UnfoldOptions& options = {});
/// The reverse: columns [N, C KH KW, number of windows] added up where they overlap, to
/// [N, C, *output_size]; without N for two dimensions.
XTAPE_API Tensor fold(const Tensor& x, Size2 output_size, Size2 kernel_size,
                      const UnfoldOptions& options = {});

namespace detail {

/// unfold along `dim` with elements of a window `dilation` apart; the caller has checked that one
/// fits.
Tensor sliding_windows(const Tensor& x, int dim, std::int64_t size, std::int64_t step,
                       std::int64_t dilation);

}  // namespace detail
}  // namespace xtape
