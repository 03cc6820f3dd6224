// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../export.hpp"
#include "../tensor.hpp"

// Matrix products of float32 or of float64 tensors; other or different dtypes are a DTypeError,
// sizes that do not fit a ShapeError. Transposed matrices are multiplied where they lie.
namespace xtape {

/// a @ b: the dot product of two vectors, a matrix times a vector or a matrix, and over leading
/// dimensions, broadcast, a batch of these. Gradients: g @ b^T, a^T @ g.
XTAPE_API Tensor matmul(const Tensor& a, const Tensor& b);
/// [m, k] @ [k, n]
XTAPE_API Tensor mm(const Tensor& a, const Tensor& b);
/// [batch, m, k] @ [batch, k, n]
XTAPE_API Tensor bmm(const Tensor& a, const Tensor& b);
/// [m, k] @ [k]
XTAPE_API Tensor mv(const Tensor& a, const Tensor& b);
/// [k] @ [k]
XTAPE_API Tensor dot(const Tensor& a, const Tensor& b);
/// y[i][j] = a[i] b[j]
XTAPE_API Tensor outer(const Tensor& a, const Tensor& b);
/// beta * x + alpha * (a @ b) with x broadcast to [m, n]; x is not read where beta is 0.
XTAPE_API Tensor addmm(const Tensor& x, const Tensor& a, const Tensor& b, double beta = 1,
                       double alpha = 1);
/// x weight^T + bias for x [..., in], weight [out, in], bias [out] or undefined.
XTAPE_API Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace xtape
