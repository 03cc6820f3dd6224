// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "../error.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "joining.hpp"
#include "logic.hpp"
#include "shape.hpp"
#include "sorting.hpp"

namespace xtape {
namespace {

void check(const Tensor& x) {
  detail::check_defined("quantile", x);
  if (!is_floating(x.dtype())) {
    throw DTypeError("quantile: expected a floating dtype, got " + x.description());
  }
}

// Of the sorted elements along `dim`.
Tensor quantile_of(const Tensor& sorted, double q, int dim, bool keepdim, Interpolation how) {
  if (!(q >= 0 && q <= 1)) {
    throw ValueError("quantile: expected q in [0, 1], got " + std::to_string(q));
  }
  const std::int64_t n = sorted.sizes()[dim];
  if (n == 0) {
    throw ValueError("quantile: no elements along dimension " + std::to_string(dim) + " of shape " +
                     to_string(sorted.sizes()));
  }
  double place = q * static_cast<double>(n - 1);
  if (how == Interpolation::nearest) place = std::nearbyint(place);
  if (how == Interpolation::lower) place = std::floor(place);
  if (how == Interpolation::higher) place = std::ceil(place);
  const auto below = static_cast<std::int64_t>(place);
  const double weight = place - static_cast<double>(below);
  const auto element = [&](std::int64_t i) { return narrow(sorted, dim, i, 1); };
  Tensor y = element(below);
  if (weight > 0) {
    y = lerp(y, element(below + 1), how == Interpolation::midpoint ? 0.5 : weight);
  }
  // A NaN is sorted to the end.
  y = masked_fill(y, isnan(element(n - 1)), std::numeric_limits<double>::quiet_NaN());
  return keepdim ? y : squeeze(y, dim);
}

}  // namespace

Tensor quantile(const Tensor& x, double q, Interpolation interpolation) {
  check(x);
  return quantile(x.reshape({-1}), q, 0, false, interpolation);
}

Tensor quantile(const Tensor& x, double q, std::int64_t dim, bool keepdim,
                Interpolation interpolation) {
  check(x);
  const int d = detail::wrap_dim("quantile", dim, x.dim());
  if (x.dim() == 0) return quantile(x.reshape({1}), q, 0, false, interpolation);
  return quantile_of(sort(x, d).values, q, d, keepdim, interpolation);
}

Tensor quantile(const Tensor& x, const Tensor& q, std::int64_t dim, bool keepdim,
                Interpolation interpolation) {
  check(x);
  check(q);
  if (q.dim() != 1 || q.numel() == 0) {
    throw ShapeError("quantile: expected a 1-d q with elements, got " + q.description());
  }
  const int d = detail::wrap_dim("quantile", dim, x.dim());
  const Tensor sorted = sort(x.dim() == 0 ? x.reshape({1}) : x, d).values;
  const Tensor at = detail::copy_contiguous(q.detach().to(float64));
  std::vector<Tensor> ys;
  for (std::int64_t i = 0; i < at.numel(); ++i) {
    ys.push_back(
        quantile_of(sorted, at.data<double>()[i], d, keepdim && x.dim() > 0, interpolation));
  }
  return stack(ys);
}

}  // namespace xtape
