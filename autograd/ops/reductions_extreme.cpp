// SPDX-License-Identifier: BSD-3-Clause
#include <string>

#include "../error.hpp"
#include "../tape.hpp"
#include "along.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "reduction_plan.hpp"
#include "reductions.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

using detail::expanded;
using detail::Mask;
using detail::reduced_dims;
using Plan = detail::ReductionPlan;

Tensor extreme(detail::OperationName name, const Tensor& x, const Shape& dims, bool keepdim,
               bool largest) {
  const Mask mask = reduced_dims(name.text, x, dims);
  const Plan plan(x, mask, keepdim);
  detail::check_not_empty(name.text, plan);
  Tensor y = plan.result(x.dtype());
  kernels::reduce_extreme(plan.reduction(), x.dtype(), largest, y.value()->data, x.value()->data);
  record(name, y, {x}, saves(x, y), [mask](Backward& t) {
    const Tensor in = t.saved(0);
    const Tensor out = detail::with_reduced(t.saved(1), mask, in.sizes());
    const Tensor chosen = eq(in, out).to(in.dtype());
    const Tensor count = detail::sum_to(chosen, Plan(in, mask, true).kept);
    t.add(0, expanded(t.g(), mask, in.sizes()) * (chosen / count));
  });
  return y;
}

using detail::Along;

void find(const Along& along, bool largest, const Tensor& indices, void* values) {
  if (indices.numel() == 0) return;
  const auto& [outer, count, inner] = along.slices;
  kernels::find_extreme(along.dense.dtype(), largest, outer, count, inner,
                        detail::fresh_data<std::int64_t>(indices), values,
                        along.dense.value()->data);
}

ValuesAndIndices extreme_along(detail::OperationName name, const Tensor& x, std::int64_t dim,
                               bool keepdim, bool largest) {
  const Along along(name.text, x, dim);
  const Shape shape = along.check_not_empty(name.text).result(keepdim);
  ValuesAndIndices y{detail::empty(x.dtype(), shape), detail::empty(int64, shape)};
  find(along, largest, y.indices, y.values.value()->data);
  const int d = along.dim;
  record(name, y.values, {x}, saves(y.indices),
         [d](Backward& t) { t.add(0, detail::spread_along(t.g(), d, t.saved(0), t.sizes(0))); });
  return y;
}

Tensor arg_extreme(const char* operation, const Tensor& x, std::int64_t dim, bool keepdim,
                   bool largest) {
  const Along along(operation, x, dim);
  Tensor y = detail::empty(int64, along.check_not_empty(operation).result(keepdim));
  find(along, largest, y, nullptr);
  return y;
}

Tensor flat(const char* operation, const Tensor& x) {
  detail::check_defined(operation, x);
  return x.detach().reshape({-1});
}

template <class F>
Tensor test(const char* operation, const Tensor& x, const Shape& dims, bool keepdim, F f) {
  const Plan plan(x, reduced_dims(operation, x, dims), keepdim);
  Tensor y = plan.result(boolean);
  f(plan.reduction(), x.dtype(), detail::fresh_data<bool>(y), x.value()->data);
  return y;
}

}  // namespace

Tensor amax(const Tensor& x, const Shape& dims, bool keepdim) {
  return extreme("amax", x, dims, keepdim, true);
}
Tensor amin(const Tensor& x, const Shape& dims, bool keepdim) {
  return extreme("amin", x, dims, keepdim, false);
}
Tensor max(const Tensor& x) { return amax(x); }
Tensor min(const Tensor& x) { return amin(x); }

ValuesAndIndices max(const Tensor& x, std::int64_t dim, bool keepdim) {
  return extreme_along("max", x, dim, keepdim, true);
}
ValuesAndIndices min(const Tensor& x, std::int64_t dim, bool keepdim) {
  return extreme_along("min", x, dim, keepdim, false);
}

Tensor argmax(const Tensor& x, std::int64_t dim, bool keepdim) {
  return arg_extreme("argmax", x, dim, keepdim, true);
}
Tensor argmax(const Tensor& x) { return arg_extreme("argmax", flat("argmax", x), 0, false, true); }
Tensor argmin(const Tensor& x, std::int64_t dim, bool keepdim) {
  return arg_extreme("argmin", x, dim, keepdim, false);
}
Tensor argmin(const Tensor& x) { return arg_extreme("argmin", flat("argmin", x), 0, false, false); }

Tensor all(const Tensor& x, const Shape& dims, bool keepdim) {
  return test("all", x, dims, keepdim, kernels::reduce_all);
}
Tensor any(const Tensor& x, const Shape& dims, bool keepdim) {
  return test("any", x, dims, keepdim, kernels::reduce_any);
}

Tensor count_nonzero(const Tensor& x, const Shape& dims) {
  detail::check_defined("count_nonzero", x);
  return sum(ne(x, 0), dims);
}

}  // namespace xtape
