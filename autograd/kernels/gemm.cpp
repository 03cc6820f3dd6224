// SPDX-License-Identifier: BSD-3-Clause
#include "gemm.hpp"

#include <algorithm>
#include <climits>
#include <complex>  // cxxblas leaves it to its includer
#include <cstddef>
#include <type_traits>
#include <xtensor-blas/xblas_config.hpp>

#include "../parallel.hpp"
#include "../thread_scope.hpp"
#include "gemm_few.hpp"
#include "parts.hpp"
#include "xflens/cxxblas/cxxblas.cxx"
#ifdef XTAPE_HAS_ONEDNN
#include "gemm_onednn.hpp"
#endif

namespace xtape::kernels {
namespace {

template <class T>
void scale_rows(std::int64_t m, std::int64_t n, T beta, T* c, std::int64_t ldc) {
  for (std::int64_t i = 0; i < m; ++i) {
    T* row = c + i * ldc;
    if (beta == T(0)) {
      std::fill_n(row, n, T(0));
    } else {
      for (std::int64_t j = 0; j < n; ++j) row[j] *= beta;
    }
  }
}

template <class T>
void fill_rows(std::int64_t m, std::int64_t n, const T* row, T* c, std::int64_t ldc) {
  for (std::int64_t i = 0; i < m; ++i) std::copy_n(row, n, c + i * ldc);
}

// For sizes that the BLAS interface's int cannot hold.
template <class T>
void gemm_wide(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
               T alpha, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c,
               std::int64_t ldc) {
  const std::int64_t a_row = transpose_a ? 1 : lda, a_col = transpose_a ? lda : 1;
  const std::int64_t b_row = transpose_b ? 1 : ldb, b_col = transpose_b ? ldb : 1;
  scale_rows(m, n, beta, c, ldc);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t p = 0; p < k; ++p) {
      const T factor = alpha * a[i * a_row + p * a_col];
      for (std::int64_t j = 0; j < n; ++j) c[i * ldc + j] += factor * b[p * b_row + j * b_col];
    }
  }
}

double work_of(std::int64_t m, std::int64_t n, std::int64_t k) {
  return static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

// alpha op(A) op(B) + beta C, or with `bias` in the place of C, then beta is 1.
template <class T>
void multiply(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
              T alpha, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta,
              const T* bias, T* c, std::int64_t ldc, int threads) {
  if (m == 0 || n == 0) return;
  // A single row's distance to the next means nothing, but BLAS checks it.
  lda = std::max(lda, transpose_a ? m : k);
  ldb = std::max(ldb, transpose_b ? k : n);
  ldc = std::max(ldc, n);
  const bool few = is_few(transpose_a, transpose_b, m, k);
#ifdef XTAPE_HAS_ONEDNN
  if constexpr (std::is_same_v<T, float>) {
    if (k > 0 && !few &&
        onednn::gemm(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, bias ? 0 : beta,
                     bias, c, ldc, threads)) {
      return;
    }
  }
#endif
  if (bias) fill_rows(m, n, bias, c, ldc);
  if (k == 0 || alpha == T(0)) return scale_rows(m, n, beta, c, ldc);
  if (few) {
    return gemm_few(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc,
                    threads);
  }
  if (std::max({m, n, k, lda, ldb, ldc}) > INT_MAX) {
    return gemm_wide(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  }
  const auto flag = [](bool transpose) { return transpose ? cxxblas::Trans : cxxblas::NoTrans; };
  const auto integer = [](std::int64_t x) { return static_cast<xt::blas_index_t>(x); };
  cxxblas::gemm(cxxblas::RowMajor, flag(transpose_a), flag(transpose_b), integer(m), integer(n),
                integer(k), alpha, a, integer(lda), b, integer(ldb), beta, c, integer(ldc));
}

// The same on all threads; parts of C in deterministic mode, along its longer side.
template <class T>
void multiply_by_all(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                     std::int64_t k, T alpha, const T* a, std::int64_t lda, const T* b,
                     std::int64_t ldb, T beta, const T* bias, T* c, std::int64_t ldc) {
  if (is_few(transpose_a, transpose_b, m, k)) {  // the same bits on any threads
    return multiply(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, bias, c, ldc,
                    num_threads());
  }
  in_tiles(m, n, k, [&](const Tile& t) {
    multiply(transpose_a, transpose_b, t.rows, t.columns, k, alpha,
             a + t.row * (transpose_a ? 1 : lda), lda, b + t.column * (transpose_b ? ldb : 1), ldb,
             beta, bias ? bias + t.column : nullptr, c + t.row * ldc + t.column, ldc, t.threads);
  });
}

template <class To>
Rounded<To> rounded(bool transpose, std::int64_t rows, std::int64_t columns, const float* x,
                    std::int64_t step) {
  return transpose ? Rounded<To>(columns, rows, x, step) : Rounded<To>(rows, columns, x, step);
}

// The same of A and B rounded to bfloat16: in two bytes where the processor multiplies these and it
// pays, else the same values in float32.
void multiply_rounded(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                      std::int64_t k, float alpha, const float* a, std::int64_t lda, const float* b,
                      std::int64_t ldb, float beta, const float* bias, float* c, std::int64_t ldc) {
  if (m == 0 || n == 0) return;
#ifdef XTAPE_HAS_ONEDNN
  if (alpha == 1 && (beta == 0 || beta == 1) && onednn::serves_bfloat16(m, n, k, ldc)) {
    const auto half_a = rounded<BFloat16>(transpose_a, m, k, a, lda);
    const auto half_b = rounded<BFloat16>(transpose_b, k, n, b, ldb);
    return in_tiles(m, n, k, [&](const Tile& t) {
      onednn::gemm_bfloat16(transpose_a, transpose_b, t.rows, t.columns, k,
                            half_a.data() + t.row * (transpose_a ? 1 : half_a.step()),
                            half_a.step(),
                            half_b.data() + t.column * (transpose_b ? half_b.step() : 1),
                            half_b.step(), bias ? 0 : beta, bias ? bias + t.column : nullptr,
                            c + t.row * ldc + t.column, ldc, t.threads);
    });
  }
#endif
  const auto near_a = rounded<float>(transpose_a, m, k, a, lda);
  const auto near_b = rounded<float>(transpose_b, k, n, b, ldb);
  multiply_by_all(transpose_a, transpose_b, m, n, k, alpha, near_a.data(), near_a.step(),
                  near_b.data(), near_b.step(), beta, bias, c, ldc);
}

template <class T>
void multiply_at(Precision precision, bool transpose_a, bool transpose_b, std::int64_t m,
                 std::int64_t n, std::int64_t k, T alpha, const T* a, std::int64_t lda, const T* b,
                 std::int64_t ldb, T beta, const T* bias, T* c, std::int64_t ldc) {
  if constexpr (std::is_same_v<T, float>) {
    if (precision == Precision::bfloat16) {
      return multiply_rounded(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, bias,
                              c, ldc);
    }
  }
  multiply_by_all(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, bias, c, ldc);
}

}  // namespace

template <class T>
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          T alpha, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c,
          std::int64_t ldc, Precision precision) {
  multiply_at(precision, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta,
              static_cast<const T*>(nullptr), c, ldc);
}

template <class T>
void gemm_bias(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
               const T* a, std::int64_t lda, const T* b, std::int64_t ldb, const T* bias, T* c,
               std::int64_t ldc, Precision precision) {
  multiply_at(precision, transpose_a, transpose_b, m, n, k, T(1), a, lda, b, ldb, T(1), bias, c,
              ldc);
}

template <class T>
void gemm_alone(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                T alpha, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c,
                std::int64_t ldc, Precision precision) {
  const xtape::detail::ThreadScope alone(1);
  if (precision == Precision::bfloat16) {
    return gemm(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, precision);
  }
  multiply(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta,
           static_cast<const T*>(nullptr), c, ldc, 1);
}

template <class T>
void gemm_batched(std::int64_t batch, bool transpose_a, bool transpose_b, std::int64_t m,
                  std::int64_t n, std::int64_t k, T alpha, const T* a, std::int64_t lda,
                  std::int64_t stride_a, const T* b, std::int64_t ldb, std::int64_t stride_b,
                  T beta, T* c, std::int64_t ldc, std::int64_t stride_c, Precision precision) {
  if (batch <= 0 || m == 0 || n == 0) return;
  // One right side for all, rows that follow one another: a single tall product. Of matrices of one
  // row lda says nothing, and they may be all the same one.
  const std::int64_t row_a = m == 1 ? stride_a : lda, row_c = m == 1 ? stride_c : ldc;
  if (stride_b == 0 && !transpose_a && row_a >= k && stride_a == m * row_a &&
      stride_c == m * row_c) {
    return gemm(transpose_a, transpose_b, batch * m, n, k, alpha, a, row_a, b, ldb, beta, c, row_c,
                precision);
  }
  // Few large products run one after the other, each on all threads.
  constexpr double kLarge = 1 << 24, kGrain = 1 << 16;
  const double work = work_of(m, n, k);
  if (batch == 1 || work >= kLarge) {
    for (std::int64_t i = 0; i < batch; ++i) {
      gemm(transpose_a, transpose_b, m, n, k, alpha, a + i * stride_a, lda, b + i * stride_b, ldb,
           beta, c + i * stride_c, ldc, precision);
    }
    return;
  }
  const auto grain = static_cast<std::int64_t>(std::max(1.0, kGrain / std::max(1.0, work)));
  detail::parallel_for(batch, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      gemm_alone(transpose_a, transpose_b, m, n, k, alpha, a + i * stride_a, lda, b + i * stride_b,
                 ldb, beta, c + i * stride_c, ldc, precision);
    }
  });
}

#define XTAPE_INSTANTIATE(T)                                                                     \
  template XTAPE_API void gemm<T>(bool, bool, std::int64_t, std::int64_t, std::int64_t, T,       \
                                  const T*, std::int64_t, const T*, std::int64_t, T, T*,         \
                                  std::int64_t, Precision);                                      \
  template XTAPE_API void gemm_bias<T>(bool, bool, std::int64_t, std::int64_t, std::int64_t,     \
                                       const T*, std::int64_t, const T*, std::int64_t, const T*, \
                                       T*, std::int64_t, Precision);                             \
  template XTAPE_API void gemm_alone<T>(bool, bool, std::int64_t, std::int64_t, std::int64_t, T, \
                                        const T*, std::int64_t, const T*, std::int64_t, T, T*,   \
                                        std::int64_t, Precision);                                \
  template XTAPE_API void gemm_batched<T>(std::int64_t, bool, bool, std::int64_t, std::int64_t,  \
                                          std::int64_t, T, const T*, std::int64_t, std::int64_t, \
                                          const T*, std::int64_t, std::int64_t, T, T*,           \
                                          std::int64_t, std::int64_t, Precision);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace xtape::kernels
