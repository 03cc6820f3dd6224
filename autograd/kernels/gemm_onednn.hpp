// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace xtape::kernels::onednn {

/// As kernels::gemm. False, with nothing done, for what the rule gives to BLAS.
bool gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
          float beta, const float* bias, float* c, std::int64_t ldc, int threads);

}  // namespace xtape::kernels::onednn
