// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"
#include "reductions.hpp"

// Order along a dimension. NaN is greater than every number; equal elements keep their order.
// Gradients go to the elements that were chosen.
namespace xtape {

/// The elements in ascending or descending order and where they come from.
XTAPE_API ValuesAndIndices sort(const Tensor& x, std::int64_t dim = -1, bool descending = false);
/// The indices alone.
XTAPE_API Tensor argsort(const Tensor& x, std::int64_t dim = -1, bool descending = false);
/// The k largest (or smallest) elements and where they are; in their order, unless `sorted` is
/// false. Throws ValueError for a k that is negative or greater than the size.
XTAPE_API ValuesAndIndices topk(const Tensor& x, std::int64_t k, std::int64_t dim = -1,
                                bool largest = true, bool sorted = true);

/// The k-th smallest element, counted from 1, and where it is. Throws ValueError for another k.
XTAPE_API ValuesAndIndices kthvalue(const Tensor& x, std::int64_t k, std::int64_t dim = -1,
                                    bool keepdim = false);
/// The middle element, the lower one of two; NaN where there is one. Gradient over all dimensions:
/// shared evenly by those equal to it.
XTAPE_API Tensor median(const Tensor& x);
XTAPE_API ValuesAndIndices median(const Tensor& x, std::int64_t dim, bool keepdim = false);

/// What a quantile between two elements is.
enum class Interpolation : std::uint8_t { linear, lower, higher, midpoint, nearest };
/// The q-quantile, 0 <= q <= 1 (ValueError), over all elements or along `dim`; NaN where there is
/// one. Floating tensors only (DTypeError).
XTAPE_API Tensor quantile(const Tensor& x, double q,
                          Interpolation interpolation = Interpolation::linear);
XTAPE_API Tensor quantile(const Tensor& x, double q, std::int64_t dim, bool keepdim = false,
                          Interpolation interpolation = Interpolation::linear);
/// For each element of the 1-d q, stacked in a new first dimension. q gets no gradient.
XTAPE_API Tensor quantile(const Tensor& x, const Tensor& q, std::int64_t dim, bool keepdim = false,
                          Interpolation interpolation = Interpolation::linear);

struct UniqueValues {
  Tensor values;   ///< 1-d, or the slices along `dim`
  Tensor inverse;  ///< int64 of x's shape, or 1-d: where each of x is in `values`
  Tensor counts;   ///< int64: how often each value occurs
};
/// The different elements of x, ascending; each NaN counts by itself. No gradient.
XTAPE_API UniqueValues unique(const Tensor& x);
/// The different slices along `dim`, in the order of their first elements that differ.
XTAPE_API UniqueValues unique(const Tensor& x, std::int64_t dim);
UniqueValues unique(const Tensor& x, std::same_as<bool> auto sorted) = delete;  ///< always sorted
/// The elements, or slices along `dim`, that differ from the one before them, in their order.
XTAPE_API UniqueValues unique_consecutive(const Tensor& x);
XTAPE_API UniqueValues unique_consecutive(const Tensor& x, std::int64_t dim);

/// Where `values` would go into the ascending `sorted_sequence`, before equal elements or after
/// them with `right`; int64. 1-d, or of the same leading dimensions as `values` (ShapeError). For a
/// sequence in another order, `sorter` is its argsort.
XTAPE_API Tensor searchsorted(const Tensor& sorted_sequence, const Tensor& values,
                              bool right = false, const Tensor& sorter = {});
XTAPE_API Tensor searchsorted(const Tensor& sorted_sequence, Scalar value, bool right = false);
/// The same, its arguments in the other order, for 1-d `boundaries`.
XTAPE_API Tensor bucketize(const Tensor& x, const Tensor& boundaries, bool right = false);
/// How often 0, 1, ... occur in the 1-d x of whole numbers, int64; with `weights`, the sums of
/// these, differentiable. At least `minlength` elements. Throws ValueError on a negative number.
XTAPE_API Tensor bincount(const Tensor& x, const Tensor& weights = {}, std::int64_t minlength = 0);

}  // namespace xtape
