// SPDX-License-Identifier: BSD-3-Clause
#include "lapack.hpp"

#include <cblas.h>

#include <algorithm>
#include <type_traits>
#include <vector>

// OpenBLAS brings LAPACK along, its header does not.
extern "C" {
void spotrf_(const char* uplo, const blasint* n, float* a, const blasint* lda, blasint* info);
void dpotrf_(const char* uplo, const blasint* n, double* a, const blasint* lda, blasint* info);
void sgetrf_(const blasint* m, const blasint* n, float* a, const blasint* lda, blasint* pivots,
             blasint* info);
void dgetrf_(const blasint* m, const blasint* n, double* a, const blasint* lda, blasint* pivots,
             blasint* info);
}

namespace xtape::kernels {
namespace {

template <class T>
constexpr bool is_float = std::is_same_v<T, float>;

template <class T>
void swap_rows(std::int64_t k, T* b, std::int64_t i, std::int64_t j) {
  if (i != j) std::swap_ranges(b + i * k, b + (i + 1) * k, b + j * k);
}

}  // namespace

template <class T>
bool cholesky(std::int64_t n, T* a) {
  if (n == 0) return true;
  // LAPACK counts by columns: our lower triangle is its upper one.
  const blasint size = static_cast<blasint>(n);
  blasint info = 0;
  if constexpr (is_float<T>) {
    spotrf_("U", &size, a, &size, &info);
  } else {
    dpotrf_("U", &size, a, &size, &info);
  }
  if (info != 0) return false;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!(a[i * n + i] > 0)) return false;
    std::fill(a + i * n + i + 1, a + (i + 1) * n, T(0));
  }
  return true;
}

template <class T>
void lu(std::int64_t n, T* a, std::int64_t* pivots) {
  if (n == 0) return;
  const blasint size = static_cast<blasint>(n);
  blasint info = 0;  // says what the diagonal says, too
  std::vector<blasint> from_one(static_cast<std::size_t>(n));
  if constexpr (is_float<T>) {
    sgetrf_(&size, &size, a, &size, from_one.data(), &info);
  } else {
    dgetrf_(&size, &size, a, &size, from_one.data(), &info);
  }
  for (const blasint p : from_one) *pivots++ = p - 1;
}

template <class T>
void lu_solve(bool transposed, std::int64_t n, std::int64_t k, const T* factors,
              const std::int64_t* pivots, T* b) {
  const Triangle lower{.upper = false, .transposed = transposed};
  const Triangle upper{.upper = true, .unit = true, .transposed = transposed};
  if (transposed) {
    for (std::int64_t i = 0; i < n; ++i) swap_rows(k, b, i, pivots[i]);
    solve_triangular(upper, n, k, factors, n, b);
    solve_triangular(lower, n, k, factors, n, b);
  } else {
    solve_triangular(lower, n, k, factors, n, b);
    solve_triangular(upper, n, k, factors, n, b);
    for (std::int64_t i = n; i-- > 0;) swap_rows(k, b, i, pivots[i]);
  }
}

template <class T>
void solve_triangular(const Triangle& triangle, std::int64_t m, std::int64_t n, const T* a,
                      std::int64_t lda, T* b) {
  if (m == 0 || n == 0) return;
  const auto solve = [&](auto trsm) {
    trsm(CblasRowMajor, triangle.left ? CblasLeft : CblasRight,
         triangle.upper ? CblasUpper : CblasLower, triangle.transposed ? CblasTrans : CblasNoTrans,
         triangle.unit ? CblasUnit : CblasNonUnit, static_cast<blasint>(m), static_cast<blasint>(n),
         T(1), a, static_cast<blasint>(lda), b, static_cast<blasint>(n));
  };
  if constexpr (is_float<T>) {
    solve(cblas_strsm);
  } else {
    solve(cblas_dtrsm);
  }
}

#define XTAPE_INSTANTIATE(T)                                                               \
  template XTAPE_API bool cholesky<T>(std::int64_t, T*);                                   \
  template XTAPE_API void lu<T>(std::int64_t, T*, std::int64_t*);                          \
  template XTAPE_API void lu_solve<T>(bool, std::int64_t, std::int64_t, const T*,          \
                                      const std::int64_t*, T*);                            \
  template XTAPE_API void solve_triangular<T>(const Triangle&, std::int64_t, std::int64_t, \
                                              const T*, std::int64_t, T*);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace xtape::kernels
