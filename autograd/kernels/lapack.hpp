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

}  // namespace xtape::kernels
