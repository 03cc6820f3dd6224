// SPDX-License-Identifier: BSD-3-Clause
#include "scans.hpp"

#include <algorithm>
#include <string>

#include "../error.hpp"
#include "../tape.hpp"
#include "along.hpp"
#include "arithmetic.hpp"
#include "indexing.hpp"
#include "joining.hpp"
#include "logic.hpp"

namespace xtape {
namespace {

using detail::Along;

// What is summed and multiplied: whole numbers as int64. The sweep converts gradients.
Tensor as_numbers(const char* operation, const Tensor& x) {
  detail::check_defined(operation, x);
  return is_floating(x.dtype()) ? x : x.to(int64);
}

Tensor running_sum(const Tensor& x, std::int64_t dim, bool reverse) {
  const Along along("cumsum", as_numbers("cumsum", x), dim);
  Tensor y = detail::empty(along.dense.dtype(), x.sizes());
  kernels::scan_sum(along.slices, y.dtype(), reverse, y.value()->data, along.dense.value()->data);
  const int d = along.dim;
  record("cumsum", y, {x}, saves(),
         [d, reverse](Backward& t) { t.add(0, running_sum(t.g(), d, !reverse)); });
  return y;
}

// Elements one place further on (or back, by -1) along `dim`; `fill` comes in.
Tensor shifted(const Tensor& x, int dim, int by, double fill) {
  if (x.dim() == 0) return full_like(x, fill);
  const std::int64_t n = x.sizes()[dim];
  if (n == 0) return x;
  Shape edge = x.shape();
  edge[dim] = 1;
  const Tensor filling = full(edge, fill, x.dtype());
  return by > 0 ? cat({filling, narrow(x, dim, 0, n - 1)}, dim)
                : cat({narrow(x, dim, 1, n - 1), filling}, dim);
}

ValuesAndIndices running_extreme(detail::OperationName name, const Tensor& x, std::int64_t dim,
                                 bool largest) {
  const Along along(name.text, x, dim);
  ValuesAndIndices y{detail::empty(x.dtype(), x.sizes()), detail::empty(int64, x.sizes())};
  kernels::scan_extreme(along.slices, x.dtype(), largest, y.values.value()->data,
                        detail::fresh_data<std::int64_t>(y.indices), along.dense.value()->data);
  const int d = along.dim;
  record(name, y.values, {x}, saves(y.indices),
         [d](Backward& t) { t.add(0, detail::spread_along(t.g(), d, t.saved(0), t.sizes(0))); });
  return y;
}

}  // namespace

Tensor diff(const Tensor& x, std::int64_t n, std::int64_t dim) {
  detail::check_defined("diff", x);
  const int d = detail::wrap_dim("diff", dim, x.dim());
  if (x.dim() == 0) throw ShapeError("diff: expected at least 1 dimension");
  if (n < 0) throw ValueError("diff: expected n >= 0, got " + std::to_string(n));
  Tensor y = x;
  for (std::int64_t i = std::min(n, x.size(d)); i-- > 0 && y.size(d) > 0;) {
    const std::int64_t left = y.size(d) - 1;
    const Tensor after = narrow(y, d, 1, left), before = narrow(y, d, 0, left);
    y = y.dtype() == boolean ? logical_xor(after, before) : after - before;
  }
  return y;
}

Tensor cumsum(const Tensor& x, std::int64_t dim) { return running_sum(x, dim, false); }

Tensor cumprod(const Tensor& x, std::int64_t dim) {
  const Along along("cumprod", as_numbers("cumprod", x), dim);
  Tensor y = detail::empty(along.dense.dtype(), x.sizes());
  kernels::scan_product(along.slices, y.dtype(), y.value()->data, along.dense.value()->data);
  const int d = along.dim;
  // dx_k is the product before k times g_k + x_(k+1) (g_(k+1) + x_(k+2) (...)): nothing is divided.
  record("cumprod", y, {x}, saves(x, y), [d](Backward& t) {
    const Tensor rest = detail::linear_scan(t.g(), shifted(t.saved(0), d, -1, 0), d, true);
    t.add(0, shifted(t.saved(1), d, 1, 1) * rest);
  });
  return y;
}

ValuesAndIndices cummax(const Tensor& x, std::int64_t dim) {
  return running_extreme("cummax", x, dim, true);
}
ValuesAndIndices cummin(const Tensor& x, std::int64_t dim) {
  return running_extreme("cummin", x, dim, false);
}

namespace detail {

Tensor linear_scan(const Tensor& a, const Tensor& x, std::int64_t dim, bool reverse) {
  const Along addends("linear_scan", a, dim), factors("linear_scan", x, dim);
  if (a.shape() != x.shape() || a.dtype() != x.dtype() || !is_floating(a.dtype())) {
    throw ShapeError("linear_scan: expected two floating tensors of one kind, got " +
                     a.description() + " and " + x.description());
  }
  Tensor y = empty(a.dtype(), a.sizes());
  kernels::scan_linear(addends.slices, a.dtype(), reverse, y.value()->data,
                       addends.dense.value()->data, factors.dense.value()->data);
  const int d = addends.dim, back = reverse ? 1 : -1;
  record("linear_scan", y, {a, x}, saves(x, y), [d, back](Backward& t) {
    const Tensor g = linear_scan(t.g(), shifted(t.saved(0), d, back, 0), d, back < 0);
    t.add(0, g);
    if (t.needs(1)) t.add(1, g * shifted(t.saved(1), d, -back, 0));
  });
  return y;
}

}  // namespace detail
}  // namespace xtape
