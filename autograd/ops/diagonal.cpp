// SPDX-License-Identifier: BSD-3-Clause
#include "diagonal.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>

#include "../error.hpp"
#include "../kernels/copy.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"

namespace xtape {
namespace {

struct Diagonal {
  std::int64_t offset;
  int row, column;  // dimensions
};

Diagonal checked(const char* operation, int rank, std::int64_t offset, std::int64_t dim1,
                 std::int64_t dim2) {
  const Diagonal d{offset, detail::wrap_dim(operation, dim1, rank),
                   detail::wrap_dim(operation, dim2, rank)};
  if (rank < 2 || d.row == d.column) {
    throw IndexError(std::string(operation) + ": dimensions " + std::to_string(dim1) + " and " +
                     std::to_string(dim2) + " of " + std::to_string(rank) +
                     " must be two different ones");
  }
  return d;
}

// The layout of the diagonal, given that of the whole; returns the offset of its first element.
std::int64_t diagonal_layout(const Diagonal& d, Shape& sizes, Shape& strides) {
  const std::int64_t down = std::max<std::int64_t>(-d.offset, 0);
  const std::int64_t right = std::max<std::int64_t>(d.offset, 0);
  const std::int64_t length =
      std::max<std::int64_t>(std::min(sizes[d.row] - down, sizes[d.column] - right), 0);
  const std::int64_t first = down * strides[d.row] + right * strides[d.column];
  const std::int64_t step = strides[d.row] + strides[d.column];
  for (const int i : {std::max(d.row, d.column), std::min(d.row, d.column)}) {
    sizes.erase(i);
    strides.erase(i);
  }
  sizes.push_back(length);
  strides.push_back(step);
  return sizes.numel() == 0 ? 0 : first;
}

Tensor embed(const Tensor& x, const Shape& whole, const Diagonal& d);

Tensor take(const Tensor& x, const Diagonal& d) {
  Shape sizes(x.sizes()), strides(x.strides());
  const std::int64_t first = diagonal_layout(d, sizes, strides);
  std::byte* data = x.value()->data + first * static_cast<std::int64_t>(item_size(x.dtype()));
  Tensor y = detail::make_view(x, data, sizes, strides);
  record("diagonal", y, {x}, saves(),
         [d](Backward& t) { t.add(0, embed(t.g(), Shape(t.sizes(0)), d)); });
  return y;
}

// Zeros of the shape `whole` with x on the diagonal.
Tensor embed(const Tensor& x, const Shape& whole, const Diagonal& d) {
  Tensor y = zeros(whole, x.dtype());
  Shape sizes = whole, strides(y.strides());
  const std::int64_t first = diagonal_layout(d, sizes, strides);
  const int bytes = static_cast<int>(item_size(x.dtype()));
  kernels::copy_items(sizes, bytes, y.value()->data + first * bytes, strides.data(),
                      x.value()->data, x.strides().data());
  record("diag_embed", y, {x}, saves(), [d](Backward& t) { t.add(0, take(t.g(), d)); });
  return y;
}

// x where column - row lies in [low, high], 0 elsewhere.
Tensor band(const char* operation, const Tensor& x, std::int64_t low, std::int64_t high) {
  detail::check_defined(operation, x);
  if (x.dim() < 2) {
    throw ShapeError(std::string(operation) + ": expected at least 2 dimensions, got " +
                     to_string(x.sizes()));
  }
  const std::int64_t rows = x.size(-2), columns = x.size(-1);
  Tensor kept = detail::empty(boolean, Shape{rows, columns});
  bool* keep = detail::fresh_data<bool>(kept);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) *keep++ = j - i >= low && j - i <= high;
  }
  return where(kept, x, scalar_tensor(0, x.dtype()));
}

}  // namespace

Tensor diagonal(const Tensor& x, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  detail::check_defined("diagonal", x);
  return take(x, checked("diagonal", x.dim(), offset, dim1, dim2));
}

Tensor diag_embed(const Tensor& x, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  detail::check_defined("diag_embed", x);
  if (x.dim() == 0) throw ShapeError("diag_embed: expected at least one dimension, got shape []");
  const Diagonal d = checked("diag_embed", x.dim() + 1, offset, dim1, dim2);
  Shape sizes(x.sizes().first(x.sizes().size() - 1));
  const std::int64_t size = x.size(-1) + std::abs(offset);
  sizes.insert(std::min(d.row, d.column), size);
  sizes.insert(std::max(d.row, d.column), size);
  return embed(x, sizes, d);
}

Tensor tril(const Tensor& x, std::int64_t diagonal) {
  return band("tril", x, std::numeric_limits<std::int64_t>::min(), diagonal);
}

Tensor triu(const Tensor& x, std::int64_t diagonal) {
  return band("triu", x, diagonal, std::numeric_limits<std::int64_t>::max());
}

}  // namespace xtape
