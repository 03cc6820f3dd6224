// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "lane.hpp"

// Rows of numbers taken by lanes; included by kernels alone.
namespace xtape::kernels {

/// The first `count` elements of a vector; the others read as `fill` and are not written.
template <class T, class A = xsimd::default_arch>
struct Part {
  using V = Lane<T, A>;
  std::int64_t count = V::kSize;

  V load(const T* x, T fill) const {
    if (count == V::kSize) return V::load(x);
#if defined(__AVX512F__)
    if constexpr (kMasked) {
      const V others(static_cast<double>(fill));
      if constexpr (sizeof(T) == 4) {
        return V(_mm512_mask_loadu_ps(others.batch, static_cast<__mmask16>(mask()), x));
      } else {
        return V(_mm512_mask_loadu_pd(others.batch, static_cast<__mmask8>(mask()), x));
      }
    }
#endif
    alignas(64) T buffer[V::kSize];
    for (std::int64_t i = 0; i < V::kSize; ++i) buffer[i] = i < count ? x[i] : fill;
    return V::load(buffer);
  }
  void store(const V& v, T* y) const {
    if (count == V::kSize) return v.store(y);
#if defined(__AVX512F__)
    if constexpr (kMasked) {
      if constexpr (sizeof(T) == 4) {
        return _mm512_mask_storeu_ps(y, static_cast<__mmask16>(mask()), v.batch);
      } else {
        return _mm512_mask_storeu_pd(y, static_cast<__mmask8>(mask()), v.batch);
      }
    }
#endif
    alignas(64) T buffer[V::kSize];
    v.store(buffer);
    for (std::int64_t i = 0; i < V::kSize; ++i) {
      if (i < count) y[i] = buffer[i];
    }
  }

 private:
  // The compiler makes masked instructions of the loops, too, but not wherever they are inlined;
  // then each load waits for the buffer's stores.
  static constexpr bool kMasked = V::kSize * sizeof(T) == 64;
  unsigned mask() const { return (1u << count) - 1; }
};

template <class T, class A>
double total(const Lane<T, A>& v) {
  constexpr std::int64_t W = Lane<T, A>::kSize;
  T lanes[W];
  v.store(lanes);
  if constexpr (W < 4) {
    double sum = 0;
    for (const T lane : lanes) sum += static_cast<double>(lane);
    return sum;
  }
  using Four [[gnu::vector_size(4 * sizeof(T))]] = T;
  using Doubles [[gnu::vector_size(32)]] = double;
  Doubles sums{};
  for (std::int64_t i = 0; i < W; i += 4) {
    Four four;
    std::memcpy(&four, lanes + i, sizeof four);
    sums += __builtin_convertvector(four, Doubles);
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
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
/// double. Four sums at a time, so that none waits for the other.
template <class T, class A = xsimd::default_arch, class F>
double sum_parts(std::int64_t n, F&& f) {
  using V = Lane<T, A>;
  constexpr std::int64_t W = V::kSize, kBlock = 64 * W;
  double sum = 0;
  for (std::int64_t block = 0; block < n; block += kBlock) {
    const std::int64_t end = std::min(block + kBlock, n);
    V a(0.0), b(0.0), c(0.0), d(0.0);
    std::int64_t i = block;
    for (; i + 4 * W <= end; i += 4 * W) {
      a = a + f(i, Part<T, A>{});
      b = b + f(i + W, Part<T, A>{});
      c = c + f(i + 2 * W, Part<T, A>{});
      d = d + f(i + 3 * W, Part<T, A>{});
    }
    for (; i < end; i += W) a = a + f(i, Part<T, A>{std::min(W, end - i)});
    sum += total((a + b) + (c + d));
  }
  return sum;
}

/// Two addends of one pass.
template <class T, class A = xsimd::default_arch>
struct LanePair {
  Lane<T, A> first{0.0}, second{0.0};

  void add(const LanePair& other) {
    first = first + other.first;
    second = second + other.second;
  }
};
struct Sums {
  double first = 0, second = 0;
};

/// The same of f(begin, part), a LanePair.
template <class T, class A = xsimd::default_arch, class F>
Sums sum_pairs(std::int64_t n, F&& f) {
  constexpr std::int64_t W = Lane<T, A>::kSize, kBlock = 64 * W;
  Sums sums;
  for (std::int64_t block = 0; block < n; block += kBlock) {
    const std::int64_t end = std::min(block + kBlock, n);
    LanePair<T, A> a, b;
    std::int64_t i = block;
    for (; i + 2 * W <= end; i += 2 * W) {
      a.add(f(i, Part<T, A>{}));
      b.add(f(i + W, Part<T, A>{}));
    }
    for (; i < end; i += W) a.add(f(i, Part<T, A>{std::min(W, end - i)}));
    a.add(b);
    sums.first += total(a.first);
    sums.second += total(a.second);
  }
  return sums;
}

}  // namespace xtape::kernels
