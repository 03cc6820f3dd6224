// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

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
/// x^-1 given l of `cholesky`.
XTAPE_API Tensor cholesky_inverse(const Tensor& l, bool upper = false);

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
/// last dimension, else matrices [..., n, k]. Where not `left`: of x a = b, always of matrices b
/// [..., k, n]. Throws ValueError where a is singular.
XTAPE_API Tensor solve(const Tensor& a, const Tensor& b, bool left = true);
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
/// The logarithm alone, NaN where the determinant is negative.
XTAPE_API Tensor logdet(const Tensor& x);

enum class QrMode : std::uint8_t { reduced, complete };
struct QAndR {
  Tensor q;  ///< orthonormal columns: [..., m, min(m, n)], or [..., m, m] where complete
  Tensor r;  ///< upper triangular: [..., min(m, n), n], or [..., m, n]
};
/// x = q r for x [..., m, n]; the signs of r's diagonal are LAPACK's. The gradient wants the first
/// min(m, n) columns independent (else ValueError), and of `complete` with m > n there is none
/// (GradError).
XTAPE_API QAndR qr(const Tensor& x, QrMode mode = QrMode::reduced);

struct LeastSquares {
  Tensor solution;         ///< [..., n, k], or [..., n] where b is a vector
  Tensor residuals;        ///< |a x - b|^2 of each column of b where m > n = all ranks, else empty
  Tensor rank;             ///< int64 of a's batch: how many singular values count
  Tensor singular_values;  ///< descending, [..., min(m, n)]; no gradient
};
/// The x with the least |a x - b|, and where there are many the least of these, for a [..., m, n];
/// b as `solve` takes it, of m rows. Singular values up to rcond * the largest count as 0; a
/// negative rcond stands for max(m, n) epsilon. Matrices of full rank are solved by `qr`, a batch
/// that holds others by `pinv`; the gradient is that for matrices of the same rank. Throws
/// ValueError where a is not finite.
XTAPE_API LeastSquares lstsq(const Tensor& a, const Tensor& b, double rcond = -1);

struct EigenvaluesAndVectors {
  Tensor eigenvalues;   ///< ascending, [..., n]
  Tensor eigenvectors;  ///< orthonormal columns, [..., n, n], each up to its sign
};
/// x = v diag(w) v^T of a symmetric x: its lower triangle alone is read, or its upper one, and its
/// gradient is symmetric. The gradient of the eigenvectors, of which no sign matters, grows as 1 /
/// (w_i - w_j) and throws ValueError where two are equal; that of the eigenvalues is right there,
/// too, for functions that treat the equal ones alike. Throws ValueError where x is not finite.
XTAPE_API EigenvaluesAndVectors eigh(const Tensor& x, bool upper = false);
/// The eigenvalues alone.
XTAPE_API Tensor eigvalsh(const Tensor& x, bool upper = false);

struct SingularValuesAndVectors {
  Tensor u;   ///< orthonormal columns: [..., m, k], k = min(m, n), or [..., m, m]
  Tensor s;   ///< descending, not negative: [..., k]
  Tensor vh;  ///< orthonormal rows: [..., k, n], or [..., n, n]
};
/// x = u diag(s) vh for x [..., m, n]; the signs of a column of u and the row of vh go together.
/// The gradient of the vectors grows as 1 / (s_i^2 - s_j^2) and, unless m = n, as 1 / s_i; it
/// throws ValueError where that divides by 0, and GradError for those that `full_matrices` adds.
/// Throws ValueError where x is not finite.
XTAPE_API SingularValuesAndVectors svd(const Tensor& x, bool full_matrices = false);
/// The singular values alone; gradient u diag(g) vh, also where some are equal or 0.
XTAPE_API Tensor svdvals(const Tensor& x);

/// Singular values up to max(atol, rtol * the largest) count as 0; a negative rtol stands for
/// max(m, n) epsilon, or for 0 where atol > 0.
struct RankOptions {
  double atol = 0;
  double rtol = -1;
  /// x is symmetric: its lower triangle alone is read, by `eigh`, and its gradient is symmetric.
  bool hermitian = false;
};
/// The pseudo-inverse [..., n, m] of x [..., m, n]; the gradient is that for matrices of the same
/// rank.
XTAPE_API Tensor pinv(const Tensor& x, const RankOptions& options = {});
/// How many singular values are not 0, int64; no gradient.
XTAPE_API Tensor matrix_rank(const Tensor& x, const RankOptions& options = {});

/// x x ... x, n factors, by squaring; x^-1 to the power of -n where n < 0 (ValueError where x is
/// singular), and the identity, without a gradient, where n is 0.
XTAPE_API Tensor matrix_power(const Tensor& x, std::int64_t n);
/// The product of two or more matrices, in the order of the least work; the first and the last may
/// be vectors.
XTAPE_API Tensor multi_dot(TensorList tensors);

/// `norm`, under PyTorch's newer name: (sum |x|^ord)^(1/ord).
XTAPE_API Tensor vector_norm(const Tensor& x, double ord = 2, const Shape& dims = {},
                             bool keepdim = false);
enum class MatrixNorm : std::uint8_t {
  fro,  ///< the root of the sum of all squares
  nuc,  ///< the sum of the singular values
};
/// The norm of the matrices in two dimensions.
XTAPE_API Tensor matrix_norm(const Tensor& x, MatrixNorm ord = MatrixNorm::fro,
                             const Shape& dims = {-2, -1}, bool keepdim = false);
/// The largest (smallest where negative) singular value where ord is 2, sum of |x| down a column
/// where it is 1, along a row where it is infinite. Throws ValueError for another ord. Gradient:
/// shared evenly by those that are the largest.
XTAPE_API Tensor matrix_norm(const Tensor& x, double ord, const Shape& dims = {-2, -1},
                             bool keepdim = false);
/// |x| |x^-1| in that norm; for 2 and -2 by the singular values, and x need not be square.
XTAPE_API Tensor cond(const Tensor& x, double ord = 2);
XTAPE_API Tensor cond(const Tensor& x, MatrixNorm ord);

}  // namespace xtape
