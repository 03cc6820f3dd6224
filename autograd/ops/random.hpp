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
/// Of x's shape and dtype.
XTAPE_API Tensor rand_like(const Tensor& x);
XTAPE_API Tensor randn_like(const Tensor& x);
/// Whole numbers, uniform in [low, high). Throws ValueError unless low < high and uint8 and boolean
/// hold them.
XTAPE_API Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape,
                         DType dtype = int64);
XTAPE_API Tensor randint_like(const Tensor& x, std::int64_t low, std::int64_t high);
/// A random order of 0 ... n-1, int64.
XTAPE_API Tensor randperm(std::int64_t n);
/// 1 with probability p[i], else 0, of p's dtype. Throws ValueError for a p outside [0, 1].
XTAPE_API Tensor bernoulli(const Tensor& p);
/// `num_samples` positions of each row of p [n] or [rows, n], drawn with its weights, which need
/// not add up to 1: int64 [num_samples] or [rows, num_samples]. Each at most once and in the order
/// of the draws, or independently with `replacement`. A weight of 0 is never drawn. Throws
/// ValueError for weights that are negative or not finite, and where too few of a row are positive.
XTAPE_API Tensor multinomial(const Tensor& p, std::int64_t num_samples, bool replacement = false);

namespace detail {

// f() with `generator` as that of this thread; it moves on.
template <class F>
Tensor drawn_by(Generator& generator, F f) {
  if (&generator == &default_generator()) return f();
  const GeneratorScope scope(generator);
  Tensor y = f();
  generator = default_generator();
  return y;
}

}  // namespace detail

// From a generator of one's own, which moves on; a GeneratorScope serves for all others.
inline Tensor rand(const Shape& shape, Generator& generator, DType dtype = float32) {
  return detail::drawn_by(generator, [&] { return rand(shape, dtype); });
}
inline Tensor randn(const Shape& shape, Generator& generator, DType dtype = float32) {
  return detail::drawn_by(generator, [&] { return randn(shape, dtype); });
}
inline Tensor uniform(double low, double high, const Shape& shape, Generator& generator,
                      DType dtype = float32) {
  return detail::drawn_by(generator, [&] { return uniform(low, high, shape, dtype); });
}
inline Tensor normal(double mean, double std, const Shape& shape, Generator& generator,
                     DType dtype = float32) {
  return detail::drawn_by(generator, [&] { return normal(mean, std, shape, dtype); });
}
inline Tensor normal(const Tensor& mean, const Tensor& std, Generator& generator) {
  return detail::drawn_by(generator, [&] { return normal(mean, std); });
}
inline Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Generator& generator,
                      DType dtype = int64) {
  return detail::drawn_by(generator, [&] { return randint(low, high, shape, dtype); });
}
inline Tensor randperm(std::int64_t n, Generator& generator) {
  return detail::drawn_by(generator, [&] { return randperm(n); });
}
inline Tensor bernoulli(const Tensor& p, Generator& generator) {
  return detail::drawn_by(generator, [&] { return bernoulli(p); });
}
inline Tensor multinomial(const Tensor& p, std::int64_t num_samples, bool replacement,
                          Generator& generator) {
  return detail::drawn_by(generator, [&] { return multinomial(p, num_samples, replacement); });
}

}  // namespace xtape
