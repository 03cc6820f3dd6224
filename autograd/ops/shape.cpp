// SPDX-License-Identifier: BSD-3-Clause
#include "shape.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "../error.hpp"
#include "../tape.hpp"
#include "alias.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"

namespace xtape {
namespace {

using Sizes = std::span<const std::int64_t>;

// Dimensions as a closure may hold them.
struct Dims {
  std::int8_t count = 0;
  std::array<std::int8_t, Shape::kMaxRank> at;
};

Tensor view_of(const Tensor& x, const Shape& sizes, const Shape& strides) {
  return detail::make_view(x, x.value()->data, sizes, strides);
}

// `shape` with its -1 worked out.
Shape complete(const char* operation, const Tensor& x, const Shape& shape) {
  Shape sizes = shape;
  int open = -1, opens = 0;
  for (int i = 0; i < sizes.rank(); ++i) {
    if (sizes[i] != -1) continue;
    sizes[i] = 1;
    open = i;
    ++opens;
  }
  const std::int64_t known = detail::checked_numel(operation, sizes);
  bool fits = known == x.numel();
  if (opens == 1) {
    fits = known > 0 && x.numel() % known == 0;
    if (fits) sizes[open] = x.numel() / known;
  }
  if (!fits || opens > 1) {
    throw ShapeError(std::string(operation) + ": shape " + to_string(shape) + " does not fit the " +
                     std::to_string(x.numel()) + " elements of " + to_string(x.sizes()));
  }
  return sizes;
}

// Strides with which x's memory reads as `sizes`; false where there are none.
bool strides_of_view(const Tensor& x, const Shape& sizes, Shape& strides) {
  strides = detail::contiguous_strides(sizes);
  if (x.is_contiguous() || x.numel() == 0) return true;
  int to = sizes.rank() - 1;
  std::int64_t have = 1, made = 1;
  std::int64_t step = x.strides()[x.dim() - 1];
  for (int i = x.dim() - 1; i >= 0; --i) {
    have *= x.sizes()[i];
    // A run of x's dimensions without a gap ends here: it must be made up by whole new dimensions.
    const bool ends = i == 0 || (x.sizes()[i - 1] != 1 && x.strides()[i - 1] != have * step);
    if (!ends) continue;
    while (to >= 0 && (made < have || sizes[to] == 1)) {
      strides[to] = made * step;
      made *= sizes[to--];
    }
    if (made != have) return false;
    if (i > 0) {
      step = x.strides()[i - 1];
      have = made = 1;
    }
  }
  return to == -1;
}

Tensor with_shape(const Tensor& x, const Shape& sizes, bool may_copy) {
  if (std::ranges::equal(x.sizes(), Sizes(sizes))) return x;
  Shape strides;
  Tensor y;
  if (strides_of_view(x, sizes, strides)) {
    y = view_of(x, sizes, strides);
  } else if (may_copy) {
    const Tensor copy = detail::copy_contiguous(x);
    y = view_of(copy, sizes, detail::contiguous_strides(sizes));
  } else {
    throw ShapeError("view: shape " + to_string(x.sizes()) + " with strides " +
                     to_string(x.strides()) + " cannot be seen as " + to_string(sizes) +
                     " without a copy; use reshape");
  }
  record("reshape", y, {x}, saves(),
         [](Backward& t) { t.add(0, t.take_g().reshape(Shape(t.sizes(0)))); });
  return y;
}

Tensor permuted(const Tensor& x, const Dims& dims) {
  Shape sizes, strides;
  sizes.resize(dims.count);
  strides.resize(dims.count);
  Dims inverse;
  inverse.count = dims.count;
  for (int i = 0; i < dims.count; ++i) {
    const int from = dims.at[i];
    sizes[i] = x.sizes()[from];
    strides[i] = x.strides()[from];
    inverse.at[from] = static_cast<std::int8_t>(i);
  }
  Tensor y = view_of(x, sizes, strides);
  record("permute", y, {x}, saves(),
         [inverse](Backward& t) { t.add(0, permuted(t.g(), inverse)); });
  return y;
}

}  // namespace

namespace detail {
Tensor alias(const Tensor& x) {
  Tensor y = view_of(x, x.shape(), Shape(x.strides()));
  record("alias", y, {x}, saves(), [](Backward& t) { t.add(0, t.take_g()); });
  return y;
}
}  // namespace detail

Tensor reshape(const Tensor& x, const Shape& shape) {
  detail::check_defined("reshape", x);
  return with_shape(x, complete("reshape", x, shape), true);
}

Tensor view(const Tensor& x, const Shape& shape) {
  detail::check_defined("view", x);
  return with_shape(x, complete("view", x, shape), false);
}

Tensor flatten(const Tensor& x, std::int64_t start_dim, std::int64_t end_dim) {
  detail::check_defined("flatten", x);
  const int start = detail::wrap_dim("flatten", start_dim, x.dim());
  const int end = detail::wrap_dim("flatten", end_dim, x.dim());
  if (start > end) {
    throw IndexError("flatten: start_dim " + std::to_string(start_dim) + " lies after end_dim " +
                     std::to_string(end_dim) + " for shape " + to_string(x.sizes()));
  }
  if (x.dim() == 0) return with_shape(x, {1}, true);
  Shape sizes;
  for (int i = 0; i < x.dim(); ++i) {
    if (i > start && i <= end) {
      sizes[sizes.rank() - 1] *= x.sizes()[i];
    } else {
      sizes.push_back(x.sizes()[i]);
    }
  }
  return with_shape(x, sizes, true);
}

Tensor unflatten(const Tensor& x, std::int64_t dim, const Shape& sizes) {
  detail::check_defined("unflatten", x);
  const int at = detail::wrap_dim("unflatten", dim, x.dim());
  if (x.dim() == 0) throw ShapeError("unflatten: expected at least one dimension, got shape []");
  std::int64_t known = 1;
  int open = -1;
  for (int i = 0; i < sizes.rank(); ++i) {
    if (sizes[i] < 0) {
      if (sizes[i] != -1 || open >= 0) known = -1;
      open = i;
    } else {
      known *= sizes[i];
    }
  }
  const std::int64_t size = x.sizes()[at];
  const bool fits = open < 0 ? known == size : known > 0 && size % known == 0;
  if (sizes.empty() || !fits) {
    throw ShapeError("unflatten: dimension " + std::to_string(at) + " of shape " +
                     to_string(x.sizes()) + " does not split into " + to_string(sizes));
  }
  Shape shape;
  for (int i = 0; i < at; ++i) shape.push_back(x.sizes()[i]);
  for (int i = 0; i < sizes.rank(); ++i) shape.push_back(i == open ? size / known : sizes[i]);
  for (int i = at + 1; i < x.dim(); ++i) shape.push_back(x.sizes()[i]);
  return with_shape(x, shape, false);
}

namespace {

Tensor squeezed(const Tensor& x, const Shape& sizes, const Shape& strides) {
  Tensor y = view_of(x, sizes, strides);
  record("squeeze", y, {x}, saves(),
         [](Backward& t) { t.add(0, t.take_g().reshape(Shape(t.sizes(0)))); });
  return y;
}

}  // namespace

Tensor squeeze(const Tensor& x) {
  detail::check_defined("squeeze", x);
  Shape sizes, strides;
  for (int i = 0; i < x.dim(); ++i) {
    if (x.sizes()[i] == 1) continue;
    sizes.push_back(x.sizes()[i]);
    strides.push_back(x.strides()[i]);
  }
  return sizes.rank() == x.dim() ? x : squeezed(x, sizes, strides);
}

Tensor squeeze(const Tensor& x, std::int64_t dim) {
  detail::check_defined("squeeze", x);
  const int at = detail::wrap_dim("squeeze", dim, x.dim());
  if (x.dim() == 0 || x.sizes()[at] != 1) return x;
  Shape sizes(x.sizes()), strides(x.strides());
  sizes.erase(at);
  strides.erase(at);
  return squeezed(x, sizes, strides);
}

Tensor unsqueeze(const Tensor& x, std::int64_t dim) {
  detail::check_defined("unsqueeze", x);
  const int at = detail::wrap_dim("unsqueeze", dim, x.dim() + 1);
  Shape sizes(x.sizes()), strides(x.strides());
  sizes.insert(at, 1);
  strides.insert(at, at < x.dim() ? x.sizes()[at] * x.strides()[at] : 1);
  Tensor y = view_of(x, sizes, strides);
  record("unsqueeze", y, {x}, saves(), [at](Backward& t) { t.add(0, squeeze(t.g(), at)); });
  return y;
}

Tensor transpose(const Tensor& x, std::int64_t dim0, std::int64_t dim1) {
  detail::check_defined("transpose", x);
  const int a = detail::wrap_dim("transpose", dim0, x.dim());
  const int b = detail::wrap_dim("transpose", dim1, x.dim());
  if (a == b) return x;
  Shape sizes(x.sizes()), strides(x.strides());
  std::swap(sizes[a], sizes[b]);
  std::swap(strides[a], strides[b]);
  Tensor y = view_of(x, sizes, strides);
  record("transpose", y, {x}, saves(), [a, b](Backward& t) { t.add(0, transpose(t.g(), a, b)); });
  return y;
}

Tensor swapaxes(const Tensor& x, std::int64_t axis0, std::int64_t axis1) {
  return transpose(x, axis0, axis1);
}

Tensor permute(const Tensor& x, const Shape& dims) {
  detail::check_defined("permute", x);
  Dims order;
  std::uint32_t seen = 0;
  for (const std::int64_t dim : dims) {
    const int d = detail::wrap_dim("permute", dim, x.dim());
    seen |= std::uint32_t{1} << d;
    order.at[order.count++] = static_cast<std::int8_t>(d);
  }
  if (dims.rank() != x.dim() || seen != (std::uint32_t{1} << x.dim()) - 1) {
    throw ShapeError("permute: " + to_string(dims) + " is no permutation of the dimensions of " +
                     to_string(x.sizes()));
  }
  return permuted(x, order);
}

Tensor movedim(const Tensor& x, const Shape& source, const Shape& destination) {
  detail::check_defined("movedim", x);
  Dims order;
  order.count = static_cast<std::int8_t>(x.dim());
  order.at.fill(-1);
  std::uint32_t from = 0, to = 0;
  for (int i = 0; i < std::min(source.rank(), destination.rank()); ++i) {
    const int s = detail::wrap_dim("movedim", source[i], x.dim());
    const int d = detail::wrap_dim("movedim", destination[i], x.dim());
    if (source.rank() != destination.rank() || (from >> s & 1) || (to >> d & 1)) from = ~0u;
    if (from == ~0u) break;
    from |= std::uint32_t{1} << s;
    to |= std::uint32_t{1} << d;
    order.at[d] = static_cast<std::int8_t>(s);
  }
  if (from == ~0u || source.rank() != destination.rank()) {
    throw ShapeError("movedim: source " + to_string(source) + " and destination " +
                     to_string(destination) +
                     " must be of one length and name each dimension once");
  }
  int next = 0;
  for (int i = 0; i < x.dim(); ++i) {
    if (order.at[i] >= 0) continue;
    while (from >> next & 1) ++next;
    order.at[i] = static_cast<std::int8_t>(next++);
  }
  if (x.dim() == 0) return x;
  return permuted(x, order);
}

Tensor movedim(const Tensor& x, std::int64_t source, std::int64_t destination) {
  return movedim(x, Shape{source}, Shape{destination});
}

Tensor expand(const Tensor& x, const Shape& shape) {
  detail::check_defined("expand", x);
  const int lead = shape.rank() - x.dim();
  Shape sizes = shape, strides = Shape::filled(shape.rank(), 0);
  bool fits = lead >= 0, same = lead == 0;
  for (int i = 0; fits && i < shape.rank(); ++i) {
    const std::int64_t size = i < lead ? 1 : x.sizes()[i - lead];
    if (shape[i] == -1 && i >= lead) sizes[i] = size;
    if (sizes[i] == size) {
      strides[i] = i < lead ? 0 : x.strides()[i - lead];
    } else {
      fits = size == 1 && sizes[i] >= 0;
      same = false;
    }
  }
  if (!fits) {
    throw ShapeError("expand: shape " + to_string(x.sizes()) + " does not broadcast to " +
                     to_string(shape));
  }
  if (same) return x;
  detail::checked_numel("expand", sizes);
  Tensor y = view_of(x, sizes, strides);
  // The engine sums the gradient back over what was broadcast.
  record("expand", y, {x}, saves(), [](Backward& t) { t.add(0, t.take_g()); });
  return y;
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) { return expand(x, shape); }

namespace {

Tensor flipped(const Tensor& x, std::uint32_t mask) {
  std::byte* data = x.value()->data;
  Shape strides(x.strides());
  for (int i = 0; i < x.dim(); ++i) {
    if (!(mask >> i & 1) || x.sizes()[i] <= 1) continue;
    data += (x.sizes()[i] - 1) * strides[i] * static_cast<std::int64_t>(item_size(x.dtype()));
    strides[i] = -strides[i];
  }
  Tensor y = detail::make_view(x, data, x.sizes(), strides);
  record("flip", y, {x}, saves(), [mask](Backward& t) { t.add(0, flipped(t.g(), mask)); });
  return y;
}

}  // namespace

Tensor flip(const Tensor& x, const Shape& dims) {
  detail::check_defined("flip", x);
  std::uint32_t mask = 0;
  for (const std::int64_t dim : dims) {
    const int i = detail::wrap_dim("flip", dim, x.dim());
    if (mask >> i & 1) {
      throw IndexError("flip: dimension " + std::to_string(i) + " appears twice in " +
                       to_string(dims));
    }
    mask |= std::uint32_t{1} << i;
  }
  return x.numel() == 0 ? x : flipped(x, mask);
}

Tensor Tensor::reshape(const Shape& shape) const { return xtape::reshape(*this, shape); }
Tensor Tensor::view(const Shape& shape) const { return xtape::view(*this, shape); }
Tensor Tensor::flatten(std::int64_t start_dim, std::int64_t end_dim) const {
  return xtape::flatten(*this, start_dim, end_dim);
}
Tensor Tensor::transpose(std::int64_t dim0, std::int64_t dim1) const {
  return xtape::transpose(*this, dim0, dim1);
}
Tensor Tensor::permute(const Shape& dims) const { return xtape::permute(*this, dims); }
Tensor Tensor::t() const {
  detail::check_defined("t", *this);
  if (dim() > 2) throw ShapeError("t: expected at most 2 dimensions, got " + to_string(sizes()));
  return dim() < 2 ? *this : xtape::transpose(*this, 0, 1);
}
Tensor Tensor::expand(const Shape& shape) const { return xtape::expand(*this, shape); }
Tensor Tensor::squeeze() const { return xtape::squeeze(*this); }
Tensor Tensor::squeeze(std::int64_t dim) const { return xtape::squeeze(*this, dim); }
Tensor Tensor::unsqueeze(std::int64_t dim) const { return xtape::unsqueeze(*this, dim); }

}  // namespace xtape
