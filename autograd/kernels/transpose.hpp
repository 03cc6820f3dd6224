// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "lane.hpp"

// Rows become columns in registers; included by kernels alone.
namespace xtape::kernels {

/// A square of whole vectors of T, any number of 4 or 8 bytes: `kSize` rows of as many numbers.
template <class T, class A = xsimd::default_arch>
struct Square {
  static constexpr std::size_t kBytes = sizeof(Lane<float, A>);
  static constexpr std::int64_t kSize = kBytes / sizeof(T);
  using Row [[gnu::vector_size(kBytes)]] = T;

  Row rows[kSize] = {};

  void load(const T* x, std::int64_t step) {
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kSize; ++i) std::memcpy(&rows[i], x + i * step, kBytes);
  }
  void store(T* y, std::int64_t step) const {
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kSize; ++i) std::memcpy(y + i * step, &rows[i], kBytes);
  }
  /// Each turn makes the upper bit of a row's number the lowest of a column's.
  void transpose() {
    constexpr auto kIndices = std::make_integer_sequence<int, static_cast<int>(kSize)>{};
#pragma GCC unroll 4
    for (std::int64_t turn = 1; turn < kSize; turn *= 2) {
      Row next[kSize];
#pragma GCC unroll 8
      for (std::int64_t i = 0; i < kSize / 2; ++i) {
        next[2 * i] = merged<0>(rows[i], rows[i + kSize / 2], kIndices);
        next[2 * i + 1] = merged<1>(rows[i], rows[i + kSize / 2], kIndices);
      }
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kSize; ++i) rows[i] = next[i];
    }
  }

 private:
  // x and y merged, an element of each in turn: the first half of that or the second.
  template <int Half, int... I>
  static Row merged(const Row& x, const Row& y, std::integer_sequence<int, I...>) {
    constexpr int W = sizeof...(I);
    return __builtin_shufflevector(x, y, (I % 2 * W + (Half * W + I) / 2)...);
  }
};

}  // namespace xtape::kernels
