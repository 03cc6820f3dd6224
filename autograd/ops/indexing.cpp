// SPDX-License-Identifier: BSD-3-Clause
#include "indexing.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "../kernels/copy.hpp"
#include "../kernels/index.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

int indexed_dim(const char* operation, const Tensor& x, std::int64_t dim) {
  detail::check_defined(operation, x);
  if (x.dim() == 0) {
    throw IndexError(std::string(operation) + ": a tensor of 0 dimensions has none to index");
  }
  return detail::wrap_dim(operation, dim, x.dim());
}

[[noreturn]] void out_of_range(const char* operation, std::int64_t index, int dim,
                               std::int64_t size) {
  throw IndexError(std::string(operation) + ": index " + std::to_string(index) +
                   " is out of range for dimension " + std::to_string(dim) + " of size " +
                   std::to_string(size));
}

const std::int64_t* checked_positions(const char* operation, const Tensor& index, int dim,
                                      std::int64_t size) {
  const std::int64_t* positions = index.data<std::int64_t>();
  const std::int64_t bad = kernels::find_out_of_range(positions, index.numel(), size);
  if (bad >= 0) out_of_range(operation, positions[bad], dim, size);
  return positions;
}

void check_int64(const char* operation, const Tensor& index) {
  detail::check_defined(operation, index);
  if (index.dtype() != int64) {
    throw DTypeError(std::string(operation) + ": expected an int64 index, got " +
                     index.description());
  }
}

Tensor dense(const Tensor& x) { return x.is_contiguous() ? x : detail::copy_contiguous(x); }

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
  Tensor y = detail::make_view(x, data, sizes, strides);
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

std::int64_t wrap_index(const char* operation, std::int64_t index, int dim, std::int64_t size) {
  if (index < -size || index >= size) out_of_range(operation, index, dim, size);
  return index < 0 ? index + size : index;
}

}  // namespace

Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index) {
  const int d = indexed_dim("select", x, dim);
  const std::int64_t at = wrap_index("select", index, d, x.sizes()[d]);
  return pick(x, Picks<1>{1, {{{at, 1, 1, static_cast<std::int8_t>(d), true}}}});
}

Tensor narrow(const Tensor& x, std::int64_t dim, std::int64_t start, std::int64_t length) {
  const int d = indexed_dim("narrow", x, dim);
  const std::int64_t size = x.sizes()[d];
  const std::int64_t from = start < 0 ? start + size : start;
  if (from < 0 || from > size || length < 0 || length > size - from) {
    throw IndexError("narrow: start " + std::to_string(start) + " with length " +
                     std::to_string(length) + " is out of range for dimension " +
                     std::to_string(d) + " of size " + std::to_string(size));
  }
  if (length == size) return x;
  return pick(x, Picks<1>{1, {{{from, 1, length, static_cast<std::int8_t>(d), false}}}});
}

Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index) {
  const int d = indexed_dim("index_select", x, dim);
  check_int64("index_select", index);
  if (index.dim() > 1) {
    throw ShapeError("index_select: expected a 1-d index, got shape " + to_string(index.sizes()));
  }
  const Tensor rows = dense(index);
  const std::int64_t size = x.sizes()[d], count = rows.numel();
  const std::int64_t* positions = checked_positions("index_select", rows, d, size);
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < x.dim(); ++i) (i < d ? outer : inner) *= i == d ? 1 : x.sizes()[i];
  Shape sizes = x.shape();
  sizes[d] = count;
  Tensor y = detail::empty(x.dtype(), sizes);
  const Tensor from = dense(x);
  kernels::take_slices(static_cast<int>(item_size(x.dtype())), outer, count, size, inner,
                       y.value()->data, from.value()->data, positions);
  record("index_select", y, {x}, saves(index), [d](Backward& t) {
    t.add(0, index_add(zeros(Shape(t.sizes(0)), t.g().dtype()), d, t.saved(0), t.g()));
  });
  return y;
}

Tensor index_add(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& source) {
  const int d = indexed_dim("index_add", x, dim);
  check_int64("index_add", index);
  detail::check_defined("index_add", source);
  if (source.dtype() != x.dtype()) {
    throw DTypeError("index_add: expected a source of the dtype of " + x.description() + ", got " +
                     source.description());
  }
  Shape expected = x.shape();
  expected[d] = index.numel();
  if (index.dim() > 1 || source.shape() != expected) {
    throw ShapeError("index_add: x " + to_string(x.sizes()) + " at " + to_string(index.sizes()) +
                     " positions of dimension " + std::to_string(d) + " takes a source of shape " +
                     to_string(expected) + ", got " + to_string(source.sizes()));
  }
  const Tensor rows = dense(index), from = dense(source);
  const std::int64_t size = x.sizes()[d];
  const std::int64_t* positions = checked_positions("index_add", rows, d, size);
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < x.dim(); ++i) (i < d ? outer : inner) *= i == d ? 1 : x.sizes()[i];
  Tensor y = detail::copy_contiguous(x);
  kernels::add_slices(x.dtype(), outer, rows.numel(), size, inner, y.value()->data,
                      from.value()->data, positions);
  record("index_add", y, {x, source}, saves(index), [d](Backward& t) {
    if (t.needs(0)) t.add(0, t.g());
    if (t.needs(1)) t.add(1, index_select(t.g(), d, t.saved(0)));
  });
  return y;
}

namespace {

// Checks `index` of gather and scatter_add against x's shape, and says how the kernel sees them.
kernels::ElementIndex element_index(const char* operation, const Tensor& x, int dim,
                                    const Tensor& index, const Tensor& elements) {
  const std::int64_t* positions = checked_positions(operation, index, dim, x.sizes()[dim]);
  return {index.sizes(), dim, positions, x.strides().data(), elements.strides().data()};
}

int element_dim(const char* operation, const Tensor& x, std::int64_t dim, const Tensor& index) {
  const int d = indexed_dim(operation, x, dim);
  check_int64(operation, index);
  bool fits = index.dim() == x.dim();
  for (int i = 0; fits && i < x.dim(); ++i) fits = i == d || index.sizes()[i] <= x.sizes()[i];
  if (!fits) {
    throw ShapeError(std::string(operation) + ": an index of shape " + to_string(index.sizes()) +
                     " does not fit x of shape " + to_string(x.sizes()) + " along dimension " +
                     std::to_string(d));
  }
  return d;
}

}  // namespace

Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& index) {
  const int d = element_dim("gather", x, dim, index);
  Tensor y = detail::empty(x.dtype(), index.sizes());
  const Tensor at = dense(index);
  const auto elements = element_index("gather", x, d, at, y);
  if (y.numel() > 0) {
    kernels::gather_elements(elements, static_cast<int>(item_size(x.dtype())), y.value()->data,
                             x.value()->data);
  }
  record("gather", y, {x}, saves(index), [d](Backward& t) {
    t.add(0, scatter_add(zeros(Shape(t.sizes(0)), t.g().dtype()), d, t.saved(0), t.g()));
  });
  return y;
}

Tensor scatter_add(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& source) {
  const int d = element_dim("scatter_add", x, dim, index);
  detail::check_defined("scatter_add", source);
  if (source.dtype() != x.dtype()) {
    throw DTypeError("scatter_add: expected a source of the dtype of " + x.description() +
                     ", got " + source.description());
  }
  if (source.shape() != index.shape()) {
    throw ShapeError("scatter_add: expected a source of the index's shape " +
                     to_string(index.sizes()) + ", got " + to_string(source.sizes()));
  }
  Tensor y = detail::copy_contiguous(x);
  const Tensor at = dense(index);
  const auto elements = element_index("scatter_add", y, d, at, source);
  if (source.numel() > 0) {
    kernels::scatter_add_elements(elements, x.dtype(), y.value()->data, source.value()->data);
  }
  record("scatter_add", y, {x, source}, saves(index), [d](Backward& t) {
    if (t.needs(0)) t.add(0, t.g());
    if (t.needs(1)) t.add(1, gather(t.g(), d, t.saved(0)));
  });
  return y;
}

Tensor take_along_dim(const Tensor& x, const Tensor& index, std::int64_t dim) {
  const int d = indexed_dim("take_along_dim", x, dim);
  check_int64("take_along_dim", index);
  if (index.dim() != x.dim()) {
    throw ShapeError("take_along_dim: expected as many dimensions in x " + to_string(x.sizes()) +
                     " and index " + to_string(index.sizes()));
  }
  Shape of_x = x.shape(), of_index = index.shape();
  of_x[d] = of_index[d] = 1;
  const Shape common = detail::broadcast("take_along_dim", of_x, of_index);
  of_x = of_index = common;
  of_x[d] = x.sizes()[d];
  of_index[d] = index.sizes()[d];
  return gather(expand(x, of_x), d, expand(index, of_index));
}

Tensor one_hot(const Tensor& index, std::int64_t num_classes) {
  check_int64("one_hot", index);
  const Tensor at = dense(index);
  const std::int64_t* label = at.data<std::int64_t>();
  if (num_classes == -1) {
    if (at.numel() == 0) throw ValueError("one_hot: no index to count the classes by");
    num_classes = *std::max_element(label, label + at.numel()) + 1;
  }
  const std::int64_t bad = kernels::find_out_of_range(label, at.numel(), num_classes);
  if (num_classes < 0 || bad >= 0) {
    throw IndexError("one_hot: index " + std::to_string(bad >= 0 ? label[bad] : 0) +
                     " is out of range for " + std::to_string(num_classes) + " classes");
  }
  Shape sizes = index.shape();
  sizes.push_back(num_classes);
  Tensor y = zeros(sizes, int64);
  std::int64_t* out = detail::fresh_data<std::int64_t>(y);
  for (std::int64_t i = 0; i < at.numel(); ++i) out[i * num_classes + label[i]] = 1;
  return y;
}

namespace {

// One index tensor and the dimension it belongs to.
using Positions = std::vector<std::pair<int, Tensor>>;

// x[..., p, q, ...] for tensors p, q of positions: they broadcast to one shape, which takes the
// place of their dimensions (the front where these are apart).
Tensor index_by_tensors(Tensor x, const Positions& indices) {
  Shape shape = indices.front().second.shape();
  for (const auto& [dim, index] : indices) {
    shape = detail::broadcast("index", shape, index.sizes());
  }
  Tensor rows = zeros({shape.numel()}, int64);
  std::int64_t* row = detail::fresh_data<std::int64_t>(rows);
  std::int64_t size = 1;
  for (const auto& [dim, index] : indices) {
    const std::int64_t n = x.sizes()[dim];
    const Tensor at = dense(expand(index, shape));
    const std::int64_t* position = at.data<std::int64_t>();
    for (std::int64_t i = 0; i < at.numel(); ++i) {
      row[i] = row[i] * n + wrap_index("index", position[i], dim, n);
    }
    size *= n;
  }
  const int first = indices.front().first;
  const int count = static_cast<int>(indices.size());
  const bool together = indices.back().first - first == count - 1;
  const int place = together ? first : 0;
  if (!together) {
    Shape source, target;
    for (const auto& [dim, index] : indices) {
      target.push_back(source.rank());
      source.push_back(dim);
    }
    x = movedim(x, source, target);
  }
  Shape joined, result;
  for (int i = 0; i < x.dim(); ++i) {
    if (i == place) {
      joined.push_back(size);
      for (const std::int64_t s : shape) result.push_back(s);
    }
    if (i >= place && i < place + count) continue;
    joined.push_back(x.sizes()[i]);
    result.push_back(x.sizes()[i]);
  }
  return reshape(index_select(reshape(x, joined), place, rows), result);
}

void check_index_count(const Tensor& x, std::initializer_list<Index> indices, int& whole) {
  int used = 0, ellipses = 0;
  for (const Index& index : indices) {
    switch (index.kind()) {
      case Index::Kind::new_dim:
        break;
      case Index::Kind::rest:
        ++ellipses;
        break;
      case Index::Kind::tensor:
        detail::check_defined("index", index.tensor());
        if (index.tensor().dtype() != boolean) check_int64("index", index.tensor());
        if (index.tensor().dtype() == boolean && index.tensor().dim() == 0) {
          throw IndexError("index: a mask needs at least one dimension");
        }
        used += index.tensor().dtype() == boolean ? index.tensor().dim() : 1;
        break;
      default:
        ++used;
    }
  }
  if (ellipses > 1) throw IndexError("index: more than one ellipsis");
  if (used > x.dim()) {
    throw IndexError("index: " + std::to_string(used) + " indices for shape " +
                     to_string(x.sizes()));
  }
  whole = x.dim() - used;
}

Pick slice_pick(const Slice& s, int dim, std::int64_t size) {
  if (s.step == 0) throw ValueError("index: the step of a slice must not be 0");
  const std::int64_t low = s.step > 0 ? 0 : -1, high = s.step > 0 ? size : size - 1;
  const auto clamped = [&](const Slice::Bound& b, std::int64_t open) {
    if (!b.given) return open;
    return std::clamp(b.position < 0 ? b.position + size : b.position, low, high);
  };
  const std::int64_t start = clamped(s.start, s.step > 0 ? low : high);
  const std::int64_t stop = clamped(s.stop, s.step > 0 ? high : low);
  const std::int64_t span = s.step > 0 ? stop - start : start - stop;
  const std::int64_t step = s.step > 0 ? s.step : -s.step;
  const std::int64_t count = span <= 0 ? 0 : (span - 1) / step + 1;
  return {count > 0 ? start : 0, s.step, count, static_cast<std::int8_t>(dim), false};
}

Tensor pick_any(const Tensor& x, const Picks<Shape::kMaxRank>& picks) {
  if (picks.count == 0) return x;
  if (picks.count == 1) return pick(x, first_picks<1>(picks));
  if (picks.count <= 4) return pick(x, first_picks<4>(picks));
  return pick(x, picks);
}

Tensor indexed(const Tensor& x, std::initializer_list<Index> indices) {
  detail::check_defined("index", x);
  int whole = 0;
  check_index_count(x, indices, whole);
  Picks<Shape::kMaxRank> picks;
  picks.count = 0;
  Shape inserted;       // where new dimensions go, in the result before index tensors act
  Positions positions;  // by dimensions of that result
  int dim = 0, place = 0;
  for (const Index& index : indices) {
    switch (index.kind()) {
      case Index::Kind::number: {
        const std::int64_t at = wrap_index("index", index.number(), dim, x.sizes()[dim]);
        picks.at[picks.count++] = {at, 1, 1, static_cast<std::int8_t>(dim++), true};
        break;
      }
      case Index::Kind::range: {
        const Pick p = slice_pick(index.range(), dim, x.sizes()[dim]);
        if (p.step != 1 || p.size != x.sizes()[dim]) picks.at[picks.count++] = p;
        ++dim;
        ++place;
        break;
      }
      case Index::Kind::new_dim:
        inserted.push_back(place++);
        break;
      case Index::Kind::rest:
        dim += whole;
        place += whole;
        break;
      case Index::Kind::tensor: {
        const Tensor& t = index.tensor();
        if (t.dtype() == int64) {
          positions.emplace_back(place++, t);
          ++dim;
          break;
        }
        for (int i = 0; i < t.dim(); ++i) {
          if (t.sizes()[i] == x.sizes()[dim + i]) continue;
          throw IndexError("index: a mask of shape " + to_string(t.sizes()) +
                           " does not fit the dimensions from " + std::to_string(dim) +
                           " on of shape " + to_string(x.sizes()));
        }
        const Tensor at = nonzero(t);
        for (int i = 0; i < t.dim(); ++i) positions.emplace_back(place++, select(at, 1, i));
        dim += t.dim();
        break;
      }
    }
  }
  Tensor y = pick_any(x, picks);
  for (const std::int64_t at : inserted) y = unsqueeze(y, at);
  return positions.empty() ? y : index_by_tensors(y, positions);
}

}  // namespace

Tensor Tensor::operator[](std::int64_t i) const { return select(*this, 0, i); }
Tensor Tensor::operator[](std::initializer_list<Index> indices) const {
  return indexed(*this, indices);
}

}  // namespace xtape
