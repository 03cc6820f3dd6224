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
/// Whole numbers, uniform in [low, high). Throws ValueError unless low < high and uint8 and boolean
/// hold them.
XTAPE_API Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape,
                         DType dtype = int64);
/// A random order of 0 ... n-1, int64.
XTAPE_API Tensor randperm(std::int64_t n);
/// 1 with probability p[i], else 0, of p's dtype. Throws ValueError for a p outside [0, 1].
XTAPE_API Tensor bernoulli(const Tensor& p);

}  // namespace xtape
