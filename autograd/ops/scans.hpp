// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"
#include "reductions.hpp"

// Running results along one dimension, of x's shape, and differences.
namespace xtape {

/// Each element minus the one before it along `dim`, n times over: n elements fewer. Throws
/// ValueError for a negative n.
XTAPE_API Tensor diff(const Tensor& x, std::int64_t n = 1, std::int64_t dim = -1);

/// Sums of the elements so far; float32 is summed in float64, integers and booleans give int64.
/// Gradient: the sums of g from the back.
XTAPE_API Tensor cumsum(const Tensor& x, std::int64_t dim);
/// Products of the elements so far. Its gradient is right where elements are 0, too.
XTAPE_API Tensor cumprod(const Tensor& x, std::int64_t dim);
/// The same of x.to(dtype).
inline Tensor cumsum(const Tensor& x, std::int64_t dim, DType dtype) {
  return cumsum(x.to(dtype), dim);
}
inline Tensor cumprod(const Tensor& x, std::int64_t dim, DType dtype) {
  return cumprod(x.to(dtype), dim);
}
/// The largest (smallest) elements so far and where they are: the last of equal ones; NaN from the
/// first one on. Gradient: to those elements.
XTAPE_API ValuesAndIndices cummax(const Tensor& x, std::int64_t dim);
XTAPE_API ValuesAndIndices cummin(const Tensor& x, std::int64_t dim);

namespace detail {

/// y_k = a_k + x_k y_(k-1) along `dim`, from y_(-1) = 0; from the back with `reverse`. a and x are
/// floating, of one shape and dtype. Gradients by the same recurrence in the other direction.
XTAPE_API Tensor linear_scan(const Tensor& a, const Tensor& x, std::int64_t dim,
                             bool reverse = false);

}  // namespace detail
}  // namespace xtape
