// SPDX-License-Identifier: BSD-3-Clause
#include "activations.hpp"

#include "unary.hpp"

namespace xtape {

// Of the sign of the output alone, so the input need not be kept.
Tensor relu(const Tensor& x) {
  return detail::unary_by_output(
      "relu", x, [](auto x) { return where(x <= 0, 0, x); },
      [](auto g, auto y) { return where(y > 0, g, 0); });
}

Tensor sigmoid(const Tensor& x) {
  return detail::unary_by_output(
      "sigmoid", x, [](auto x) { return sigmoid(x); },
      [](auto g, auto y) { return g * y * (1 - y); });
}

Tensor relu6(const Tensor& x) {
  static constexpr auto f =
      pointwise("relu6", [](auto x) { return where(x <= 0, 0, where(x >= 6, 6, x)); });
  return f(x);
}

Tensor logsigmoid(const Tensor& x) {
  static constexpr auto f = pointwise("logsigmoid", [](auto x) { return logsigmoid(x); });
  return f(x);
}

Tensor softplus(const Tensor& x) {
  static constexpr auto f = pointwise("softplus", [](auto x) { return softplus(x); });
  return f(x);
}

Tensor softsign(const Tensor& x) {
  static constexpr auto f = pointwise("softsign", [](auto x) { return x / (1 + abs(x)); });
  return f(x);
}

Tensor leaky_relu(const Tensor& x, double slope) {
  return pointwise("leaky_relu", [slope](auto x) { return where(x > 0, x, slope * x); })(x);
}

Tensor hardtanh(const Tensor& x, double min, double max) {
  return pointwise("hardtanh",
                   [min, max](auto x) { return where(x <= min, min, where(x >= max, max, x)); })(x);
}

Tensor hardsigmoid(const Tensor& x) {
  static constexpr auto f = pointwise(
      "hardsigmoid", [](auto x) { return where(x <= -3, 0, where(x >= 3, 1, x / 6 + 0.5)); });
  return f(x);
}

Tensor hardswish(const Tensor& x) {
  static constexpr auto f = pointwise(
      "hardswish", [](auto x) { return where(x <= -3, 0, where(x >= 3, x, x * (x + 3) / 6)); });
  return f(x);
}

}  // namespace xtape
