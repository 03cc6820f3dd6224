// SPDX-License-Identifier: BSD-3-Clause
#include "indexing.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "../error.hpp"
#include "../kernels/copy.hpp"
#include "../kernels/index.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "picking.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

using detail::check_int64;
using detail::out_of_range;
using detail::pick;
using detail::Picks;
using detail::row_major;
using detail::wrap_index;

int indexed_dim(const char* operation, const Tensor& x, std::int64_t dim) {
  detail::check_defined(operation, x);
  if (x.dim() == 0) {
    throw IndexError(std::string(operation) + ": a tensor of 0 dimensions has none to index");
  }
  return detail::wrap_dim(operation, dim, x.dim());
}

const std::int64_t* checked_positions(const char* operation, const Tensor& index, int dim,
                                      std::int64_t size) {
  const std::int64_t* positions = index.data<std::int64_t>();
  const std::int64_t bad = kernels::find_out_of_range(positions, index.numel(), size);
  if (bad >= 0) out_of_range(operation, positions[bad], dim, size);
  return positions;
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
  const Tensor rows = row_major(index);
  const std::int64_t size = x.sizes()[d], count = rows.numel();
  const std::int64_t* positions = checked_positions("index_select", rows, d, size);
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < x.dim(); ++i) (i < d ? outer : inner) *= i == d ? 1 : x.sizes()[i];
  Shape sizes = x.shape();
  sizes[d] = count;
  Tensor y = detail::empty(x.dtype(), sizes);
  const Tensor from = row_major(x);
  kernels::take_slices(static_cast<int>(item_size(x.dtype())), outer, count, size, inner,
                       y.value()->data, from.value()->data, positions);
  record("index_select", y, {x}, saves(index), [d](Backward& t) {
    t.add(0, index_add(zeros(Shape(t.sizes(0)), t.g().dtype()), d, t.saved(0), t.g()));
  });
  return y;
}

namespace {

// Checks slices of x along `dim`, one for each position.
void check_slices(const char* operation, const Tensor& x, int dim, const Tensor& index,
                  const Tensor& source) {
  check_int64(operation, index);
  detail::check_defined(operation, source);
  if (source.dtype() != x.dtype()) {
    throw DTypeError(std::string(operation) + ": expected a source of the dtype of " +
                     x.description() + ", got " + source.description());
  }
  Shape expected = x.shape();
  expected[dim] = index.numel();
  if (index.dim() > 1 || source.shape() != expected) {
    throw ShapeError(std::string(operation) + ": x " + to_string(x.sizes()) + " at " +
                     to_string(index.sizes()) + " positions of dimension " + std::to_string(dim) +
                     " takes a source of shape " + to_string(expected) + ", got " +
                     to_string(source.sizes()));
  }
}

// Numbers for the positions of `dim` beside the other dimensions.
Tensor beside(const Tensor& x, int dim, const Tensor& numbers) {
  Shape shape = Shape::filled(x.dim(), 1);
  shape[dim] = numbers.numel();
  return numbers.reshape(shape);
}

}  // namespace

Tensor index_add(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& source,
                 Scalar alpha) {
  const int d = indexed_dim("index_add", x, dim);
  if (alpha.real() != 1) return index_add(x, d, index, mul(source, alpha));
  check_slices("index_add", x, d, index, source);
  const Tensor rows = row_major(index), from = row_major(source);
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

Tensor index_copy(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& source) {
  const int d = indexed_dim("index_copy", x, dim);
  check_slices("index_copy", x, d, index, source);
  checked_positions("index_copy", row_major(index), d, x.sizes()[d]);
  return scatter(x, d, expand(beside(x, d, index), source.shape()), source);
}

Tensor index_fill(const Tensor& x, std::int64_t dim, const Tensor& index, Scalar value) {
  const int d = indexed_dim("index_fill", x, dim);
  check_int64("index_fill", index);
  if (index.dim() > 1) {
    throw ShapeError("index_fill: expected a 1-d index, got shape " + to_string(index.sizes()));
  }
  const Tensor rows = row_major(index);
  const std::int64_t* at = checked_positions("index_fill", rows, d, x.sizes()[d]);
  Tensor mask = zeros({x.sizes()[d]}, boolean);
  bool* is_filled = detail::fresh_data<bool>(mask);
  for (std::int64_t i = 0; i < rows.numel(); ++i) is_filled[at[i]] = true;
  return masked_fill(x, beside(x, d, mask), value);
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
  const Tensor at = row_major(index);
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
  const Tensor at = row_major(index);
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

namespace {

// Row-major positions, those counted from the back wrapped.
Tensor flat_positions(const char* operation, const Tensor& x, const Tensor& index) {
  check_int64(operation, index);
  const Tensor at = detail::copy_contiguous(index);
  std::int64_t* position = detail::fresh_data<std::int64_t>(at);
  for (std::int64_t i = 0; i < at.numel(); ++i) {
    position[i] = wrap_index(operation, position[i], 0, x.numel());
  }
  return at;
}

// True where no later position is the same.
Tensor last_of_each(const Tensor& positions, std::int64_t size) {
  std::vector<std::int64_t> last(static_cast<std::size_t>(size));
  const std::int64_t* position = positions.data<std::int64_t>();
  for (std::int64_t i = 0; i < positions.numel(); ++i) {
    last[static_cast<std::size_t>(position[i])] = i;
  }
  Tensor y = detail::empty(boolean, positions.sizes());
  bool* is_last = detail::fresh_data<bool>(y);
  for (std::int64_t i = 0; i < positions.numel(); ++i) {
    is_last[i] = last[static_cast<std::size_t>(position[i])] == i;
  }
  return y;
}

}  // namespace

Tensor take(const Tensor& x, const Tensor& index) {
  detail::check_defined("take", x);
  const Tensor at = flat_positions("take", x, index);
  return index_select(x.reshape({-1}), 0, at.reshape({-1})).reshape(index.shape());
}

Tensor put(const Tensor& x, const Tensor& index, const Tensor& source, bool accumulate) {
  detail::check_defined("put", x);
  const Tensor at = flat_positions("put", x, index);
  detail::check_defined("put", source);
  if (source.dtype() != x.dtype() || source.shape() != index.shape()) {
    throw ShapeError("put: expected a source of the dtype of " + x.description() +
                     " and of the index's shape " + to_string(index.sizes()) + ", got " +
                     source.description());
  }
  Tensor y = detail::copy_contiguous(x);
  kernels::put_elements(x.dtype(), at.numel(), accumulate, y.value()->data, at.data<std::int64_t>(),
                        row_major(source).value()->data);
  record("put", y, {x, source}, saves(at), [accumulate](Backward& t) {
    const Tensor at = t.saved(0), zero = scalar_tensor(0, t.g().dtype());
    if (accumulate) {
      t.add(0, t.g());
      if (t.needs(1)) t.add(1, take(t.g(), at));
      return;
    }
    if (t.needs(0)) t.add(0, put(t.g(), at, zeros(at.shape(), t.g().dtype())));
    if (!t.needs(1)) return;
    t.add(1, where(last_of_each(at, t.g().numel()), take(t.g(), at), zero));
  });
  return y;
}

Tensor scatter(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& source) {
  const int d = element_dim("scatter", x, dim, index);
  const Tensor along = row_major(index);
  checked_positions("scatter", along, d, x.sizes()[d]);
  const Shape strides = detail::contiguous_strides(x.sizes());
  Tensor at = mul(along, strides[d]);
  for (int i = 0; i < x.dim(); ++i) {
    if (i == d) continue;
    Shape shape = Shape::filled(x.dim(), 1);
    shape[i] = index.sizes()[i];
    at = add(at, mul(arange(shape[i]), strides[i]).reshape(shape));
  }
  return put(x, at, source);
}

Tensor scatter(const Tensor& x, std::int64_t dim, const Tensor& index, Scalar value) {
  element_dim("scatter", x, dim, index);
  return scatter(x, dim, index, full(index.shape(), value, x.dtype()));
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
  const Tensor at = row_major(index);
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

}  // namespace xtape
