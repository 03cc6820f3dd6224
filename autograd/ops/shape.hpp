// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"

// Shapes and layouts. All are views where nothing else is said: they share memory with their input.
// Dimensions may count from the back; a wrong one is an IndexError.
namespace xtape {

/// The same elements in row-major order as another shape; one size may be -1. A view wherever the
/// strides allow it, else a copy. Throws ShapeError where the numbers of elements differ.
XTAPE_API Tensor reshape(const Tensor& x, const Shape& shape);
/// As reshape, but throws ShapeError where a copy would be needed.
XTAPE_API Tensor view(const Tensor& x, const Shape& shape);
/// Joins the dimensions from `start_dim` to `end_dim`.
XTAPE_API Tensor flatten(const Tensor& x, std::int64_t start_dim = 0, std::int64_t end_dim = -1);
/// Splits dimension `dim` into `sizes`, one of which may be -1.
XTAPE_API Tensor unflatten(const Tensor& x, std::int64_t dim, const Shape& sizes);
/// Without the dimensions of size 1.
XTAPE_API Tensor squeeze(const Tensor& x);
/// Without dimension `dim` if its size is 1.
XTAPE_API Tensor squeeze(const Tensor& x, std::int64_t dim);
/// With a new dimension of size 1 at `dim`.
XTAPE_API Tensor unsqueeze(const Tensor& x, std::int64_t dim);
XTAPE_API Tensor transpose(const Tensor& x, std::int64_t dim0, std::int64_t dim1);
XTAPE_API Tensor swapaxes(const Tensor& x, std::int64_t axis0, std::int64_t axis1);
/// Dimension i of the result is dimension dims[i] of x. Throws ShapeError unless `dims` is a
/// permutation.
XTAPE_API Tensor permute(const Tensor& x, const Shape& dims);
/// Dimension source[i] goes to place destination[i]; the others keep their order.
XTAPE_API Tensor movedim(const Tensor& x, const Shape& source, const Shape& destination);
XTAPE_API Tensor movedim(const Tensor& x, std::int64_t source, std::int64_t destination);
/// Broadcast to `shape`; -1 keeps a size. Throws ShapeError where a size other than 1 would change.
XTAPE_API Tensor expand(const Tensor& x, const Shape& shape);
XTAPE_API Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// The elements in reverse order along `dims`.
XTAPE_API Tensor flip(const Tensor& x, const Shape& dims);
/// Turned by k right angles, from the first of two `dims` towards the second.
XTAPE_API Tensor rot90(const Tensor& x, std::int64_t k = 1, const Shape& dims = {0, 1});

}  // namespace xtape
