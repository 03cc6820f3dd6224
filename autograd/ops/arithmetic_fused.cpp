// SPDX-License-Identifier: BSD-3-Clause
#include "../pointwise.hpp"
#include "arithmetic.hpp"

// Arithmetic of three operands in one pass.
namespace xtape {
namespace {

bool are_whole(TensorList xs) {
  for (const TensorRef& x : xs) {
    if (!x.tensor->defined() || is_floating(x.tensor->dtype())) return false;
  }
  return true;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b, Scalar alpha) {
  if (are_whole({a, b})) return a + b * alpha;
  return pointwise("add", [c = alpha.real()](auto a, auto b) { return a + c * b; })(a, b);
}

Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha) {
  if (are_whole({a, b})) return a - b * alpha;
  return pointwise("sub", [c = alpha.real()](auto a, auto b) { return a - c * b; })(a, b);
}

Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight) {
  static constexpr auto f = pointwise("lerp", [](auto a, auto b, auto w) {
    return where(w < 0.5, a + w * (b - a), b - (b - a) * (1 - w));
  });
  return f(a, b, weight);
}

Tensor lerp(const Tensor& a, const Tensor& b, double weight) {
  if (weight < 0.5) {
    return pointwise("lerp", [weight](auto a, auto b) { return a + weight * (b - a); })(a, b);
  }
  return pointwise("lerp", [w = 1 - weight](auto a, auto b) { return b - w * (b - a); })(a, b);
}

Tensor addcmul(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value) {
  if (are_whole({x, a, b}) && !value.is_floating()) return x + value * (a * b);
  return pointwise("addcmul",
                   [v = value.real()](auto x, auto a, auto b) { return x + v * (a * b); })(x, a, b);
}

Tensor addcdiv(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value) {
  return pointwise("addcdiv",
                   [v = value.real()](auto x, auto a, auto b) { return x + v * (a / b); })(x, a, b);
}

}  // namespace xtape
