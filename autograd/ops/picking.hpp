// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "../error.hpp"
#include "../kernels/copy.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"

// What kinds of indexing share; private to ops/.
namespace xtape::detail {

[[noreturn]] inline void out_of_range(const char* operation, std::int64_t index, int dim,
                                      std::int64_t size) {
  throw IndexError(std::string(operation) + ": index " + std::to_string(index) +
                   " is out of range for dimension " + std::to_string(dim) + " of size " +
                   std::to_string(size));
}

inline void check_int64(const char* operation, const Tensor& index) {
  detail::check_defined(operation, index);
  if (index.dtype() != int64) {
    throw DTypeError(std::string(operation) + ": expected an int64 index, got " +
                     index.description());
  }
}

/// Not recorded.
inline Tensor row_major(const Tensor& x) { return x.is_contiguous() ? x : copy_contiguous(x); }

// What basic indexing does to one dimension.
struct Pick {
  std::int64_t start, step, size;
  std::int8_t dim;
  bool drops;  // a number: the dimension goes away
};

template <int N>
struct Picks {
  int count;
  std::array<Pick, N> at;
};

// The layout of what is picked, given that of the whole; returns the offset of its first element.
template <int N>
std::int64_t pick_layout(const Picks<N>& picks, Shape& sizes, Shape& strides) {
  std::int64_t offset = 0;
  for (int k = 0; k < picks.count; ++k) {
    const Pick& p = picks.at[k];
    offset += p.start * strides[p.dim];
    sizes[p.dim] = p.drops ? -1 : p.size;
    strides[p.dim] *= p.step;
  }
  for (int i = sizes.rank() - 1; i >= 0; --i) {
    if (sizes[i] >= 0) continue;
    sizes.erase(i);
    strides.erase(i);
  }
  return sizes.numel() == 0 ? 0 : offset;
}

template <int N>
Tensor spread(const Tensor& g, const Picks<N>& picks, std::span<const std::int64_t> whole);

template <int N>
Tensor pick(const Tensor& x, const Picks<N>& picks) {
  Shape sizes(x.sizes()), strides(x.strides());
  const std::int64_t offset = pick_layout(picks, sizes, strides);
  std::byte* data = x.value()->data + offset * static_cast<std::int64_t>(item_size(x.dtype()));
  Tensor y = make_view(x, data, sizes, strides);
  record("slice", y, {x}, saves(),
         [picks](Backward& t) { t.add(0, spread(t.g(), picks, t.sizes(0))); });
  return y;
}

// Zeros of the shape `whole`, with g where it was picked.
template <int N>
Tensor spread(const Tensor& g, const Picks<N>& picks, std::span<const std::int64_t> whole) {
  Tensor y = zeros(Shape(whole), g.dtype());
  Shape sizes(whole), strides(y.strides());
  const std::int64_t offset = pick_layout(picks, sizes, strides);
  const int bytes = static_cast<int>(item_size(g.dtype()));
  kernels::copy_items(sizes, bytes, y.value()->data + offset * bytes, strides.data(),
                      g.value()->data, g.strides().data());
  record("slice_backward", y, {g}, saves(), [picks](Backward& t) { t.add(0, pick(t.g(), picks)); });
  return y;
}

template <int N>
Picks<N> first_picks(const Picks<Shape::kMaxRank>& picks) {
  Picks<N> p;
  p.count = picks.count;
  std::copy_n(picks.at.begin(), picks.count, p.at.begin());
  return p;
}

inline std::int64_t wrap_index(const char* operation, std::int64_t index, int dim,
                               std::int64_t size) {
  if (index < -size || index >= size) out_of_range(operation, index, dim, size);
  return index < 0 ? index + size : index;
}

}  // namespace xtape::detail
