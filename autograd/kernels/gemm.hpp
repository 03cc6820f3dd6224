// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../memory.hpp"
#include "bfloat16.hpp"

namespace xtape::kernels {

/// C = alpha * op(A) @ op(B) + beta * C on row-major matrices, op(A) [m, k], op(B) [k, n], C [m,
/// n]; op transposes where its flag is set. C is not read where beta is 0; C may not overlap A or
/// B. T: float, double.
template <class T>
XTAPE_API void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                    std::int64_t k, T alpha, const T* a, std::int64_t lda, const T* b,
                    std::int64_t ldb, T beta, T* c, std::int64_t ldc,
                    Precision precision = Precision::full);

/// C = op(A) @ op(B) with `bias` [n] added to each row.
template <class T>
XTAPE_API void gemm_bias(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                         std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
                         const T* bias, T* c, std::int64_t ldc,
                         Precision precision = Precision::full);

/// gemm() on the calling thread alone: for the parts of a parallel loop.
template <class T>
XTAPE_API void gemm_alone(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n,
                          std::int64_t k, T alpha, const T* a, std::int64_t lda, const T* b,
                          std::int64_t ldb, T beta, T* c, std::int64_t ldc,
                          Precision precision = Precision::full);

/// The same for `batch` products; matrix i begins at a + i * stride_a, ... Strides of a and b may
/// be 0 (one matrix for all); the matrices of c may not overlap.
template <class T>
XTAPE_API void gemm_batched(std::int64_t batch, bool transpose_a, bool transpose_b, std::int64_t m,
                            std::int64_t n, std::int64_t k, T alpha, const T* a, std::int64_t lda,
                            std::int64_t stride_a, const T* b, std::int64_t ldb,
                            std::int64_t stride_b, T beta, T* c, std::int64_t ldc,
                            std::int64_t stride_c, Precision precision = Precision::full);

}  // namespace xtape::kernels
