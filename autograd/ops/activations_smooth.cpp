// SPDX-License-Identifier: BSD-3-Clause
#include <numbers>

#include "activations.hpp"
#include "unary.hpp"

// The costlier formulas, in a file of their own for the sake of compile time.
namespace xtape {

Tensor silu(const Tensor& x) {
  static constexpr auto f = pointwise("silu", [](auto x) { return x * sigmoid(x); });
  return f(x);
}

Tensor mish(const Tensor& x) {
  static constexpr auto f = pointwise("mish", [](auto x) { return x * tanh(softplus(x)); });
  return f(x);
}

Tensor elu(const Tensor& x, double alpha) {
  return pointwise(
      "elu", [alpha](auto x) { return where(x > 0, x, alpha * expm1(where(x > 0, 0, x))); })(x);
}

Tensor selu(const Tensor& x) {
  static constexpr auto f = pointwise("selu", [](auto x) {
    constexpr double kScale = 1.0507009873554804934193349852946;
    constexpr double kAlpha = 1.6732632423543772848170429916717;
    return kScale * where(x > 0, x, kAlpha * expm1(where(x > 0, 0, x)));
  });
  return f(x);
}

Tensor gelu(const Tensor& x, GeluForm form) {
  if (form == GeluForm::exact) {
    static constexpr auto f = pointwise("gelu", [](auto x) { return x * ndtr(x); });
    return f(x);
  }
  static constexpr auto f = pointwise("gelu_tanh", [](auto x) {
    const double k = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    return 0.5 * x * (1 + tanh(k * (x + 0.044715 * x * x * x)));
  });
  return f(x);
}

}  // namespace xtape
