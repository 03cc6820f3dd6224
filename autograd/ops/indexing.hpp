// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>

#include "../export.hpp"
#include "../tensor.hpp"

namespace xtape {

/// A new dimension of size 1, or an end of a slice that is left open.
struct None {};
inline constexpr None none{};
/// As many whole dimensions as are left.
struct Ellipsis {};
inline constexpr Ellipsis ellipsis{};

/// From `start` up to `stop`, without it, by steps of `step`; ends are clamped as in Python.
struct Slice {
  /// An end of a slice: a position, counted from the back where negative, or `none`.
  struct Bound {
    Bound(None) noexcept {}
    template <std::integral T>
    Bound(T at) noexcept : position(static_cast<std::int64_t>(at)), given(true) {}
    std::int64_t position = 0;
    bool given = false;
  };
  Bound start, stop;
  std::int64_t step;
};

/// slice(2, 5), slice(none, -1), slice(3) (from 3 on), slice(none, none, -1) (reversed).
inline Slice slice(Slice::Bound start = none, Slice::Bound stop = none, std::int64_t step = 1) {
  return {start, stop, step};
}

/// One entry of x[{...}]: a number, a slice, `none`, `ellipsis`, a tensor of int64 positions or a
/// boolean mask.
class XTAPE_API Index {
 public:
  enum class Kind { number, range, new_dim, rest, tensor };

  template <std::integral T>
  Index(T number) noexcept : kind_(Kind::number), number_(static_cast<std::int64_t>(number)) {}
  Index(Slice s) noexcept : kind_(Kind::range), slice_(s) {}
  Index(None) noexcept : kind_(Kind::new_dim) {}
  Index(Ellipsis) noexcept : kind_(Kind::rest) {}
  Index(const Tensor& positions) : kind_(Kind::tensor), tensor_(positions) {}

  Kind kind() const noexcept { return kind_; }
  std::int64_t number() const noexcept { return number_; }
  const Slice& range() const noexcept { return slice_; }
  const Tensor& tensor() const noexcept { return tensor_; }

 private:
  Kind kind_;
  std::int64_t number_ = 0;
  Slice slice_ = slice();
  Tensor tensor_;
};

// Positions are checked before anything is done; one out of range is an IndexError that names the
// dimension, the position and the size. What reads elements gives each its gradient back, added up
// where it was read several times; what writes some gives g to `x` where it is left as it was, and
// to what was written where that counts. Positions, masks and numbers have no gradient.

/// x at one position of `dim`, without that dimension: a view.
XTAPE_API Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index);
/// `length` positions of `dim` from `start` on: a view.
XTAPE_API Tensor narrow(const Tensor& x, std::int64_t dim, std::int64_t start, std::int64_t length);
/// The given positions of `dim`, in their order; `index` is 1-d int64.
XTAPE_API Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index);
/// x plus the slices of alpha `source` along `dim`, each added at the position that `index` gives
/// it.
XTAPE_API Tensor index_add(const Tensor& x, std::int64_t dim, const Tensor& index,
                           const Tensor& source, Scalar alpha = 1);
/// x with these slices there; where positions occur several times the last slice counts.
XTAPE_API Tensor index_copy(const Tensor& x, std::int64_t dim, const Tensor& index,
                            const Tensor& source);
/// x with `value` at these positions of `dim`.
XTAPE_API Tensor index_fill(const Tensor& x, std::int64_t dim, const Tensor& index, Scalar value);
/// y[i][j][k] = x[i][index[i][j][k]][k] for dim = 1, and so on; y has the shape of `index`, which
/// nowhere beside `dim` is larger than x.
XTAPE_API Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index);
/// x plus the elements of `source`, added at [i][index[i][j][k]][k] for dim = 1, and so on.
XTAPE_API Tensor scatter_add(const Tensor& x, std::int64_t dim, const Tensor& index,
                             const Tensor& source);
/// x with the elements of `source` at [i][index[i][j][k]][k] for dim = 1, and so on; where
/// positions occur several times the last element counts.
XTAPE_API Tensor scatter(const Tensor& x, std::int64_t dim, const Tensor& index,
                         const Tensor& source);
XTAPE_API Tensor scatter(const Tensor& x, std::int64_t dim, const Tensor& index, Scalar value);
/// The elements at these positions in row-major order; of the shape of `index`.
XTAPE_API Tensor take(const Tensor& x, const Tensor& index);
/// x with the elements of `source`, of the shape of `index`, at these positions in row-major order:
/// the last one counts, or all are added with `accumulate`. Gradient: to the elements that count.
XTAPE_API Tensor put(const Tensor& x, const Tensor& index, const Tensor& source,
                     bool accumulate = false);
/// x with `values`, broadcast and converted, at x[{...}]; as put. In place: Tensor::index_put_.
XTAPE_API Tensor index_put(const Tensor& x, std::initializer_list<Index> indices,
                           const Tensor& values, bool accumulate = false);
/// gather with x and `index` broadcast to each other beside `dim`: fits what argmax(..., keepdim)
/// gives.
XTAPE_API Tensor take_along_dim(const Tensor& x, const Tensor& index, std::int64_t dim);
/// x with `value` where the boolean `mask` holds; both broadcast.
XTAPE_API Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value);
/// The elements of x where the boolean `mask` holds, 1-d; both broadcast.
XTAPE_API Tensor masked_select(const Tensor& x, const Tensor& mask);
/// The positions of the elements that are not 0: int64 [count, x.dim()], row-major. No gradient.
XTAPE_API Tensor nonzero(const Tensor& x);
/// int64 [..., num_classes] with a 1 at the position that `index` gives; -1 counts the classes.
XTAPE_API Tensor one_hot(const Tensor& index, std::int64_t num_classes = -1);

}  // namespace xtape
