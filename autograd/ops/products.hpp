// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"

// Products and sums over chosen dimensions, composed of other operations.
namespace xtape {

/// The sum of a matrix's diagonal. Throws ShapeError where x has not two dimensions.
XTAPE_API Tensor trace(const Tensor& x);
/// The sums of the products of two vectors along `dim`; the other dimensions broadcast.
XTAPE_API Tensor vecdot(const Tensor& a, const Tensor& b, std::int64_t dim = -1);
/// beta x + alpha (a @ b) for a [batch, m, k] and b [batch, k, n], with x broadcast to [batch, m,
/// n] (ShapeError); x is not read where beta is 0.
XTAPE_API Tensor baddbmm(const Tensor& x, const Tensor& a, const Tensor& b, double beta = 1,
                         double alpha = 1);
/// Kronecker's product: y[i p + k][j q + l] = a[i][j] b[k][l] for b [p, q], and so for any number
/// of dimensions; the shorter shape is filled up with ones in front.
XTAPE_API Tensor kron(const Tensor& a, const Tensor& b);
/// The cross product of the vectors of three along `dim`; other dimensions broadcast. Throws
/// ShapeError where there are not three, or dimensions differ in number.
XTAPE_API Tensor cross(const Tensor& a, const Tensor& b, std::int64_t dim = -1);
/// Sums products over dims_a[i] of a with dims_b[i] of b; the result has the other dimensions of a,
/// then those of b. Throws ShapeError where their sizes or numbers differ, IndexError where one is
/// named twice.
XTAPE_API Tensor tensordot(const Tensor& a, const Tensor& b, const Shape& dims_a,
                           const Shape& dims_b);
/// Over the last `dims` dimensions of a with the first of b.
XTAPE_API Tensor tensordot(const Tensor& a, const Tensor& b, int dims = 2);

}  // namespace xtape
