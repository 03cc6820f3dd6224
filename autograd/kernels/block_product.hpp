// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>

#include "rows.hpp"

// Products of matrices that lie in the caches, in which some rows have fewer terms or columns than
// others; one thread, nothing is packed or copied. Private to kernels/.
namespace xtape::kernels {

/// C(i, j) = sum over t of A(i, t) B(t, j), or more than C holds by that where it `adds`. A may lie
/// transposed; rows of B and C are dense.
template <class T>
struct BlockProduct {
  const T* a;
  std::int64_t a_row, a_term;
  const T* b;
  std::int64_t b_step;
  T* c;
  std::int64_t c_step;
  bool adds;
};

/// What some rows of C need: terms [begin, end) and the first columns.
struct Reach {
  std::int64_t begin, end, columns;
};

/// R rows and V vectors of columns; `part` counts where V is 1.
template <int R, int V, class T>
void multiply_tile(const BlockProduct<T>& p, std::int64_t row, std::int64_t column,
                   const Part<T>& part, const Reach& reach) {
  constexpr std::int64_t W = Lane<T>::kSize;
  const Part<T> each = V == 1 ? part : Part<T>{};
  T* c = p.c + row * p.c_step + column;
  Lane<T> sums[R][V];  // in registers where all loops over them are unrolled
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      sums[r][v] = p.adds ? each.load(c + r * p.c_step + v * W, T(0)) : Lane<T>(0.0);
    }
  }
  const T* a = p.a + row * p.a_row + reach.begin * p.a_term;
  const T* b = p.b + reach.begin * p.b_step + column;
  for (std::int64_t t = reach.begin; t < reach.end; ++t, a += p.a_term, b += p.b_step) {
    Lane<T> terms[V];
    for (int v = 0; v < V; ++v) terms[v] = each.load(b + v * W, T(0));
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const typename Lane<T>::Batch factor(a[r * p.a_row]);
      for (int v = 0; v < V; ++v) {
        sums[r][v] = xsimd::fma(factor, terms[v].batch, sums[r][v].batch);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) each.store(sums[r][v], c + r * p.c_step + v * W);
  }
}

template <int R, class T>
void multiply_rows(const BlockProduct<T>& p, std::int64_t row, const Reach& reach) {
  constexpr std::int64_t W = Lane<T>::kSize;
  std::int64_t j = 0;
  for (; j + 2 * W <= reach.columns; j += 2 * W) multiply_tile<R, 2>(p, row, j, {}, reach);
  for (; j < reach.columns; j += W) {
    multiply_tile<R, 1>(p, row, j, Part<T>{std::min(W, reach.columns - j)}, reach);
  }
}

/// All rows of C, by tiles; `reach_of(first, last)` of the rows from the first to the last.
template <class T, class F>
void multiply_block(const BlockProduct<T>& p, std::int64_t rows, F&& reach_of) {
  constexpr int kRows = sizeof(Lane<T>) == 64 ? 8 : 4;  // sums fill half the registers
  std::int64_t i = 0;
  for (; i + kRows <= rows; i += kRows) multiply_rows<kRows>(p, i, reach_of(i, i + kRows - 1));
  for (; i < rows; ++i) multiply_rows<1>(p, i, reach_of(i, i));
}

}  // namespace xtape::kernels
