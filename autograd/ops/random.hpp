// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../random.hpp"
#include "../tensor.hpp"

// Random tensors from this thread's generator: the same numbers for the same seed, for any number
// of threads. Not recorded.
namespace xtape {

/// Uniform in [0, 1).
XTAPE_API Tensor rand(const Shape& shape, DType dtype = float32);
/// Standard normal.
XTAPE_API Tensor randn(const Shape& shape, DType dtype = float32);
/// Uniform in [low, high). Throws ValueError unless low <= high.
XTAPE_API Tensor uniform(double low, double high, const Shape& shape, DType dtype = float32);
/// Normal of this mean and standard deviation. Throws ValueError for a negative deviation.
XTAPE_API Tensor normal(double mean, double std, const Shape& shape, DType dtype = float32);
/// Normal, of a mean and a deviation for each element, broadcast; no gradient. Throw ValueError for
/// a negative deviation, DTypeError unless both are floating.
XTAPE_API Tensor normal(const Tensor& mean, const Tensor& std);
XTAPE_API Tensor normal(const Tensor& mean, double std = 1);
XTAPE_API Tensor normal(double mean, const Tensor& std);
/// Whole numbers, uniform in [low, high). Throws ValueError unless low < high and uint8 and boolean
/// hold them.
XTAPE_API Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape,
                         DType dtype = int64);
/// A random order of 0 ... n-1, int64.
XTAPE_API Tensor randperm(std::int64_t n);
/// 1 with probability p[i], else 0, of p's dtype. Throws ValueError for a p outside [0, 1].
XTAPE_API Tensor bernoulli(const Tensor& p);
/// `num_samples` positions of each row of p [n] or [rows, n], drawn with its weights, which need
/// not add up to 1: int64 [num_samples] or [rows, num_samples]. Each at most once and in the order
/// of the draws, or independently with `replacement`. A weight of 0 is never drawn. Throws
/// ValueError for weights that are negative or not finite, and where too few of a row are positive.
XTAPE_API Tensor multinomial(const Tensor& p, std::int64_t num_samples, bool replacement = false);

}  // namespace xtape
