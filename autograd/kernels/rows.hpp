// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "lane.hpp"

// Rows of numbers taken by lanes; included by kernels alone.
namespace xtape::kernels {

/// The first `count` elements of a vector; the others read as `fill` and are not written. Loops of
/// a fixed length become masked loads and stores.
template <class T, class A = xsimd::default_arch>
struct Part {
  using V = Lane<T, A>;
  std::int64_t count = V::kSize;

  V load(const T* x, T fill) const {
    if (count == V::kSize) return V::load(x);
    alignas(64) T buffer[V::kSize];
    for (std::int64_t i = 0; i < V::kSize; ++i) buffer[i] = i < count ? x[i] : fill;
    return V::load(buffer);
  }
  void store(const V& v, T* y) const {
    if (count == V::kSize) return v.store(y);
    alignas(64) T buffer[V::kSize];
    v.store(buffer);
    for (std::int64_t i = 0; i < V::kSize; ++i) {
      if (i < count) y[i] = buffer[i];
    }
  }
};

template <class T, class A>
double total(const Lane<T, A>& v) {
  T lanes[Lane<T, A>::kSize];
  v.store(lanes);
  double sum[2] = {};
  for (std::int64_t i = 0; i < Lane<T, A>::kSize; ++i) sum[i % 2] += static_cast<double>(lanes[i]);
  return sum[0] + sum[1];
}

/// f(begin, part) over a row.
template <class T, class A = xsimd::default_arch, class F>
void each_part(std::int64_t n, F&& f) {
  constexpr std::int64_t W = Lane<T, A>::kSize;
  std::int64_t i = 0;
  for (; i + W <= n; i += W) f(i, Part<T, A>{W});
  if (i < n) f(i, Part<T, A>{n - i});
}

/// The sum over a row of f(begin, part), a vector of addends: in float within blocks, joined in
/// double.
template <class T, class A = xsimd::default_arch, class F>
double sum_parts(std::int64_t n, F&& f) {
  constexpr std::int64_t kBlock = 64 * Lane<T, A>::kSize;
  double sum = 0;
  for (std::int64_t block = 0; block < n; block += kBlock) {
    Lane<T, A> part_sum(0.0);
    each_part<T, A>(std::min(kBlock, n - block), [&](std::int64_t i, Part<T, A> part) {
      part_sum = part_sum + f(block + i, part);
    });
    sum += total(part_sum);
  }
  return sum;
}

}  // namespace xtape::kernels
