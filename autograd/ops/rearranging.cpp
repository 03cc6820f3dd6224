// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <string>

#include "../error.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "joining.hpp"
#include "reductions.hpp"
#include "shape.hpp"

// What is put together from slices and positions.
namespace xtape {

Tensor roll(const Tensor& x, const Shape& shifts, const Shape& dims) {
  detail::check_defined("roll", x);
  if (dims.empty() && shifts.rank() == 1) {
    return roll(x.reshape({-1}), shifts, {0}).reshape(x.shape());
  }
  if (shifts.rank() != dims.rank() || dims.empty()) {
    throw ValueError("roll: expected as many shifts as dims, got " + to_string(shifts) + " and " +
                     to_string(dims));
  }
  Tensor y = x;
  for (int i = 0; i < dims.rank(); ++i) {
    const int dim = detail::wrap_dim("roll", dims[i], x.dim());
    const std::int64_t size = x.dim() == 0 ? 1 : x.sizes()[dim];
    if (size == 0) return x;
    const std::int64_t by = (shifts[i] % size + size) % size;
    if (by == 0) continue;
    y = cat({narrow(y, dim, size - by, by), narrow(y, dim, 0, size - by)}, dim);
  }
  return y;
}

Tensor roll(const Tensor& x, std::int64_t shift) { return roll(x, Shape{shift}, Shape{}); }
Tensor roll(const Tensor& x, std::int64_t shift, std::int64_t dim) {
  return roll(x, Shape{shift}, Shape{dim});
}

Tensor rot90(const Tensor& x, std::int64_t k, const Shape& dims) {
  detail::check_defined("rot90", x);
  if (dims.rank() != 2) throw ValueError("rot90: expected two dims, got " + to_string(dims));
  const int from = detail::wrap_dim("rot90", dims[0], x.dim());
  const int to = detail::wrap_dim("rot90", dims[1], x.dim());
  if (x.dim() < 2 || from == to) {
    throw IndexError("rot90: expected two different dims of shape " + to_string(x.sizes()) +
                     ", got " + to_string(dims));
  }
  switch ((k % 4 + 4) % 4) {
    case 1:
      return transpose(flip(x, {to}), from, to);
    case 2:
      return flip(x, {from, to});
    case 3:
      return transpose(flip(x, {from}), from, to);
    default:
      return x;
  }
}

Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::int64_t dim) {
  detail::check_defined("repeat_interleave", x);
  detail::check_defined("repeat_interleave", repeats);
  const int d = detail::wrap_dim("repeat_interleave", dim, x.dim());
  const Tensor whole = x.dim() == 0 ? x.reshape({1}) : x;
  const std::int64_t size = whole.sizes()[d];
  if (repeats.dtype() != int64) {
    throw DTypeError("repeat_interleave: expected int64 repeats, got " + repeats.description());
  }
  if (repeats.dim() > 1 || (repeats.numel() != 1 && repeats.numel() != size)) {
    throw ShapeError("repeat_interleave: expected 1 or " + std::to_string(size) +
                     " repeats for dimension " + std::to_string(d) + " of shape " +
                     to_string(x.sizes()) + ", got " + repeats.description());
  }
  const Tensor times = detail::copy_contiguous(repeats);
  const std::int64_t* count = times.data<std::int64_t>();
  const bool one = repeats.numel() == 1;
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    const std::int64_t n = count[one ? 0 : i];
    if (n < 0) {
      throw ValueError("repeat_interleave: " + std::to_string(n) + " repeats are negative");
    }
    total += n;
  }
  Tensor places = detail::empty(int64, Shape{total});
  std::int64_t* place = detail::fresh_data<std::int64_t>(places);
  for (std::int64_t i = 0; i < size; ++i) place = std::fill_n(place, count[one ? 0 : i], i);
  return index_select(whole, d, places);
}

Tensor repeat_interleave(const Tensor& x, std::int64_t repeats, std::int64_t dim) {
  return repeat_interleave(x, scalar_tensor(repeats, int64), dim);
}

Tensor repeat_interleave(const Tensor& x, std::int64_t repeats) {
  detail::check_defined("repeat_interleave", x);
  return repeat_interleave(x.reshape({-1}), repeats, 0);
}

std::vector<Tensor> meshgrid(std::span<const Tensor> tensors, MeshIndexing indexing) {
  Shape sizes;
  for (const Tensor& x : tensors) {
    detail::check_defined("meshgrid", x);
    if (x.dim() > 1) {
      throw ShapeError("meshgrid: expected tensors of at most 1 dimension, got " + x.description());
    }
    sizes.push_back(x.numel());
  }
  const bool swap = indexing == MeshIndexing::xy && sizes.rank() >= 2;
  if (swap) std::swap(sizes[0], sizes[1]);
  std::vector<Tensor> grids;
  for (int i = 0; i < sizes.rank(); ++i) {
    Shape shape = Shape::filled(sizes.rank(), 1);
    const int dim = swap && i < 2 ? 1 - i : i;
    shape[dim] = sizes[dim];
    grids.push_back(expand(reshape(tensors[static_cast<std::size_t>(i)], shape), sizes));
  }
  return grids;
}

std::vector<Tensor> meshgrid(std::initializer_list<Tensor> tensors, MeshIndexing indexing) {
  return meshgrid(std::span(tensors.begin(), tensors.size()), indexing);
}

namespace {

// Where position i, outside of [0, size) too, is taken from.
std::int64_t source_of(std::int64_t i, std::int64_t size, PadMode mode) noexcept {
  if (mode == PadMode::replicate) return std::clamp<std::int64_t>(i, 0, size - 1);
  if (mode == PadMode::circular) return (i + size) % size;
  return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
}

}  // namespace

Tensor pad(const Tensor& x, const Shape& padding, PadMode mode) {
  if (mode == PadMode::constant) return pad(x, padding, 0);
  detail::check_defined("pad", x);
  if (padding.rank() % 2 != 0 || padding.rank() / 2 > x.dim()) {
    throw ShapeError("pad: expected {before, after} for at most " + std::to_string(x.dim()) +
                     " dimensions, got " + to_string(padding));
  }
  Tensor y = x;
  for (int k = 0; k < padding.rank() / 2; ++k) {
    const int dim = x.dim() - 1 - k;
    const std::int64_t before = padding[2 * k], after = padding[2 * k + 1], size = x.sizes()[dim];
    // A mirror does not show the edge itself, a circle goes around once.
    const std::int64_t most = mode == PadMode::reflect ? size - 1 : size;
    const bool reaches = mode == PadMode::replicate ? size > 0 : std::max(before, after) <= most;
    if ((before == 0 && after == 0)) continue;
    if (!reaches || size + before + after < 0) {
      throw ShapeError("pad: padding " + to_string(padding) + " is too much for dimension " +
                       std::to_string(dim) + " of shape " + to_string(x.sizes()));
    }
    Tensor places = detail::empty(int64, Shape{size + before + after});
    std::int64_t* place = detail::fresh_data<std::int64_t>(places);
    for (std::int64_t i = -before; i < size + after; ++i) *place++ = source_of(i, size, mode);
    y = index_select(y, dim, places);
  }
  return y;
}

}  // namespace xtape
