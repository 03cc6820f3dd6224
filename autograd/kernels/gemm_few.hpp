// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace xtape::kernels {

/// Terms of a sum from which on it is added up alone.
inline constexpr std::int64_t kShortSum = 64;

/// Few rows or a short sum, for which general kernels pack more than they multiply: one sample
/// through a layer, its gradients.
constexpr bool is_few(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t k) noexcept {
  // Dot products, added up in lanes: of few terms BLAS is the faster one from two rows on.
  if (transpose_b) return !transpose_a && m <= (k < kShortSum ? 1 : 4);
  return m <= 4 || k <= 4;
}

/// gemm() for these, with the same bits for any number of threads. T: float, double.
template <class T>
void gemm_few(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
              T alpha, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c,
              std::int64_t ldc, int threads);

}  // namespace xtape::kernels
