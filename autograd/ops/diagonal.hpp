// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"

// Diagonals and triangles of the matrices in two dimensions of a tensor. A positive `offset` lies
// above the main diagonal, a negative one below.
namespace xtape {

/// The diagonal of dimensions `dim1` and `dim2`, as a new last dimension: a view. Throws IndexError
/// where the two are one.
XTAPE_API Tensor diagonal(const Tensor& x, std::int64_t offset = 0, std::int64_t dim1 = 0,
                          std::int64_t dim2 = 1);
/// Zeros with the last dimension of x on the diagonal of the new dimensions `dim1` and `dim2`.
XTAPE_API Tensor diag_embed(const Tensor& x, std::int64_t offset = 0, std::int64_t dim1 = -2,
                            std::int64_t dim2 = -1);
/// x with 0 above (tril) or below (triu) the given diagonal of its last two dimensions.
XTAPE_API Tensor tril(const Tensor& x, std::int64_t diagonal = 0);
XTAPE_API Tensor triu(const Tensor& x, std::int64_t diagonal = 0);

}  // namespace xtape
