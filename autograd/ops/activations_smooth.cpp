// SPDX-License-Identifier: BSD-3-Clause
#include <numbers>

#include "../error.hpp"
#include "activations.hpp"
#include "unary.hpp"

// The costlier formulas, in a file of their own for the sake of compile time.
namespace xtape {

namespace {

// Beyond, sigmoid and its like are 0 or 1 in both types: f(x) = x or 0 there, without the NaN that
// an infinite x would make of a product with 0.
constexpr double kFar = 1000;

template <class X, class Y>
auto tamed(const X& x, const Y& y) {
  return where(x < -kFar, -0.0, where(x > kFar, x, y));
}

}  // namespace

Tensor silu(const Tensor& x) {
  static constexpr auto f = pointwise("silu", [](auto x) { return tamed(x, x * sigmoid(x)); });
  return f(x);
}

Tensor mish(const Tensor& x) {
  static constexpr auto f =
      pointwise("mish", [](auto x) { return tamed(x, x * tanh(softplus(x))); });
  return f(x);
}

Tensor tanhshrink(const Tensor& x) {
  static constexpr auto f = pointwise("tanhshrink", [](auto x) { return x - tanh(x); });
  return f(x);
}

Tensor celu(const Tensor& x, double alpha) {
  if (alpha == 0) throw ValueError("celu: alpha must not be 0");
  return pointwise("celu", [alpha](auto x) {
    return where(x > 0, x, alpha * expm1(where(x > 0, 0, x) / alpha));
  })(x);
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

namespace {

// The gradient of y = x P(Z < x). The probability, which takes most of the arithmetic, is y / x.
template <class F>
struct GeluClosure {
  F f;

  void operator()(Backward& t) const {
    if (t.create_graph()) return detail::GradientClosure<F, 1>{f, "gelu"}(t);
    const auto gradient = [](auto g, auto x, auto y) {
      const auto below = where(abs(x) > 1e-30, y / x, 0.5);
      const auto density = exp(x * x * -0.5) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2);
      return g * where(x < -kFar, 0, where(x > kFar, 1, below + x * density));
    };
    using G = decltype(gradient);
    Tensor in[] = {t.take_g(), t.saved(0), t.saved(1)}, out[1];
    detail::pointwise_outputs({detail::value_strip<G, 3, float>, detail::value_strip<G, 3, double>},
                              &gradient, out, 1, in, &in[0]);
    t.add(0, std::move(out[0]));
  }
};

Tensor exact_gelu(const Tensor& given) {
  const auto f = [](auto x) { return tamed(x, x * ndtr(x)); };
  using F = decltype(f);
  Tensor x = given;
  const bool number[] = {false};
  detail::convert_arguments("gelu", {&x, 1}, number);
  Tensor y = detail::pointwise_value(
      "gelu", {detail::value_strip<F, 1, float>, detail::value_strip<F, 1, double>}, &f, {&x, 1});
  record("gelu", y, {given}, saves(x, y), GeluClosure<F>{f});
  return y;
}

}  // namespace

Tensor gelu(const Tensor& x, GeluForm form) {
  if (form == GeluForm::exact) return exact_gelu(x);
  // 1 + tanh(u) = 2 sigmoid(2 u), which does not cancel.
  static constexpr auto f = pointwise("gelu_tanh", [](auto x) {
    const double k = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    return tamed(x, x * sigmoid(k * (x + 0.044715 * x * x * x)));
  });
  return f(x);
}

}  // namespace xtape
