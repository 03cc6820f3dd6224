// SPDX-License-Identifier: BSD-3-Clause
#include "gemm_few.hpp"

#include <algorithm>

#include "../parallel.hpp"
#include "rows.hpp"

namespace xtape::kernels {
namespace {

constexpr std::int64_t kRows = 4;     // at a time
constexpr std::int64_t kColumns = 4;  // vectors side by side
constexpr double kGrain = 1 << 17;    // multiply-adds of a chunk

template <class T>
struct Product {
  std::int64_t m, n, k;
  const T *a, *b;
  std::int64_t a_row, a_term, ldb;  // strides of op(A); b's rows are dense
  T alpha, beta;
  T* c;
  std::int64_t ldc;

  T result(T sum, T before) const {
    return beta == T(0) ? alpha * sum : alpha * sum + beta * before;
  }
};

/// f(begin, end) over `count` pieces of `work` multiply-adds each.
template <class F>
void divide(std::int64_t count, double work, int threads, F f) {
  if (threads == 1) return f(std::int64_t{0}, count);
  const auto grain = static_cast<std::int64_t>(std::max(1.0, kGrain / std::max(1.0, work)));
  detail::parallel_for(count, grain, f);
}

// --- C = A B: rows of B, added up ---------------------------------------------------------------

template <class T, std::int64_t R, std::int64_t V>
void add_rows(const Product<T>& p, std::int64_t row, std::int64_t column, Part<T> part) {
  constexpr std::int64_t W = Lane<T>::kSize;
  Lane<T> sums[R][V];  // in registers where all loops over them are unrolled
#pragma GCC unroll 4
  for (std::int64_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (std::int64_t v = 0; v < V; ++v) sums[r][v] = Lane<T>(0.0);
  }
  const T *a = p.a + row * p.a_row, *b = p.b + column;
  const std::int64_t a_row = p.a_row, terms = p.k, ldc = p.ldc;
  for (std::int64_t t = 0; t < terms; ++t, a += p.a_term, b += p.ldb) {
    Lane<T> of_b[V];
#pragma GCC unroll 4
    for (std::int64_t v = 0; v < V; ++v) of_b[v] = part.load(b + v * W, T(0));
#pragma GCC unroll 4
    for (std::int64_t r = 0; r < R; ++r) {
      const Lane<T> factor(static_cast<double>(a[r * a_row]));
#pragma GCC unroll 4
      for (std::int64_t v = 0; v < V; ++v) {
        sums[r][v] = xsimd::fma(factor.batch, of_b[v].batch, sums[r][v].batch);
      }
    }
  }
  const Lane<T> alpha(static_cast<double>(p.alpha)), beta(static_cast<double>(p.beta));
  const bool adds = p.beta != T(0);
  T* c = p.c + row * ldc + column;
#pragma GCC unroll 4
  for (std::int64_t r = 0; r < R; ++r, c += ldc) {
#pragma GCC unroll 4
    for (std::int64_t v = 0; v < V; ++v) {
      Lane<T> y = sums[r][v] * alpha;
      if (adds) y = y + part.load(c + v * W, T(0)) * beta;
      part.store(y, c + v * W);
    }
  }
}

template <class T, std::int64_t R>
void add_rows(const Product<T>& p, std::int64_t row, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t W = Lane<T>::kSize;
  for (; begin + kColumns * W <= end; begin += kColumns * W) {
    add_rows<T, R, kColumns>(p, row, begin, {});
  }
  for (; begin + 2 * W <= end; begin += 2 * W) add_rows<T, R, 2>(p, row, begin, {});
  for (; begin < end; begin += W) add_rows<T, R, 1>(p, row, begin, {std::min(W, end - begin)});
}

template <class T>
void add_rows(const Product<T>& p, std::int64_t row, std::int64_t rows, std::int64_t begin,
              std::int64_t end) {
  if (rows == 4) return add_rows<T, 4>(p, row, begin, end);
  if (rows == 3) return add_rows<T, 3>(p, row, begin, end);
  if (rows == 2) return add_rows<T, 2>(p, row, begin, end);
  add_rows<T, 1>(p, row, begin, end);
}

template <class T>
void multiply_rows(const Product<T>& p, int threads) {
  constexpr std::int64_t kTile = kColumns * Lane<T>::kSize;
  if (p.m <= kRows) {
    const double work = static_cast<double>(p.m) * static_cast<double>(p.k) * kTile;
    return divide((p.n + kTile - 1) / kTile, work, threads, [&](auto begin, auto end) {
      add_rows(p, 0, p.m, begin * kTile, std::min(p.n, end * kTile));
    });
  }
  const double work = static_cast<double>(kRows * p.k) * static_cast<double>(p.n);
  divide((p.m + kRows - 1) / kRows, work, threads, [&](auto begin, auto end) {
    for (std::int64_t row = begin * kRows; row < std::min(p.m, end * kRows); row += kRows) {
      add_rows(p, row, std::min(kRows, p.m - row), 0, p.n);
    }
  });
}

// --- C = A B^T: dot products of rows ------------------------------------------------------------

// xsimd 8 calls it hadd.
template <class T>
T sum_of_lanes(const Lane<T>& x) {
  if constexpr (requires { reduce_add(x.batch); }) {
    return reduce_add(x.batch);
  } else {
    return hadd(x.batch);
  }
}

template <class T, std::int64_t R, std::int64_t N>
void dot_rows(const Product<T>& p, std::int64_t column) {
  constexpr std::int64_t W = Lane<T>::kSize;
  Lane<T> sums[R][N];
  for (auto& of_row : sums) std::fill_n(of_row, N, Lane<T>(0.0));
  const T* b = p.b + column * p.ldb;
  const auto add = [&](std::int64_t t, auto part) {
    Lane<T> terms[N];
    for (std::int64_t i = 0; i < N; ++i) terms[i] = part.load(b + i * p.ldb + t, T(0));
    for (std::int64_t r = 0; r < R; ++r) {
      const Lane<T> factor = part.load(p.a + r * p.a_row + t, T(0));
      for (std::int64_t i = 0; i < N; ++i) {
        sums[r][i] = xsimd::fma(factor.batch, terms[i].batch, sums[r][i].batch);
      }
    }
  };
  std::int64_t t = 0;
  for (; t + W <= p.k; t += W) add(t, Part<T>{});
  if (t < p.k) add(t, Part<T>{p.k - t});
  for (std::int64_t r = 0; r < R; ++r) {
    T* c = p.c + r * p.ldc + column;
    for (std::int64_t i = 0; i < N; ++i) c[i] = p.result(sum_of_lanes(sums[r][i]), c[i]);
  }
}

template <class T, std::int64_t R>
void dot_rows(const Product<T>& p, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t kDots = R > 2 ? 4 : 8;  // of B at a time: sums that wait for no other
  for (; begin + kDots <= end; begin += kDots) dot_rows<T, R, kDots>(p, begin);
  for (; begin < end; ++begin) dot_rows<T, R, 1>(p, begin);
}

// The sums of W rows as one vector. xsimd's haddp for AVX-512 gives them in another order.
template <class T>
Lane<T> folded(const xsimd::batch<T>* rows) {
#if defined(__AVX512F__)
  // Halves of two rows, quarters of four, pairs of eight: each step adds what lies side by side.
  if constexpr (sizeof(T) == 4) {
    const auto quarters = [&](int i) {
      const auto halves = [](__m512 a, __m512 b) {
        return _mm512_shuffle_f32x4(a, b, 0x44) + _mm512_shuffle_f32x4(a, b, 0xee);
      };
      const __m512 x = halves(rows[i], rows[i + 4]), y = halves(rows[i + 8], rows[i + 12]);
      return _mm512_shuffle_f32x4(x, y, 0x88) + _mm512_shuffle_f32x4(x, y, 0xdd);
    };
    const auto pairs = [](__m512 x, __m512 y) {
      return _mm512_shuffle_ps(x, y, 0x44) + _mm512_shuffle_ps(x, y, 0xee);
    };
    const __m512 x = pairs(quarters(0), quarters(1)), y = pairs(quarters(2), quarters(3));
    return Lane<T>(_mm512_shuffle_ps(x, y, 0x88) + _mm512_shuffle_ps(x, y, 0xdd));
  } else {
    const auto quarters = [&](int i) {
      const auto halves = [](__m512d a, __m512d b) {
        return _mm512_shuffle_f64x2(a, b, 0x44) + _mm512_shuffle_f64x2(a, b, 0xee);
      };
      const __m512d x = halves(rows[i], rows[i + 2]), y = halves(rows[i + 4], rows[i + 6]);
      return _mm512_shuffle_f64x2(x, y, 0x88) + _mm512_shuffle_f64x2(x, y, 0xdd);
    };
    const __m512d x = quarters(0), y = quarters(1);
    return Lane<T>(_mm512_unpacklo_pd(x, y) + _mm512_unpackhi_pd(x, y));
  }
#else
  return Lane<T>(xsimd::haddp(rows));
#endif
}

// One row and a vector of sums of few terms: added up one by one they take longer than the terms.
template <class T>
void short_dots(const Product<T>& p, std::int64_t column) {
  constexpr std::int64_t W = Lane<T>::kSize;
  xsimd::batch<T> sums[W];
#pragma GCC unroll 16
  for (std::int64_t i = 0; i < W; ++i) sums[i] = xsimd::batch<T>(T(0));
  const T* b = p.b + column * p.ldb;
  const std::int64_t ldb = p.ldb, terms = p.k;
  const auto add = [&](std::int64_t t, auto part) {
    const xsimd::batch<T> factor = part.load(p.a + t, T(0)).batch;
    const T* row = b + t;
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < W; ++i, row += ldb) {
      sums[i] = xsimd::fma(factor, part.load(row, T(0)).batch, sums[i]);
    }
  };
  std::int64_t t = 0;
  for (; t + W <= terms; t += W) add(t, Part<T>{});
  if (t < terms) add(t, Part<T>{terms - t});
  T* c = p.c + column;
  Lane<T> y = folded<T>(sums) * Lane<T>(static_cast<double>(p.alpha));
  if (p.beta != T(0)) y = y + Lane<T>::load(c) * Lane<T>(static_cast<double>(p.beta));
  y.store(c);
}

// By whole vectors of columns, wherever a thread begins.
template <class T>
void multiply_short_dots(const Product<T>& p, int threads) {
  constexpr std::int64_t W = Lane<T>::kSize;
  divide((p.n + W - 1) / W, static_cast<double>(p.k * W), threads, [&](auto begin, auto end) {
    for (std::int64_t i = begin * W; i < std::min(p.n, end * W); i += W) {
      i + W <= p.n ? short_dots(p, i) : dot_rows<T, 1>(p, i, p.n);
    }
  });
}

template <class T>
void multiply_dots(const Product<T>& p, int threads) {
  if (p.k < kShortSum) return multiply_short_dots(p, threads);
  divide(p.n, static_cast<double>(p.m * p.k), threads, [&](auto begin, auto end) {
    if (p.m == 4) return dot_rows<T, 4>(p, begin, end);
    if (p.m == 3) return dot_rows<T, 3>(p, begin, end);
    if (p.m == 2) return dot_rows<T, 2>(p, begin, end);
    dot_rows<T, 1>(p, begin, end);
  });
}

}  // namespace

template <class T>
void gemm_few(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
              T alpha, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c,
              std::int64_t ldc, int threads) {
  const Product<T> p{m,   n,     k,    a, b,  transpose_a ? 1 : lda, transpose_a ? lda : 1,
                     ldb, alpha, beta, c, ldc};
  transpose_b ? multiply_dots(p, threads) : multiply_rows(p, threads);
}

#define XTAPE_INSTANTIATE(T)                                                                   \
  template void gemm_few<T>(bool, bool, std::int64_t, std::int64_t, std::int64_t, T, const T*, \
                            std::int64_t, const T*, std::int64_t, T, T*, std::int64_t, int);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace xtape::kernels
