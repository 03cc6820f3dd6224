// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"

// Reductions. `dims` may count from the back; an empty list means all dimensions. With `keepdim`
// the reduced dimensions stay, of size 1. A wrong or repeated dimension is an IndexError.
namespace xtape {

/// Sum of the elements; float32 is summed in float64 internally, integers and booleans give int64.
/// Gradient: g, a view.
XTAPE_API Tensor sum(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Mean of the elements, NaN of none; floating tensors only (DTypeError). Gradient: g / count.
XTAPE_API Tensor mean(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// Product of the elements, 1 of none; integers and booleans give int64. Its gradient, the product
/// of the others, is right where elements are 0, too.
XTAPE_API Tensor prod(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// The same of x.to(dtype).
inline Tensor sum(const Tensor& x, const Shape& dims, bool keepdim, DType dtype) {
  return sum(x.to(dtype), dims, keepdim);
}
inline Tensor mean(const Tensor& x, const Shape& dims, bool keepdim, DType dtype) {
  return mean(x.to(dtype), dims, keepdim);
}
inline Tensor prod(const Tensor& x, const Shape& dims, bool keepdim, DType dtype) {
  return prod(x.to(dtype), dims, keepdim);
}
/// The largest element, NaN where there is one; ValueError of none. Gradient: shared evenly by
/// those that are the largest.
XTAPE_API Tensor amax(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// The smallest element; as amax.
XTAPE_API Tensor amin(const Tensor& x, const Shape& dims = {}, bool keepdim = false);

struct ValuesAndIndices {
  Tensor values;
  Tensor indices;  ///< int64
};
/// The largest elements along `dim` and where they are: the first of several, or the first NaN.
/// Gradient: to that element.
XTAPE_API ValuesAndIndices max(const Tensor& x, std::int64_t dim, bool keepdim = false);
XTAPE_API ValuesAndIndices min(const Tensor& x, std::int64_t dim, bool keepdim = false);
/// amax and amin over all dimensions.
XTAPE_API Tensor max(const Tensor& x);
XTAPE_API Tensor min(const Tensor& x);
/// Where the largest (smallest) element is: along `dim`, or in row-major order; int64. The first of
/// several, or the first NaN.
XTAPE_API Tensor argmax(const Tensor& x, std::int64_t dim, bool keepdim = false);
XTAPE_API Tensor argmax(const Tensor& x);
XTAPE_API Tensor argmin(const Tensor& x, std::int64_t dim, bool keepdim = false);
XTAPE_API Tensor argmin(const Tensor& x);

/// sum (x - mean)^2 / (count - correction), in two passes. Gradient: 2 g (x - mean) / (count -
/// correction).
XTAPE_API Tensor var(const Tensor& x, const Shape& dims = {}, std::int64_t correction = 1,
                     bool keepdim = false);
/// The square root of `var`; gradient 0 where it is 0.
XTAPE_API Tensor std(const Tensor& x, const Shape& dims = {}, std::int64_t correction = 1,
                     bool keepdim = false);
struct VarianceAndMean {
  Tensor var, mean;
};
struct DeviationAndMean {
  Tensor std, mean;
};
/// `var`, or `std`, and the mean.
XTAPE_API VarianceAndMean var_mean(const Tensor& x, const Shape& dims = {},
                                   std::int64_t correction = 1, bool keepdim = false);
XTAPE_API DeviationAndMean std_mean(const Tensor& x, const Shape& dims = {},
                                    std::int64_t correction = 1, bool keepdim = false);
/// log(sum e^x) without overflow, -inf of none. Gradient: g e^(x - y), 0 where all are -inf.
XTAPE_API Tensor logsumexp(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// (sum |x|^p)^(1/p); p = 0 counts what is not 0, an infinite p gives the largest (smallest) |x|.
/// The gradient, g sign(x) (|x| / y)^(p-1), is 0 where x is 0.
XTAPE_API Tensor norm(const Tensor& x, double p = 2, const Shape& dims = {}, bool keepdim = false);

/// True where no element is 0 (all) or not every one is (any); boolean, no gradient.
XTAPE_API Tensor all(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
XTAPE_API Tensor any(const Tensor& x, const Shape& dims = {}, bool keepdim = false);
/// How many elements are not 0, int64.
XTAPE_API Tensor count_nonzero(const Tensor& x, const Shape& dims = {});

namespace detail {

/// The gradient of a broadcast: `x` summed down to `shape`. Recorded. Throws ShapeError unless
/// `shape` broadcasts to that of `x`.
XTAPE_API Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace detail
}  // namespace xtape
