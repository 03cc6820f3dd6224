// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../dtype.hpp"

// Softmax along the middle dimension of dense [outer, count, inner]; float32 and float64. The
// largest element is taken off first, so nothing overflows; a row of -inf alone gives NaN.
namespace xtape::kernels {

struct Slices {
  std::int64_t outer, count, inner;
};

/// y = e^x / sum e^x, or its logarithm.
void softmax(const Slices& s, DType dtype, bool logarithm, void* y, const void* x);
/// From y and its gradient g: y (g - sum g y), or g - e^y sum g.
void softmax_backward(const Slices& s, DType dtype, bool logarithm, void* gradient, const void* g,
                      const void* y);

/// Class labels, one for each position of [outer, inner]; those equal to `ignored` do not count.
struct Labels {
  const std::int64_t* label;
  std::int64_t ignored;
  double smoothing;  // the share of the target that is spread evenly over all classes
};

/// losses [outer, inner]: -log softmax(x) at the label; `largest` and `log_sum` [outer, inner] are
/// what the backward pass needs.
void cross_entropy(const Slices& s, DType dtype, const Labels& labels, void* losses, void* largest,
                   void* log_sum, const void* x);
/// (softmax(x) - target) g, with g [outer, inner].
void cross_entropy_backward(const Slices& s, DType dtype, const Labels& labels, void* gradient,
                            const void* g, const void* largest, const void* log_sum, const void* x);

}  // namespace xtape::kernels
