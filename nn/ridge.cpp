// SPDX-License-Identifier: BSD-3-Clause
#include "ridge.hpp"

#include <cmath>
#include <cstdint>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/linalg.hpp"
#include "../autograd/ops/matmul.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/ops/shape.hpp"
#include "../autograd/tape.hpp"

namespace xtape::nn {
namespace {

void check(const Tensor& x, const Tensor& y, double ridge) {
  const bool fits = x.defined() && y.defined() && x.dim() == 2 && y.dim() == 2 &&
                    x.sizes()[0] == y.sizes()[0] && x.numel() > 0 && y.numel() > 0;
  if (!fits) {
    throw ShapeError("ridge_regression: expected x [samples, in] and y [samples, out], got " +
                     (x.defined() ? to_string(x.sizes()) : "undefined") + " and " +
                     (y.defined() ? to_string(y.sizes()) : "undefined"));
  }
  if (x.dtype() != y.dtype() || !is_floating(x.dtype())) {
    throw DTypeError("ridge_regression: expected one floating dtype, got " + x.description() +
                     " and " + y.description());
  }
  if (!(ridge >= 0 && std::isfinite(ridge))) {
    throw ValueError("ridge_regression: expected a ridge of at least 0, got " +
                     std::to_string(ridge));
  }
}

// L of gram = L L^T.
Tensor factorized(const Tensor& gram, double ridge) {
  const auto refuse = [&] {
    throw ValueError(
        "ridge_regression: columns of x depend on each other; expected a ridge above " +
        std::to_string(ridge));
  };
  Tensor l;
  try {
    l = cholesky(gram);
  } catch (const ValueError&) {
    refuse();
  }
  const std::int64_t n = gram.sizes()[0];
  for (std::int64_t i = 0; i < n; ++i) {
    const double pivot = l.data<double>()[i * n + i], whole = gram.data<double>()[i * n + i];
    // What is left of a column that others make up is rounding.
    if (!(pivot * pivot > 1e-15 * whole)) refuse();
  }
  return l;
}

}  // namespace

RidgeFit ridge_regression(const Tensor& x, const Tensor& y, double ridge) {
  check(x, y, ridge);
  const NoGrad guard;
  const Tensor x64 = x.to(float64), y64 = y.to(float64);
  const Tensor x_mean = mean(x64, {0}), y_mean = mean(y64, {0});
  const Tensor xc = x64 - x_mean, yc = y64 - y_mean;
  const std::int64_t n = x.sizes()[1];
  const Tensor gram = (matmul(xc.t(), xc) + ridge * eye(n, n, float64)).contiguous();
  const Tensor moments = matmul(xc.t(), yc);
  if (!std::isfinite(sum(gram).item<double>()) || !std::isfinite(sum(moments).item<double>())) {
    throw ValueError("ridge_regression: x or y holds Inf, NaN or numbers too large to square");
  }
  const Tensor weight = cholesky_solve(moments, factorized(gram, ridge)).t().contiguous();
  const Tensor bias = y_mean - mv(weight, x_mean);
  return {weight.to(x.dtype()), bias.to(x.dtype())};
}

}  // namespace xtape::nn
