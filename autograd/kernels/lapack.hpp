// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"

// Factorisations and the systems they solve, of one dense row-major matrix each, in place. Sizes
// fit an int; nothing is done where one is 0. T: float, double.
namespace xtape::kernels {

/// The lower triangle of a [n, n] becomes L of a = L L^T, what lies above it 0. False where a is
/// not positive definite or holds NaN there.
template <class T>
XTAPE_API bool cholesky(std::int64_t n, T* a);

/// a [n, n] becomes what `lu_solve` takes: L' U' P of a, U' with a unit diagonal (the LU of its
/// transpose, which is how LAPACK sees it). Row i was exchanged with row pivots[i] in turn. A zero
/// on the diagonal of L' says that a is singular.
template <class T>
XTAPE_API void lu(std::int64_t n, T* a, std::int64_t* pivots);

/// b [n, k] becomes a^-1 b, or a^-T b where `transposed`, given what `lu` made of a.
template <class T>
XTAPE_API void lu_solve(bool transposed, std::int64_t n, std::int64_t k, const T* factors,
                        const std::int64_t* pivots, T* b);

/// How a triangular matrix is read and where it stands.
struct Triangle {
  bool upper;               ///< the triangle in memory
  bool left = true;         ///< op(a) x = b, else x op(a) = b
  bool unit = false;        ///< ones on the diagonal, which is not read
  bool transposed = false;  ///< op(a) is a^T
};

/// b [m, n] becomes x; rows of a are `lda` apart.
template <class T>
XTAPE_API void solve_triangular(const Triangle& triangle, std::int64_t m, std::int64_t n,
                                const T* a, std::int64_t lda, T* b);

/// q [m, columns] and r [columns, n] of a = q r, for n <= columns <= m: q orthogonal, r upper
/// triangular. a is overwritten.
template <class T>
XTAPE_API void qr(std::int64_t m, std::int64_t n, std::int64_t columns, T* a, T* q, T* r);

/// Ascending eigenvalues of the symmetric a [n, n], of which the lower triangle is read; a becomes
/// the eigenvectors, row by row, or nothing of use. False where a is not finite, or where the
/// iteration does not converge.
template <class T>
XTAPE_API bool eigh(bool with_vectors, std::int64_t n, T* a, T* values);

enum class SingularVectors { none, some, all };
/// Descending s [k] of a = u diag(s) vh, k = min(m, n); u [m, k] and vh [k, n], or all of them,
/// [m, m] and [n, n]. a is overwritten. False as eigh.
template <class T>
XTAPE_API bool svd(SingularVectors vectors, std::int64_t m, std::int64_t n, T* a, T* s, T* u,
                   T* vh);

}  // namespace xtape::kernels
