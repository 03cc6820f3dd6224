// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "../kernels/index.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "picking.hpp"
#include "shape.hpp"

// x[{...}], read and written.
namespace xtape {
namespace {

using detail::check_int64;
using detail::first_picks;
using detail::Pick;
using detail::pick;
using detail::pick_layout;
using detail::Picks;
using detail::row_major;
using detail::wrap_index;

// One index tensor and the dimension it belongs to.
using Positions = std::vector<std::pair<int, Tensor>>;

bool are_together(const Positions& indices) noexcept {
  return indices.back().first - indices.front().first == static_cast<int>(indices.size()) - 1;
}

// Where the dimensions of the index tensors go in the result.
int place_of(const Positions& indices) noexcept {
  return are_together(indices) ? indices.front().first : 0;
}

bool is_indexed(const Positions& indices, int dim) noexcept {
  return std::any_of(indices.begin(), indices.end(),
                     [dim](const auto& entry) { return entry.first == dim; });
}

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
    const Tensor at = row_major(expand(index, shape));
    const std::int64_t* position = at.data<std::int64_t>();
    for (std::int64_t i = 0; i < at.numel(); ++i) {
      row[i] = row[i] * n + wrap_index("index", position[i], dim, n);
    }
    size *= n;
  }
  const int count = static_cast<int>(indices.size());
  const int place = place_of(indices);
  if (!are_together(indices)) {
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

// What x[{...}] says, taken apart.
struct Subscript {
  Picks<Shape::kMaxRank> picks{};
  Shape inserted;       // where new dimensions go, in the result before index tensors act
  Positions positions;  // by dimensions of that result
};

Subscript parse(const Tensor& x, std::initializer_list<Index> indices) {
  detail::check_defined("index", x);
  int whole = 0;
  check_index_count(x, indices, whole);
  Subscript s;
  auto& [picks, inserted, positions] = s;
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
  return s;
}

Tensor indexed(const Tensor& x, std::initializer_list<Index> indices) {
  const Subscript s = parse(x, indices);
  Tensor y = pick_any(x, s.picks);
  for (const std::int64_t at : s.inserted) y = unsqueeze(y, at);
  return s.positions.empty() ? y : index_by_tensors(y, s.positions);
}

// 0, step, 2 step, ... along dimension `dim` of `rank`.
Tensor steps_along(std::int64_t size, std::int64_t step, int dim, int rank) {
  Shape shape = Shape::filled(rank, 1);
  shape[dim] = size;
  return mul(arange(size), step).reshape(shape);
}

// Where the elements of x[{...}] lie, in a layout of x with these strides: int64, of the shape that
// x[{...}] has.
Tensor offsets(const Tensor& x, const Subscript& s, std::span<const std::int64_t> layout) {
  Shape sizes(x.sizes()), strides(layout);
  const std::int64_t first = pick_layout(s.picks, sizes, strides);
  for (const std::int64_t at : s.inserted) {
    sizes.insert(static_cast<int>(at), 1);
    strides.insert(static_cast<int>(at), 0);
  }
  const int count = static_cast<int>(s.positions.size());
  Shape common;
  for (const auto& [dim, index] : s.positions) {
    common = detail::broadcast("index", common, index.sizes());
  }
  const int place = count == 0 ? 0 : place_of(s.positions);
  const int rank = sizes.rank() - count + common.rank();
  Tensor y = scalar_tensor(first, int64);
  for (int i = 0, to = 0; i < sizes.rank(); ++i) {
    if (is_indexed(s.positions, i)) continue;
    if (count > 0 && to == place) to += common.rank();
    y = add(y, steps_along(sizes[i], strides[i], to++, rank));
  }
  for (const auto& [dim, index] : s.positions) {
    Shape shape = Shape::filled(rank, 1);
    for (int i = 0; i < index.dim(); ++i) {
      shape[place + common.rank() - index.dim() + i] = index.sizes()[i];
    }
    const Tensor at = detail::copy_contiguous(index);
    std::int64_t* position = detail::fresh_data<std::int64_t>(at);
    for (std::int64_t i = 0; i < at.numel(); ++i) {
      position[i] = wrap_index("index", position[i], dim, sizes[dim]) * strides[dim];
    }
    y = add(y, at.reshape(shape));
  }
  return row_major(y);
}

// Of x's dtype and of the shape of `like`.
Tensor fitted(const char* operation, const Tensor& values, const Tensor& x, const Tensor& like) {
  detail::check_defined(operation, values);
  if (detail::broadcast(operation, values.sizes(), like.sizes()) != like.shape()) {
    throw ShapeError(std::string(operation) + ": values of shape " + to_string(values.sizes()) +
                     " do not broadcast to " + to_string(like.sizes()));
  }
  return expand(values.to(x.dtype()), like.shape());
}

}  // namespace

Tensor Tensor::operator[](std::int64_t i) const { return select(*this, 0, i); }
Tensor Tensor::operator[](std::initializer_list<Index> indices) const {
  return indexed(*this, indices);
}

Tensor index_put(const Tensor& x, std::initializer_list<Index> indices, const Tensor& values,
                 bool accumulate) {
  const Subscript s = parse(x, indices);
  const Tensor at = offsets(x, s, detail::contiguous_strides(x.sizes()));
  return put(x, at, fitted("index_put", values, x, at), accumulate);
}

Tensor& Tensor::index_put_(std::initializer_list<Index> indices, const Tensor& values,
                           bool accumulate) {
  const Subscript s = parse(*this, indices);
  detail::check_writable("index_put_", *this);
  detail::check_defined("index_put_", values);
  detail::check_unrecorded("index_put_", values);
  const NoGrad no_grad;
  if (s.positions.empty() && !accumulate) {
    Tensor place = indexed(detach(), indices);
    place.copy_(fitted("index_put_", values, *this, place));
    return *this;
  }
  const Tensor at = offsets(*this, s, strides());
  const Tensor source = detail::copy_contiguous(fitted("index_put_", values.detach(), *this, at));
  detail::begin_write("index_put_", *this);
  kernels::put_elements(dtype(), at.numel(), accumulate, value_->data, at.data<std::int64_t>(),
                        source.value()->data);
  return *this;
}

Tensor& Tensor::index_put_(std::initializer_list<Index> indices, Scalar value, bool accumulate) {
  return index_put_(indices, scalar_tensor(value, value.dtype()), accumulate);
}

}  // namespace xtape
