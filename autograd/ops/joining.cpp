// SPDX-License-Identifier: BSD-3-Clause
#include "joining.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>

#include "../error.hpp"
#include "../kernels/copy.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

using Parts = std::vector<TensorRef>;
constexpr std::int64_t kMostOutputs = 8;  // of one recorded operation

// Uninitialised, its dimensions in the memory order of `like`.
Tensor empty_in_order(const Tensor& like, DType dtype, const Shape& sizes) {
  Tensor y = detail::empty(dtype, sizes);
  if (like.dim() != sizes.rank() || like.is_contiguous() || !detail::is_dense(like)) return y;
  std::array<int, Shape::kMaxRank> order;
  std::iota(order.begin(), order.begin() + sizes.rank(), 0);
  std::stable_sort(order.begin(), order.begin() + sizes.rank(),
                   [&](int a, int b) { return like.strides()[a] < like.strides()[b]; });
  Shape strides = Shape::filled(sizes.rank(), 0);
  std::int64_t step = 1;
  for (int k = 0; k < sizes.rank(); ++k) {
    strides[order[k]] = step;
    step *= std::max<std::int64_t>(sizes[order[k]], 1);
  }
  return detail::make_view(y, y.value()->data, sizes, strides);
}

// Copies `part` into y, beginning at `offset` elements, with y's strides along part's dimensions.
void put(const Tensor& y, std::int64_t offset, const Shape& strides, const Tensor& part) {
  std::byte* to = y.value()->data + offset * static_cast<std::int64_t>(item_size(y.dtype()));
  kernels::copy_converted(part.sizes(), y.dtype(), to, strides.data(), part.dtype(),
                          part.value()->data, part.strides().data());
}

DType common_dtype(const char* operation, const Parts& parts) {
  if (parts.empty()) {
    throw ValueError(std::string(operation) + ": expected at least one tensor");
  }
  DType dtype = DType::boolean;
  for (const TensorRef& part : parts) {
    detail::check_defined(operation, *part.tensor);
    dtype = promote(dtype, part.tensor->dtype());
  }
  return dtype;
}

bool is_recorded(const Parts& parts) {
  return is_grad_enabled() && std::ranges::any_of(parts, [](const TensorRef& part) {
           return part.tensor->requires_grad();
         });
}

Parts references(std::span<const Tensor> tensors) { return {tensors.begin(), tensors.end()}; }

Tensor cat_parts(Parts parts, std::int64_t dim_from_user) {
  const DType dtype = common_dtype("cat", parts);
  const auto is_nothing = [](const TensorRef& part) { return part.tensor->shape() == Shape{0}; };
  if (!std::ranges::all_of(parts, is_nothing)) std::erase_if(parts, is_nothing);
  const Tensor& first = *parts.front().tensor;
  if (first.dim() == 0) throw ShapeError("cat: expected at least one dimension, got shape []");
  const int dim = detail::wrap_dim("cat", dim_from_user, first.dim());
  Shape sizes = first.shape();
  sizes[dim] = 0;
  // A closure has no room for a size of each part: where they begin is a saved tensor.
  Tensor begins = detail::empty(int64, Shape{static_cast<std::int64_t>(parts.size()) + 1});
  std::int64_t* begin = detail::fresh_data<std::int64_t>(begins);
  begin[0] = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Tensor& part = *parts[i].tensor;
    bool fits = part.dim() == first.dim();
    for (int k = 0; fits && k < first.dim(); ++k) {
      fits = k == dim || part.sizes()[k] == first.sizes()[k];
    }
    if (!fits) {
      throw ShapeError("cat: shapes " + to_string(first.sizes()) + " and " +
                       to_string(part.sizes()) + " (tensor " + std::to_string(i) +
                       ") differ beside dimension " + std::to_string(dim));
    }
    sizes[dim] += part.sizes()[dim];
    begin[i + 1] = sizes[dim];
  }
  Tensor y = empty_in_order(first, dtype, sizes);
  const Shape strides(y.strides());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    put(y, begin[i] * strides[dim], strides, *parts[i].tensor);
  }
  if (!is_recorded(parts)) return y;
  const int count = static_cast<int>(parts.size());
  detail::record_named("cat", y, parts, saves(begins), [dim, count](Backward& t) {
    const Tensor from = t.saved(0);
    const std::int64_t* at = from.data<std::int64_t>();
    for (int i = 0; i < count; ++i) {
      if (t.needs(i)) t.add(i, narrow(t.g(), dim, at[i], at[i + 1] - at[i]));
    }
  });
  return y;
}

Tensor stack_parts(const Parts& parts, std::int64_t dim_from_user) {
  const DType dtype = common_dtype("stack", parts);
  const Tensor& first = *parts.front().tensor;
  const int dim = detail::wrap_dim("stack", dim_from_user, first.dim() + 1);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].tensor->shape() == first.shape()) continue;
    throw ShapeError("stack: shapes " + to_string(first.sizes()) + " and " +
                     to_string(parts[i].tensor->sizes()) + " (tensor " + std::to_string(i) +
                     ") differ");
  }
  Shape sizes = first.shape();
  sizes.insert(dim, static_cast<std::int64_t>(parts.size()));
  Tensor y = detail::empty(dtype, sizes);
  Shape strides(y.strides());
  const std::int64_t step = strides[dim];
  strides.erase(dim);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    put(y, static_cast<std::int64_t>(i) * step, strides, *parts[i].tensor);
  }
  if (!is_recorded(parts)) return y;
  const int count = static_cast<int>(parts.size());
  detail::record_named("stack", y, parts, saves(), [dim, count](Backward& t) {
    for (int i = 0; i < count; ++i) {
      if (t.needs(i)) t.add(i, select(t.g(), dim, i));
    }
  });
  return y;
}

// [begin, begin + size) of dimension `dim`; not recorded.
Tensor part_of(const Tensor& x, int dim, std::int64_t begin, std::int64_t size) {
  Shape sizes = x.shape();
  sizes[dim] = size;
  const std::int64_t offset = begin * x.strides()[dim];
  std::byte* data = x.value()->data + offset * static_cast<std::int64_t>(item_size(x.dtype()));
  return detail::make_view(x, data, sizes, x.strides());
}

detail::Outputs outputs_of(std::span<Tensor> ys) {
  detail::Outputs outputs(ys[0]);
  for (std::size_t k = 1; k < ys.size(); ++k) outputs.tensors[k] = &ys[k];
  outputs.count = ys.size();
  return outputs;
}

// What `parts` are slices of along `dim`, where they follow one another in one memory; else
// undefined. Not recorded.
Tensor whole_of(std::span<const Tensor> parts, int dim, const Shape& sizes) {
  const Shape strides = detail::contiguous_strides(sizes);
  const auto item = static_cast<std::int64_t>(item_size(parts[0].dtype()));
  const std::byte* at = parts[0].value()->data;
  for (const Tensor& part : parts) {
    if (part.value()->storage != parts[0].value()->storage || part.value()->data != at ||
        part.dtype() != parts[0].dtype() ||
        !std::ranges::equal(part.strides(), std::span<const std::int64_t>(strides))) {
      return {};
    }
    at += part.sizes()[dim] * strides[dim] * item;
  }
  return detail::make_view(parts[0], parts[0].value()->data, sizes, strides);
}

// At most kMostOutputs parts, as one operation: their gradients are joined at once.
void record_split(const Tensor& x, int dim, std::span<Tensor> ys) {
  std::array<std::int64_t, kMostOutputs> sizes{};
  for (std::size_t k = 0; k < ys.size(); ++k) sizes[k] = ys[k].sizes()[dim];
  const int count = static_cast<int>(ys.size());
  record("split", outputs_of(ys), {x}, saves(), [dim, count, sizes](Backward& t) {
    DType dtype = float32;
    for (int k = 0; k < count; ++k) {
      if (t.g(k).defined()) dtype = t.g(k).dtype();
    }
    std::vector<Tensor> gradients;
    for (int k = 0; k < count; ++k) {
      Shape shape(t.sizes(0));
      shape[dim] = sizes[k];
      gradients.push_back(t.g(k).defined() ? t.g(k) : zeros(shape, dtype));
    }
    const Tensor whole = t.create_graph() ? Tensor() : whole_of(gradients, dim, Shape(t.sizes(0)));
    t.add(0, whole.defined() ? whole : cat(gradients, dim));
  });
}

void record_unbind(const Tensor& x, int dim, std::span<Tensor> ys) {
  const int count = static_cast<int>(ys.size());
  record("unbind", outputs_of(ys), {x}, saves(), [dim, count](Backward& t) {
    const Tensor* defined = nullptr;
    for (int k = 0; k < count; ++k) {
      if (t.g(k).defined()) defined = &t.g(k);
    }
    std::vector<Tensor> gradients;
    for (int k = 0; k < count; ++k) {
      gradients.push_back(t.g(k).defined() ? t.g(k) : zeros(defined->shape(), defined->dtype()));
    }
    t.add(0, stack(gradients, dim));
  });
}

// Many parts are split in groups, these again: no gradient is made for each part by itself.
std::int64_t group_size(std::int64_t parts) {
  std::int64_t size = 1;
  while (size * kMostOutputs < parts) size *= kMostOutputs;
  return size;
}

void split_into(const Tensor& x, int dim, std::span<const std::int64_t> sizes,
                std::vector<Tensor>& out) {
  const std::int64_t parts = static_cast<std::int64_t>(sizes.size());
  const std::int64_t group = group_size(parts);
  std::vector<Tensor> ys;
  std::int64_t begin = 0;
  for (std::int64_t i = 0; i < parts; i += group) {
    const std::int64_t end = std::min(parts, i + group);
    const std::int64_t size =
        std::accumulate(sizes.data() + i, sizes.data() + end, std::int64_t{0});
    ys.push_back(part_of(x, dim, begin, size));
    begin += size;
  }
  record_split(x, dim, ys);
  for (std::int64_t i = 0; i < parts; i += group) {
    Tensor& y = ys[static_cast<std::size_t>(i / group)];
    if (group == 1) {
      out.push_back(std::move(y));
    } else {
      const auto count = static_cast<std::size_t>(std::min(group, parts - i));
      split_into(y, dim, sizes.subspan(static_cast<std::size_t>(i), count), out);
    }
  }
}

std::vector<Tensor> split_parts(const Tensor& x, int dim, std::span<const std::int64_t> sizes) {
  std::vector<Tensor> out;
  if (sizes.empty()) return out;
  out.reserve(sizes.size());
  split_into(x, dim, sizes, out);
  return out;
}

int split_dim(const char* operation, const Tensor& x, std::int64_t dim) {
  detail::check_defined(operation, x);
  if (x.dim() == 0) {
    throw ShapeError(std::string(operation) + ": expected at least one dimension, got shape []");
  }
  return detail::wrap_dim(operation, dim, x.dim());
}

}  // namespace

Tensor cat(std::span<const Tensor> tensors, std::int64_t dim) {
  return cat_parts(references(tensors), dim);
}
Tensor cat(TensorList tensors, std::int64_t dim) { return cat_parts(Parts(tensors), dim); }
Tensor stack(std::span<const Tensor> tensors, std::int64_t dim) {
  return stack_parts(references(tensors), dim);
}
Tensor stack(TensorList tensors, std::int64_t dim) { return stack_parts(Parts(tensors), dim); }

std::vector<Tensor> split(const Tensor& x, std::int64_t size, std::int64_t dim) {
  const int at = split_dim("split", x, dim);
  const std::int64_t whole = x.sizes()[at];
  if (size < 1 && !(size == 0 && whole == 0)) {
    throw ValueError("split: expected a size of at least 1, got " + std::to_string(size));
  }
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = 0; i < whole; i += size) sizes.push_back(std::min(size, whole - i));
  if (sizes.empty()) sizes.push_back(0);
  return split_parts(x, at, sizes);
}

std::vector<Tensor> split(const Tensor& x, const Shape& sizes, std::int64_t dim) {
  const int at = split_dim("split", x, dim);
  std::int64_t sum = 0;
  bool negative = false;
  for (const std::int64_t size : sizes) {
    negative = negative || size < 0;
    sum += size;
  }
  if (negative || sum != x.sizes()[at]) {
    throw ShapeError("split: sizes " + to_string(sizes) + " do not add up to dimension " +
                     std::to_string(at) + " of shape " + to_string(x.sizes()));
  }
  return split_parts(x, at, sizes);
}

std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, std::int64_t dim) {
  const int at = split_dim("chunk", x, dim);
  if (chunks < 1) {
    throw ValueError("chunk: expected at least 1 chunk, got " + std::to_string(chunks));
  }
  return split(x, std::max<std::int64_t>(1, (x.sizes()[at] + chunks - 1) / chunks), at);
}

std::vector<Tensor> unbind(const Tensor& x, std::int64_t dim) {
  const int at = split_dim("unbind", x, dim);
  const std::int64_t count = x.sizes()[at];
  if (count > kMostOutputs) {
    std::vector<Tensor> out;
    for (const Tensor& group : split(x, group_size(count), at)) {
      for (Tensor& y : unbind(group, at)) out.push_back(std::move(y));
    }
    return out;
  }
  std::vector<Tensor> ys;
  Shape sizes = x.shape(), strides(x.strides());
  sizes.erase(at);
  strides.erase(at);
  const std::int64_t step = x.strides()[at] * static_cast<std::int64_t>(item_size(x.dtype()));
  for (std::int64_t i = 0; i < count; ++i) {
    ys.push_back(detail::make_view(x, x.value()->data + i * step, sizes, strides));
  }
  if (count > 0) record_unbind(x, at, ys);
  return ys;
}

Tensor repeat(const Tensor& x, const Shape& repeats) {
  detail::check_defined("repeat", x);
  if (repeats.rank() < x.dim()) {
    throw ShapeError("repeat: " + to_string(repeats) + " names fewer dimensions than shape " +
                     to_string(x.sizes()));
  }
  detail::checked_numel("repeat", repeats);
  const int lead = repeats.rank() - x.dim();
  // [n] becomes [1, n], is broadcast to [repeats, n] and joined to [repeats n].
  Shape apart, broadcast, joined;
  for (int i = 0; i < repeats.rank(); ++i) {
    const std::int64_t size = i < lead ? 1 : x.sizes()[i - lead];
    if (repeats[i] != 1) {
      apart.push_back(1);
      broadcast.push_back(repeats[i]);
    }
    if (repeats[i] == 1 || size != 1) {
      apart.push_back(size);
      broadcast.push_back(size);
    }
    joined.push_back(repeats[i] * size);
  }
  const Tensor y = expand(reshape(x, apart), broadcast);
  return reshape(y.is_contiguous() ? y.clone() : y.contiguous(), joined);
}

Tensor tile(const Tensor& x, const Shape& repeats) {
  detail::check_defined("tile", x);
  Shape all = repeats;
  while (all.rank() < x.dim()) all.insert(0, 1);
  return repeat(x, all);
}

namespace {

// Amounts before and after of the last dimension first, as a closure may hold them.
struct Padding {
  int count = 0;
  std::array<std::int64_t, 2 * Shape::kMaxRank> at;
};

Tensor padded(const Tensor& x, const Padding& padding, Scalar value) {
  Shape sizes = x.shape();
  Shape from_sizes = sizes;
  std::int64_t to = 0, from = 0;  // offsets of what is copied, in elements
  Padding back;
  back.count = padding.count;
  for (int k = 0; k < padding.count; ++k) back.at[k] = -padding.at[k];
  for (int k = 0; k < padding.count / 2; ++k) {
    const int i = x.dim() - 1 - k;
    const std::int64_t before = padding.at[2 * k], after = padding.at[2 * k + 1];
    sizes[i] += before + after;
    from_sizes[i] += std::min<std::int64_t>(before, 0) + std::min<std::int64_t>(after, 0);
  }
  for (int i = 0; i < sizes.rank(); ++i) {
    if (sizes[i] < 0 || from_sizes[i] < 0) {
      throw ShapeError("pad: padding " +
                       to_string({padding.at.data(), static_cast<std::size_t>(padding.count)}) +
                       " leaves nothing of shape " + to_string(x.sizes()));
    }
  }
  Tensor y = full(sizes, value, x.dtype());
  for (int k = 0; k < padding.count / 2; ++k) {
    const int i = x.dim() - 1 - k;
    const std::int64_t before = padding.at[2 * k];
    to += std::max<std::int64_t>(before, 0) * y.strides()[i];
    from += std::max<std::int64_t>(-before, 0) * x.strides()[i];
  }
  const auto item = static_cast<std::int64_t>(item_size(x.dtype()));
  put(y, to, Shape(y.strides()),
      detail::make_view(x, x.value()->data + from * item, from_sizes, x.strides()));
  record("pad", y, {x}, saves(), [back](Backward& t) { t.add(0, padded(t.g(), back, 0)); });
  return y;
}

}  // namespace

Tensor pad(const Tensor& x, const Shape& padding, Scalar value) {
  detail::check_defined("pad", x);
  if (padding.rank() % 2 != 0 || padding.rank() / 2 > x.dim()) {
    throw ShapeError("pad: expected {before, after} for at most " + std::to_string(x.dim()) +
                     " dimensions, got " + to_string(padding));
  }
  Padding p;
  p.count = padding.rank();
  std::copy(padding.begin(), padding.end(), p.at.begin());
  return padded(x, p, value);
}

}  // namespace xtape
