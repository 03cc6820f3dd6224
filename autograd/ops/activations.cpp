// SPDX-License-Identifier: BSD-3-Clause
#include "activations.hpp"

#include <string>

#include "../error.hpp"
#include "arithmetic.hpp"
#include "indexing.hpp"
#include "unary.hpp"

namespace xtape {

// Of the sign of the output alone, so the input need not be kept.
Tensor relu(const Tensor& x) {
  if (x.defined() && !is_floating(x.dtype())) return clamp_min(x, 0);
  return detail::unary_by_output(
      "relu", x, [](auto x) { return where(x <= 0, 0, x); },
      [](auto g, auto y) { return where(y > 0, g, 0); });
}

Tensor sigmoid(const Tensor& x) {
  return detail::unary_by_output(
      "sigmoid", x, [](auto x) { return sigmoid(x); },
      [](auto g, auto y) { return g * y * (1 - y); });
}

Tensor logsigmoid(const Tensor& x) {
  static constexpr auto f = pointwise("logsigmoid", [](auto x) { return logsigmoid(x); });
  return f(x);
}

Tensor softplus(const Tensor& x, double beta) {
  if (beta != 1) {
    return pointwise("softplus", [beta](auto x) { return softplus(x * beta) / beta; })(x);
  }
  static constexpr auto f = pointwise("softplus", [](auto x) { return softplus(x); });
  return f(x);
}

Tensor softsign(const Tensor& x) {
  static constexpr auto f = pointwise("softsign", [](auto x) { return x / (1 + abs(x)); });
  return f(x);
}

Tensor glu(const Tensor& x, std::int64_t dim) {
  detail::check_defined("glu", x);
  const int d = detail::wrap_dim("glu", dim, x.dim());
  if (x.dim() == 0 || x.sizes()[d] % 2 != 0) {
    throw ShapeError("glu: expected an even size of dimension " + std::to_string(d) +
                     ", got shape " + to_string(x.sizes()));
  }
  const std::int64_t half = x.sizes()[d] / 2;
  static constexpr auto f = pointwise("glu", [](auto a, auto b) { return a * sigmoid(b); });
  return f(narrow(x, d, 0, half), narrow(x, d, half, half));
}

}  // namespace xtape
