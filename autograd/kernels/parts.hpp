// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "../deterministic.hpp"
#include "../memory.hpp"
#include "../parallel.hpp"
#include "../thread_scope.hpp"

// How the deterministic mode divides what BLAS and oneDNN do: parts by the sizes alone, one thread
// each. Private to kernels/.
namespace xtape::kernels {

/// f(begin, end) for the parts of [0, count), `grain` each, on one thread each.
template <class F>
void in_parts(std::int64_t count, std::int64_t grain, F&& f) {
  detail::parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    const detail::ThreadScope alone(1);
    f(begin, end);
  });
}

/// Images of a part: a batch has at most 8 parts, however many threads there are.
inline std::int64_t part_of_batch(std::int64_t images) {
  return std::max<std::int64_t>(1, (images + 7) / 8);
}

/// Rows or columns of a part, given those of a matrix product and its multiply-adds.
inline std::int64_t part_of_product(std::int64_t length, double work) {
  constexpr double kSmall = 1 << 20;  // done before another thread has begun
  constexpr std::int64_t kParts = 16, kLeast = 64, kVector = 16;
  if (work < kSmall) return std::max<std::int64_t>(length, 1);
  std::int64_t grain = std::max(kLeast, (length + kParts - 1) / kParts);
  grain = (grain + kVector - 1) / kVector * kVector;
  while (length % grain == 1) grain += kVector;  // no single column: see gemm_onednn.cpp
  return grain;
}

/// A part of the result of a matrix product, and the threads that compute it.
struct Tile {
  std::int64_t row, rows, column, columns;
  int threads;
};

/// f(tile) for a product [m, n] of sums of k terms: all at once on all threads; in deterministic
/// mode part after part along the longer side.
template <class F>
void in_tiles(std::int64_t m, std::int64_t n, std::int64_t k, F&& f) {
  if (!are_deterministic_algorithms_enabled()) return f(Tile{0, m, 0, n, num_threads()});
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  in_parts(std::max(m, n), part_of_product(std::max(m, n), work), [&](auto begin, auto end) {
    f(m >= n ? Tile{begin, end - begin, 0, n, 1} : Tile{0, m, begin, end - begin, 1});
  });
}

/// `count` sums to which several parts give something, added up in the order of the parts.
template <class T>
class PartialSums {
 public:
  PartialSums(std::int64_t parts, std::int64_t count, T* sum)
      : parts_(parts),
        count_(count),
        sum_(sum),
        others_(static_cast<std::size_t>(std::max<std::int64_t>(0, parts - 1) * count)) {}
  /// Where a part writes what it gives.
  T* of(std::int64_t part) const { return part == 0 ? sum_ : others_.data() + (part - 1) * count_; }
  void add_up() const {
    for (std::int64_t part = 1; part < parts_; ++part) {
      const T* given = of(part);
      for (std::int64_t i = 0; i < count_; ++i) sum_[i] += given[i];
    }
  }

 private:
  std::int64_t parts_, count_;
  T* sum_;
  detail::Scratch<T> others_;
};

}  // namespace xtape::kernels
