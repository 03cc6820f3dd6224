// SPDX-License-Identifier: BSD-3-Clause
#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "lapack.hpp"

extern "C" {
#define XTAPE_DECLARE(T, gelqf, orglq, syevd, gesdd)                                               \
  void gelqf(const blasint* m, const blasint* n, T* a, const blasint* lda, T* tau, T* work,        \
             const blasint* lwork, blasint* info);                                                 \
  void orglq(const blasint* m, const blasint* n, const blasint* k, T* a, const blasint* lda,       \
             const T* tau, T* work, const blasint* lwork, blasint* info);                          \
  void syevd(const char* jobz, const char* uplo, const blasint* n, T* a, const blasint* lda, T* w, \
             T* work, const blasint* lwork, blasint* iwork, const blasint* liwork, blasint* info); \
  void gesdd(const char* jobz, const blasint* m, const blasint* n, T* a, const blasint* lda, T* s, \
             T* u, const blasint* ldu, T* vt, const blasint* ldvt, T* work, const blasint* lwork,  \
             blasint* iwork, blasint* info);
XTAPE_DECLARE(float, sgelqf_, sorglq_, ssyevd_, sgesdd_)
XTAPE_DECLARE(double, dgelqf_, dorglq_, dsyevd_, dgesdd_)
#undef XTAPE_DECLARE
}

namespace xtape::kernels {
namespace {

template <class T>
struct Lapack;
template <>
struct Lapack<float> {
  static constexpr auto gelqf = sgelqf_;
  static constexpr auto orglq = sorglq_;
  static constexpr auto syevd = ssyevd_;
  static constexpr auto gesdd = sgesdd_;
};
template <>
struct Lapack<double> {
  static constexpr auto gelqf = dgelqf_;
  static constexpr auto orglq = dorglq_;
  static constexpr auto syevd = dsyevd_;
  static constexpr auto gesdd = dgesdd_;
};

// call(work, size) asks for the size first, then works.
template <class T, class F>
void with_workspace(F&& call) {
  T wanted = 0;
  blasint size = -1;
  call(&wanted, &size);
  // A float holds the size to 24 bits only.
  size = static_cast<blasint>(std::nextafter(wanted, 2 * wanted + 1)) + 1;
  std::vector<T> work(static_cast<std::size_t>(size));
  call(work.data(), &size);
}

template <class T>
void make_identity(std::int64_t n, T* a) {
  std::fill(a, a + n * n, T(0));
  for (std::int64_t i = 0; i < n; ++i) a[i * n + i] = T(1);
}

}  // namespace

// LAPACK sees a^T, whose L is our R^T, and whose Q is our Q^T.
template <class T>
void qr(std::int64_t m, std::int64_t n, std::int64_t columns, T* a, T* q, T* r) {
  if (n == 0) {
    if (columns == m) make_identity(m, q);
    return;
  }
  const auto rows = static_cast<blasint>(m), size = static_cast<blasint>(n);
  const auto wide = static_cast<blasint>(columns);
  blasint info = 0;  // arguments are right
  std::vector<T> tau(static_cast<std::size_t>(n));
  with_workspace<T>([&](T* work, const blasint* lwork) {
    Lapack<T>::gelqf(&size, &rows, a, &size, tau.data(), work, lwork, &info);
  });
  for (std::int64_t i = 0; i < m; ++i) std::copy_n(a + i * n, n, q + i * columns);
  with_workspace<T>([&](T* work, const blasint* lwork) {
    Lapack<T>::orglq(&wide, &rows, &size, q, &wide, tau.data(), work, lwork, &info);
  });
  for (std::int64_t i = 0; i < columns; ++i) {
    std::fill_n(r + i * n, n, T(0));
    for (std::int64_t j = i; j < n; ++j) r[i * n + j] = a[i * n + j];
  }
}

template <class T>
bool eigh(bool with_vectors, std::int64_t n, T* a, T* values) {
  if (n == 0) return true;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto is_finite = [](T v) { return std::isfinite(v); };
    if (!std::all_of(a + i * n, a + i * n + i + 1, is_finite)) return false;
  }
  const auto size = static_cast<blasint>(n);
  const char* job = with_vectors ? "V" : "N";
  blasint info = 0;
  // The workspace of integers as the documentation gives it: 5 n + 3.
  const blasint integers = with_vectors ? 5 * size + 3 : 1;
  std::vector<blasint> iwork(static_cast<std::size_t>(integers));
  with_workspace<T>([&](T* work, const blasint* lwork) {
    Lapack<T>::syevd(job, "U", &size, a, &size, values, work, lwork, iwork.data(), &integers,
                     &info);
  });
  return info == 0;
}

// LAPACK sees a^T = V S U^T and gives V and U^T by columns: V^T and U by rows.
template <class T>
bool svd(SingularVectors vectors, std::int64_t m, std::int64_t n, T* a, T* s, T* u, T* vh) {
  const bool full = vectors == SingularVectors::all;
  const std::int64_t k = std::min(m, n);
  if (k == 0) {
    if (full) make_identity(m, u), make_identity(n, vh);
    return true;
  }
  if (!std::all_of(a, a + m * n, [](T v) { return std::isfinite(v); })) return false;
  const auto rows = static_cast<blasint>(m), columns = static_cast<blasint>(n);
  const auto wide = static_cast<blasint>(full ? m : k);
  const char* job = vectors == SingularVectors::none ? "N" : full ? "A" : "S";
  blasint info = 0;
  std::vector<blasint> iwork(static_cast<std::size_t>(8 * k));
  with_workspace<T>([&](T* work, const blasint* lwork) {
    Lapack<T>::gesdd(job, &columns, &rows, a, &columns, s, vh, &columns, u, &wide, work, lwork,
                     iwork.data(), &info);
  });
  return info == 0;
}

#define XTAPE_INSTANTIATE(T)                                                           \
  template XTAPE_API void qr<T>(std::int64_t, std::int64_t, std::int64_t, T*, T*, T*); \
  template XTAPE_API bool eigh<T>(bool, std::int64_t, T*, T*);                         \
  template XTAPE_API bool svd<T>(SingularVectors, std::int64_t, std::int64_t, T*, T*, T*, T*);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace xtape::kernels
