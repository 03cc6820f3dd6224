// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "bfloat16.hpp"

namespace xtape::kernels::onednn {

/// As kernels::gemm. False, with nothing done, for what the rule gives to BLAS.
bool gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
          float beta, const float* bias, float* c, std::int64_t ldc, int threads);

/// Whether gemm_bfloat16() takes it and is faster than gemm() on the same numbers in float32.
bool serves_bfloat16(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t ldc);
/// op(A) op(B) + beta C, sums in float32, or plus a bias (then beta is 0); beta is 0 or 1.
void gemm_bfloat16(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                   std::int64_t k, const BFloat16* a, std::int64_t lda, const BFloat16* b,
                   std::int64_t ldb, float beta, const float* bias, float* c, std::int64_t ldc,
                   int threads);

}  // namespace xtape::kernels::onednn
