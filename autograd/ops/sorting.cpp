// SPDX-License-Identifier: BSD-3-Clause
#include "sorting.hpp"

#include <algorithm>
#include <string>

#include "../kernels/order.hpp"
#include "../tape.hpp"
#include "along.hpp"

namespace xtape {
namespace {

using detail::Along;

// The first k along a dimension in order.
ValuesAndIndices ordered(const Along& along, std::int64_t k, bool descending, bool sorted,
                         bool with_values) {
  Shape shape = along.dense.shape();
  if (shape.rank() > 0) shape[along.dim] = k;
  ValuesAndIndices y{Tensor(), detail::empty(int64, shape)};
  if (with_values) y.values = detail::empty(along.dense.dtype(), shape);
  kernels::order_slices(along.slices, along.dense.dtype(), k, descending, sorted,
                        detail::fresh_data<std::int64_t>(y.indices),
                        with_values ? y.values.value()->data : nullptr, along.dense.value()->data);
  return y;
}

void record_choice(detail::OperationName name, ValuesAndIndices& y, const Tensor& x, int dim) {
  record(name, y.values, {x}, saves(y.indices), [dim](Backward& t) {
    t.add(0, detail::spread_along(t.g(), dim, t.saved(0), t.sizes(0)));
  });
}

ValuesAndIndices ranked(const Along& along, std::int64_t rank, const Shape& shape) {
  ValuesAndIndices y{detail::empty(along.dense.dtype(), shape), detail::empty(int64, shape)};
  kernels::find_rank(along.slices, along.dense.dtype(), rank,
                     detail::fresh_data<std::int64_t>(y.indices), y.values.value()->data,
                     along.dense.value()->data);
  return y;
}

std::int64_t middle(std::int64_t count) noexcept { return (count - 1) / 2; }

}  // namespace

ValuesAndIndices sort(const Tensor& x, std::int64_t dim, bool descending) {
  const Along along("sort", x, dim);
  ValuesAndIndices y = ordered(along, along.slices.count, descending, true, true);
  record_choice("sort", y, x, along.dim);
  return y;
}

Tensor argsort(const Tensor& x, std::int64_t dim, bool descending) {
  const Along along("argsort", x, dim);
  return ordered(along, along.slices.count, descending, true, false).indices;
}

ValuesAndIndices topk(const Tensor& x, std::int64_t k, std::int64_t dim, bool largest,
                      bool sorted) {
  const Along along("topk", x, dim);
  if (k < 0 || k > along.slices.count) {
    throw ValueError("topk: k = " + std::to_string(k) + " is out of range for dimension " +
                     std::to_string(along.dim) + " of shape " + to_string(x.sizes()));
  }
  ValuesAndIndices y = ordered(along, k, largest, sorted, true);
  record_choice("topk", y, x, along.dim);
  return y;
}

ValuesAndIndices kthvalue(const Tensor& x, std::int64_t k, std::int64_t dim, bool keepdim) {
  const Along along("kthvalue", x, dim);
  if (k < 1 || k > along.slices.count) {
    throw ValueError("kthvalue: k = " + std::to_string(k) + " is out of range for dimension " +
                     std::to_string(along.dim) + " of shape " + to_string(x.sizes()));
  }
  const ValuesAndIndices first = ordered(along, k, false, true, true);
  const auto last = [&](const Tensor& y) {
    if (y.dim() == 0) return y;
    return detail::copy_contiguous(narrow(y, along.dim, k - 1, 1)).reshape(along.result(keepdim));
  };
  ValuesAndIndices y{last(first.values), last(first.indices)};
  record_choice("kthvalue", y, x, along.dim);
  return y;
}

Tensor median(const Tensor& x) {
  detail::check_defined("median", x);
  const Along along("median", x.detach().reshape({-1}), 0);
  Tensor y = ranked(along.check_not_empty("median"), middle(x.numel()), {}).values;
  record("median", y, {x}, saves(x, y), [](Backward& t) {
    const Tensor chosen = eq(t.saved(0), t.saved(1)).to(t.g().dtype());
    t.add(0, t.g() * (chosen / sum(chosen)));
  });
  return y;
}

ValuesAndIndices median(const Tensor& x, std::int64_t dim, bool keepdim) {
  const Along along("median", x, dim);
  const Shape shape = along.check_not_empty("median").result(keepdim);
  ValuesAndIndices y = ranked(along, middle(along.slices.count), shape);
  record_choice("median", y, x, along.dim);
  return y;
}

Tensor searchsorted(const Tensor& sorted_sequence, const Tensor& values, bool right,
                    const Tensor& sorter) {
  detail::check_defined("searchsorted", sorted_sequence);
  if (sorter.defined()) {
    if (sorter.shape() != sorted_sequence.shape()) {
      throw ShapeError("searchsorted: expected a sorter of the shape of " +
                       sorted_sequence.description() + ", got " + sorter.description());
    }
    return searchsorted(gather(sorted_sequence.detach(), -1, sorter), values, right);
  }
  detail::check_defined("searchsorted", values);
  const bool shared = sorted_sequence.dim() == 1;
  bool fits = sorted_sequence.dim() > 0 && (shared || sorted_sequence.dim() == values.dim());
  for (int i = 0; fits && !shared && i < values.dim() - 1; ++i) {
    fits = sorted_sequence.sizes()[i] == values.sizes()[i];
  }
  if (!fits) {
    throw ShapeError("searchsorted: expected a 1-d sequence or one of the leading dimensions of " +
                     to_string(values.sizes()) + ", got " + to_string(sorted_sequence.sizes()));
  }
  const DType dtype = promote(sorted_sequence.dtype(), values.dtype());
  const auto prepared = [dtype](const Tensor& x) {
    const Tensor y = x.detach().to(dtype);
    return y.is_contiguous() ? y : detail::copy_contiguous(y);
  };
  const Tensor sorted = prepared(sorted_sequence), wanted = prepared(values);
  Tensor y = detail::empty(int64, values.sizes());
  if (y.numel() == 0) return y;
  const std::int64_t size = sorted.sizes().back();
  const std::int64_t count = shared ? wanted.numel() : wanted.sizes().back();
  kernels::search_rows(dtype, wanted.numel() / count, size, count, right, shared,
                       detail::fresh_data<std::int64_t>(y), sorted.value()->data,
                       wanted.value()->data);
  return y;
}

Tensor searchsorted(const Tensor& sorted_sequence, Scalar value, bool right) {
  detail::check_defined("searchsorted", sorted_sequence);
  return searchsorted(sorted_sequence,
                      scalar_tensor(value, value.promote_with(sorted_sequence.dtype())), right);
}

Tensor bucketize(const Tensor& x, const Tensor& boundaries, bool right) {
  detail::check_defined("bucketize", boundaries);
  if (boundaries.dim() != 1) {
    throw ShapeError("bucketize: expected 1-d boundaries, got " + boundaries.description());
  }
  return searchsorted(boundaries, x, right);
}

Tensor bincount(const Tensor& x, const Tensor& weights, std::int64_t minlength) {
  detail::check_defined("bincount", x);
  if (is_floating(x.dtype()) || x.dtype() == boolean) {
    throw DTypeError("bincount: expected whole numbers, got " + x.description());
  }
  if (x.dim() != 1) throw ShapeError("bincount: expected 1 dimension, got " + x.description());
  if (minlength < 0) {
    throw ValueError("bincount: expected minlength >= 0, got " + std::to_string(minlength));
  }
  const Tensor at = x.to(int64);
  if (x.numel() > 0) {
    if (const auto least = min(at).item<std::int64_t>(); least < 0) {
      throw ValueError("bincount: " + std::to_string(least) + " is negative");
    }
    minlength = std::max(minlength, max(at).item<std::int64_t>() + 1);
  }
  if (!weights.defined()) {
    return index_add(zeros({minlength}, int64), 0, at, ones(x.shape(), int64));
  }
  if (weights.shape() != x.shape()) {
    throw ShapeError("bincount: expected weights of the shape of " + x.description() + ", got " +
                     weights.description());
  }
  const Tensor w = is_floating(weights.dtype()) ? weights : weights.to(float64);
  return index_add(zeros({minlength}, w.dtype()), 0, at, w);
}

}  // namespace xtape
