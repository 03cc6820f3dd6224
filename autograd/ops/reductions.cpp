// SPDX-License-Identifier: BSD-3-Clause
#include "reductions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "../error.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "joining.hpp"
#include "math.hpp"
#include "reduction_plan.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

using detail::expanded;
using detail::Mask;
using detail::reduced_dims;
using Plan = detail::ReductionPlan;

Tensor sum_over(const Tensor& x, Mask mask, bool keepdim) {
  const Plan plan(x, mask, keepdim);
  Tensor y = plan.result(is_floating(x.dtype()) ? x.dtype() : int64);
  kernels::reduce_sum(plan.reduction(), x.dtype(), y.value()->data, x.value()->data);
  record("sum", y, {x}, saves(),
         [mask](Backward& t) { t.add(0, expanded(t.g(), mask, t.sizes(0))); });
  return y;
}

}  // namespace

Tensor sum(const Tensor& x, const Shape& dims, bool keepdim) {
  return sum_over(x, reduced_dims("sum", x, dims), keepdim);
}

Tensor mean(const Tensor& x, const Shape& dims, bool keepdim) {
  const Mask mask = reduced_dims("mean", x, dims);
  detail::check_floating("mean", x);
  const Plan plan(x, mask, keepdim);
  const double count = static_cast<double>(plan.count());
  Tensor y = plan.result(x.dtype());
  kernels::reduce_mean(plan.reduction(), x.dtype(), y.value()->data, x.value()->data, count);
  record("mean", y, {x}, saves(),
         [mask, count](Backward& t) { t.add(0, expanded(t.g() / count, mask, t.sizes(0))); });
  return y;
}

Tensor Tensor::sum() const { return xtape::sum(*this); }
Tensor Tensor::sum(const Shape& dims, bool keepdim) const {
  return xtape::sum(*this, dims, keepdim);
}
Tensor Tensor::mean() const { return xtape::mean(*this); }
Tensor Tensor::mean(const Shape& dims, bool keepdim) const {
  return xtape::mean(*this, dims, keepdim);
}

namespace {

// Along the last dimension, the product of all others: pairs are multiplied, the same is done with
// their products, and each gets its partner's share. Right at zeros, for derivatives of any order.
Tensor product_of_others(const Tensor& x) {
  const std::int64_t n = x.size(-1);
  if (n == 1) return ones_like(x);
  if (n % 2 != 0) return narrow(product_of_others(pad(x, {0, 1}, 1)), -1, 0, n);
  const Tensor first = x[{ellipsis, slice(0, none, 2)}];
  const Tensor second = x[{ellipsis, slice(1, none, 2)}];
  const Tensor others = product_of_others(first * second);
  return stack({others * second, others * first}, -1).reshape(x.shape());
}

// d prod / dx: the reduced dimensions are brought together at the back, and go where they were.
Tensor products_of_others(const Tensor& x, Mask mask) {
  Shape source, target, whole;
  int kept = 0;
  for (int i = 0; i < x.dim(); ++i) kept += !(mask >> i & 1);
  for (int i = 0; i < x.dim(); ++i) {
    if (!(mask >> i & 1)) continue;
    target.push_back(kept + source.rank());
    source.push_back(i);
  }
  if (source.empty()) return ones_like(x);
  const Tensor moved = movedim(x, source, target);
  const Tensor others = product_of_others(flatten(moved, kept, -1));
  return movedim(others.reshape(moved.shape()), target, source);
}

}  // namespace

Tensor prod(const Tensor& x, const Shape& dims, bool keepdim) {
  const Mask mask = reduced_dims("prod", x, dims);
  const Plan plan(x, mask, keepdim);
  Tensor y = plan.result(is_floating(x.dtype()) ? x.dtype() : int64);
  kernels::reduce_product(plan.reduction(), x.dtype(), y.value()->data, x.value()->data);
  record("prod", y, {x}, saves(x, y), [mask](Backward& t) {
    const Tensor input = t.saved(0);
    if (input.numel() == 0) return t.add(0, zeros_like(input));
    const Tensor g = expanded(t.g(), mask, input.sizes());
    if (t.create_graph() || !all(input).item<bool>()) {
      return t.add(0, g * products_of_others(input, mask));
    }
    t.add(0, g * (expanded(t.saved(1), mask, input.sizes()) / input));
  });
  return y;
}

namespace {

struct Variance {
  Tensor y, mean;
  double divisor;
};

Variance variance(const char* operation, const Tensor& x, Mask mask, std::int64_t correction,
                  bool keepdim, bool root) {
  detail::check_floating(operation, x);
  const Plan plan(x, mask, keepdim);
  const auto count = static_cast<double>(plan.count());
  Variance v{plan.result(x.dtype()), plan.kept_result(x.dtype()),
             std::max(0.0, count - static_cast<double>(correction))};
  const kernels::Reduction r = plan.reduction();
  const void* data = x.value()->data;
  if (x.numel() > 0) {
    // From the first element on: the mean of equal numbers is that number, to the last bit.
    v.mean.copy_(detail::make_view(x, x.value()->data, plan.kept, x.strides()));
    const Tensor rest = plan.kept_result(x.dtype());
    kernels::reduce_mean_difference(r, x.dtype(), rest.value()->data, data, v.mean.value()->data,
                                    count);
    v.mean.add_(rest);
  } else {
    kernels::reduce_mean(r, x.dtype(), v.mean.value()->data, data, count);
  }
  kernels::reduce_variance(r, x.dtype(), v.y.value()->data, data, v.mean.value()->data, v.divisor,
                           root);
  return v;
}

// x - mean, by recorded operations where the gradient's own graph is wanted.
Tensor centered(Backward& t, Mask mask) {
  const Tensor x = t.saved(0);
  if (!t.create_graph()) return x - t.saved(1);
  return x - detail::with_reduced(sum_over(x, mask, true), mask, x.sizes()) /
                 static_cast<double>(Plan(x, mask, true).count());
}

}  // namespace

Tensor var(const Tensor& x, const Shape& dims, std::int64_t correction, bool keepdim) {
  const Mask mask = reduced_dims("var", x, dims);
  Variance v = variance("var", x, mask, correction, keepdim, false);
  const double divisor = v.divisor;
  record("var", v.y, {x}, saves(x, v.mean), [mask, divisor](Backward& t) {
    t.add(0, expanded(t.g() * (2 / divisor), mask, t.sizes(0)) * centered(t, mask));
  });
  return v.y;
}

namespace {

// g / norm, 0 where the norm is 0. The divisor is masked too: what is masked after a division by 0
// is NaN in a second derivative.
Tensor over_norm(const Tensor& g, const Tensor& norm) {
  const Tensor zero = eq(norm, 0);
  return masked_fill(g / masked_fill(norm, zero, 1), zero, 0);
}

}  // namespace

Tensor std(const Tensor& x, const Shape& dims, std::int64_t correction, bool keepdim) {
  const Mask mask = reduced_dims("std", x, dims);
  Variance v = variance("std", x, mask, correction, keepdim, true);
  const double divisor = v.divisor;
  record("std", v.y, {x}, saves(x, v.mean, v.y), [mask, divisor](Backward& t) {
    const Tensor g = over_norm(t.g() / divisor, t.saved(2));
    t.add(0, expanded(g, mask, t.sizes(0)) * centered(t, mask));
  });
  return v.y;
}

VarianceAndMean var_mean(const Tensor& x, const Shape& dims, std::int64_t correction,
                         bool keepdim) {
  return {var(x, dims, correction, keepdim), mean(x, dims, keepdim)};
}

DeviationAndMean std_mean(const Tensor& x, const Shape& dims, std::int64_t correction,
                          bool keepdim) {
  return {std(x, dims, correction, keepdim), mean(x, dims, keepdim)};
}

Tensor logsumexp(const Tensor& x, const Shape& dims, bool keepdim) {
  const Mask mask = reduced_dims("logsumexp", x, dims);
  detail::check_floating("logsumexp", x);
  const Plan plan(x, mask, keepdim);
  Tensor y = plan.result(x.dtype());
  Tensor shift = plan.result(x.dtype());
  const kernels::Reduction r = plan.reduction();
  if (plan.count() > 0) {
    kernels::reduce_extreme(r, x.dtype(), true, shift.value()->data, x.value()->data);
  } else {
    shift.zero_();
  }
  // An infinite largest element would give inf - inf.
  shift = masked_fill(shift, eq(abs(shift), std::numeric_limits<double>::infinity()), 0);
  kernels::reduce_log_sum_exp(r, x.dtype(), y.value()->data, x.value()->data, shift.value()->data);
  y = y + shift;
  record("logsumexp", y, {x}, saves(x, y), [mask](Backward& t) {
    // Divided by their own sum: a large result has too few digits for e^(x - y). A row of -inf gets
    // 0.
    const Tensor input = t.saved(0);
    Tensor shift = detail::with_reduced(t.saved(1).detach(), mask, input.sizes());
    shift = masked_fill(shift, eq(shift, -std::numeric_limits<double>::infinity()), 0);
    const Tensor terms = exp(input - shift);
    const Tensor total = sum_over(terms, mask, true);
    const Tensor g = detail::with_reduced(t.g(), mask, input.sizes());
    t.add(0, g / masked_fill(total, eq(total, 0), 1) * terms);
  });
  return y;
}

namespace {

Tensor euclidean_norm(const Tensor& x, Mask mask, bool keepdim) {
  const Plan plan(x, mask, keepdim);
  Tensor y = plan.result(x.dtype());
  kernels::reduce_norm(plan.reduction(), x.dtype(), y.value()->data, x.value()->data);
  record("norm", y, {x}, saves(x, y), [mask](Backward& t) {
    t.add(0, expanded(over_norm(t.g(), t.saved(1)), mask, t.sizes(0)) * t.saved(0));
  });
  return y;
}

Tensor power_norm(const Tensor& x, double p, Mask mask, bool keepdim) {
  Tensor y;
  {
    const NoGrad no_grad;
    y = pow(sum_over(pow(abs(x), p), mask, keepdim), 1 / p);
  }
  record("norm", y, {x}, saves(x, y), [mask, p](Backward& t) {
    const Tensor input = t.saved(0), zero = eq(input, 0);
    // Where x is 0, a number that no power of is infinite.
    const Tensor norms = t.saved(1), wide = masked_fill(norms, eq(norms, 0), 1);
    const Tensor share = masked_fill(abs(input) / expanded(wide, mask, t.sizes(0)), zero, 1);
    const Tensor slope = masked_fill(pow(share, p - 1) * sign(input), zero, 0);
    t.add(0, expanded(t.g(), mask, t.sizes(0)) * slope);
  });
  return y;
}

}  // namespace

Tensor norm(const Tensor& x, double p, const Shape& dims, bool keepdim) {
  const Mask mask = reduced_dims("norm", x, dims);
  detail::check_floating("norm", x);
  if (std::isnan(p)) throw ValueError("norm: p is not a number");
  if (p == 2) return euclidean_norm(x, mask, keepdim);
  if (p == 0) return sum_over(ne(x, 0).to(x.dtype()), mask, keepdim);
  if (p == 1) return sum_over(abs(x), mask, keepdim);
  if (std::isinf(p)) return p > 0 ? amax(abs(x), dims, keepdim) : amin(abs(x), dims, keepdim);
  return power_norm(x, p, mask, keepdim);
}

namespace detail {

Tensor sum_to(const Tensor& x, const Shape& shape) {
  const int lead = x.dim() - shape.rank();
  Mask mask = 0;
  bool fits = lead >= 0;
  for (int i = 0; fits && i < x.dim(); ++i) {
    const std::int64_t size = i < lead ? 1 : shape[i - lead];
    if (i < lead || (size == 1 && x.sizes()[i] != 1)) {
      mask |= Mask{1} << i;
    } else {
      fits = size == x.sizes()[i];
    }
  }
  if (!fits) {
    throw ShapeError("sum_to: shape " + to_string(shape) + " does not broadcast to " +
                     to_string(x.sizes()));
  }
  if (mask == 0) return x;
  if (x.numel() == shape.numel()) {  // only dimensions of size 1 go away
    if (is_grad_enabled() || !x.is_contiguous()) return x.reshape(shape);
    return make_view(x, x.value()->data, shape, contiguous_strides(shape));
  }
  // Leading dimensions go away, the others stay: the result is reshaped where both occur.
  if (mask == (Mask{1} << lead) - 1) return sum_over(x, mask, false);
  Tensor y = sum_over(x, mask, true);
  return lead == 0 ? y : y.reshape(shape);
}

}  // namespace detail
}  // namespace xtape
