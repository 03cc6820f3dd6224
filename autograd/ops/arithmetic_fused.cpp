// SPDX-License-Identifier: BSD-3-Clause
#include "../pointwise.hpp"
#include "arithmetic.hpp"

// Arithmetic of three operands in one pass.
namespace xtape {
namespace {

bool are_whole(const Tensor& x, const Tensor& a, const Tensor& b) {
  return x.defined() && a.defined() && b.defined() && !is_floating(x.dtype()) &&
         !is_floating(a.dtype()) && !is_floating(b.dtype());
}

}  // namespace

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
  if (are_whole(x, a, b) && !value.is_floating()) return x + value * (a * b);
  return pointwise("addcmul",
                   [v = value.real()](auto x, auto a, auto b) { return x + v * (a * b); })(x, a, b);
}

Tensor addcdiv(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value) {
  return pointwise("addcdiv",
                   [v = value.real()](auto x, auto a, auto b) { return x + v * (a / b); })(x, a, b);
}

}  // namespace xtape
