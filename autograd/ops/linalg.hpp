// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../export.hpp"
#include "../tensor.hpp"

// Linear algebra of the matrices in the last two dimensions, float32 or float64, by LAPACK; leading
// dimensions are a batch, and those of two arguments broadcast. Gradients are of every order.
// Throw ShapeError where a matrix is not square or sizes differ, DTypeError on other or different
// dtypes, and ValueError, with the place in the batch, on a matrix that has no such result.
namespace xtape {

/// L of x = L L^T, lower triangular, or L^T where `upper`. x is symmetric: its lower triangle alone
/// is read, and its gradient is symmetric. Throws ValueError where x is not positive definite.
XTAPE_API Tensor cholesky(const Tensor& x, bool upper = false);
/// The solution of x y = b, x = l l^T given l of `cholesky` (x = l^T l where `upper`); b [..., n,
/// k]. Throws ValueError on a zero on the diagonal.
XTAPE_API Tensor cholesky_solve(const Tensor& b, const Tensor& l, bool upper = false);

struct TriangularOptions {
  bool upper;                  ///< a's upper triangle is read, else its lower one
  bool left = true;            ///< a x = b for b [..., n, k], else x a = b for b [..., k, n]
  bool unitriangular = false;  ///< a's diagonal is taken for ones and not read
};
/// The solution of a x = b or x a = b with a triangular. Throws ValueError on a zero on the
/// diagonal.
XTAPE_API Tensor solve_triangular(const Tensor& a, const Tensor& b,
                                  const TriangularOptions& options);

/// The solution of a x = b. b is a vector where it has one dimension or is shaped as a without its
/// last dimension, else matrices [..., n, k]. Throws ValueError where a is singular.
XTAPE_API Tensor solve(const Tensor& a, const Tensor& b);
/// x^-1; prefer `solve` to a product with it. Throws ValueError where x is singular.
XTAPE_API Tensor inv(const Tensor& x);
/// The determinant; gradient g det(x) x^-T. At a singular matrix it is 0 and its gradient throws
/// ValueError.
XTAPE_API Tensor det(const Tensor& x);

struct SignAndLogAbsDet {
  Tensor sign;       ///< 1, -1, or 0; no gradient
  Tensor logabsdet;  ///< gradient g x^-T
};
/// Sign and logarithm of the determinant, where that itself would overflow. A singular matrix gives
/// 0 and -inf, and its gradient throws ValueError.
XTAPE_API SignAndLogAbsDet slogdet(const Tensor& x);

}  // namespace xtape
