// SPDX-License-Identifier: BSD-3-Clause
#include <string>

#include "../error.hpp"
#include "../pointwise.hpp"
#include "activations.hpp"

// Activations made of pieces: cheap formulas with kinks.
namespace xtape {

Tensor relu6(const Tensor& x) {
  static constexpr auto f =
      pointwise("relu6", [](auto x) { return where(x <= 0, 0, where(x >= 6, 6, x)); });
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

Tensor prelu(const Tensor& x, const Tensor& weight) {
  detail::check_defined("prelu", x);
  detail::check_defined("prelu", weight);
  const std::int64_t channels = x.dim() < 2 ? 1 : x.sizes()[1];
  if (weight.dim() > 1 || (weight.numel() != 1 && weight.numel() != channels)) {
    throw ShapeError("prelu: expected a weight of 1 or " + std::to_string(channels) +
                     " elements for shape " + to_string(x.sizes()) + ", got " +
                     to_string(weight.sizes()));
  }
  Shape sizes = Shape::filled(x.dim(), 1);
  if (weight.numel() != 1) sizes[1] = channels;
  static constexpr auto f =
      pointwise("prelu", [](auto x, auto w) { return where(x > 0, x, w * x); });
  return f(x, weight.reshape(sizes));
}

Tensor threshold(const Tensor& x, double threshold, double value) {
  return pointwise("threshold",
                   [threshold, value](auto x) { return where(x <= threshold, value, x); })(x);
}

Tensor heaviside(const Tensor& x, const Tensor& values) {
  // Of x itself nothing but NaN is left.
  static constexpr auto f = pointwise("heaviside", [](auto x, auto v) {
    return where(x == 0, v, where(x < 0, 0, where(x > 0, 1, sign(x))));
  });
  return f(x, values);
}

Tensor softshrink(const Tensor& x, double lambd) {
  return pointwise("softshrink", [lambd](auto x) {
    return where(x > lambd, x - lambd, where(x < -lambd, x + lambd, where(x == x, 0, x)));
  })(x);
}

Tensor hardshrink(const Tensor& x, double lambd) {
  return pointwise("hardshrink",
                   [lambd](auto x) { return where(x >= -lambd && x <= lambd, 0, x); })(x);
}

}  // namespace xtape
