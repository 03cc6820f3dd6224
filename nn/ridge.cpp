// SPDX-License-Identifier: BSD-3-Clause
#include "ridge.hpp"

#include <cmath>
#include <cstdint>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
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

double dot(const double* a, const double* b, std::int64_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// The lower triangle of a [n, n] becomes L of a = L L^T. False where a is not positive definite.
bool factorize(double* a, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    double* row = a + i * n;
    for (std::int64_t j = 0; j < i; ++j) {
      const double* other = a + j * n;
      row[j] = (row[j] - dot(row, other, j)) / other[j];
    }
    const double pivot = row[i] - dot(row, row, i);
    // What is left of a column that others make up is rounding.
    if (!(pivot > 1e-15 * row[i])) return false;
    row[i] = std::sqrt(pivot);
  }
  return true;
}

// b = (L L^T)^-1 b
void solve(const double* l, std::int64_t n, double* b) {
  for (std::int64_t i = 0; i < n; ++i) b[i] = (b[i] - dot(l + i * n, b, i)) / l[i * n + i];
  for (std::int64_t i = n; i-- > 0;) {
    b[i] /= l[i * n + i];
    for (std::int64_t j = 0; j < i; ++j) b[j] -= l[i * n + j] * b[i];
  }
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
  const Tensor weight = matmul(yc.t(), xc).contiguous();  // [out, in], solved row by row in place
  if (!std::isfinite(sum(gram).item<double>()) || !std::isfinite(sum(weight).item<double>())) {
    throw ValueError("ridge_regression: x or y holds Inf, NaN or numbers too large to square");
  }
  if (!factorize(detail::fresh_data<double>(gram), n)) {
    throw ValueError(
        "ridge_regression: columns of x depend on each other; expected a ridge above " +
        std::to_string(ridge));
  }
  for (std::int64_t o = 0; o < weight.sizes()[0]; ++o) {
    solve(gram.data<double>(), n, detail::fresh_data<double>(weight) + o * n);
  }
  const Tensor bias = y_mean - mv(weight, x_mean);
  return {weight.to(x.dtype()), bias.to(x.dtype())};
}

}  // namespace xtape::nn
