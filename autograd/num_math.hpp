// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <numbers>

#include "num.hpp"

// The functions of a pointwise formula: y = f(x) and its slope, in the ring's own functions.
namespace xtape::detail {

#define XTAPE_NUM_UNARY(name, slope)           \
  template <XTAPE_NUM>                         \
  auto name(const Num<V, M, D...>& a) {        \
    [[maybe_unused]] const auto& x = a.value;  \
    auto y = name(x);                          \
    return chain(a, y, [&] { return slope; }); \
  }
XTAPE_NUM_UNARY(exp, y)
XTAPE_NUM_UNARY(exp2, y* std::numbers::ln2)
XTAPE_NUM_UNARY(expm1, y + 1.0)
XTAPE_NUM_UNARY(log, 1.0 / x)
XTAPE_NUM_UNARY(log2, (1.0 / std::numbers::ln2) / x)
XTAPE_NUM_UNARY(log10, (1.0 / std::numbers::ln10) / x)
XTAPE_NUM_UNARY(log1p, 1.0 / (x + 1.0))
XTAPE_NUM_UNARY(sqrt, 0.5 / y)
XTAPE_NUM_UNARY(rsqrt, (y / x) * -0.5)
XTAPE_NUM_UNARY(square, x * 2.0)
XTAPE_NUM_UNARY(reciprocal, -(y* y))
XTAPE_NUM_UNARY(sin, cos(x))
XTAPE_NUM_UNARY(cos, -sin(x))
XTAPE_NUM_UNARY(tan, y* y + 1.0)
XTAPE_NUM_UNARY(asin, 1.0 / sqrt((1.0 - x) * (x + 1.0)))
XTAPE_NUM_UNARY(acos, -1.0 / sqrt((1.0 - x) * (x + 1.0)))
XTAPE_NUM_UNARY(atan, 1.0 / (x * x + 1.0))
XTAPE_NUM_UNARY(sinh, cosh(x))
XTAPE_NUM_UNARY(cosh, sinh(x))
XTAPE_NUM_UNARY(tanh, 1.0 - y * y)
XTAPE_NUM_UNARY(asinh, 1.0 / sqrt(x * x + 1.0))
XTAPE_NUM_UNARY(acosh, 1.0 / sqrt((x - 1.0) * (x + 1.0)))
XTAPE_NUM_UNARY(atanh, 1.0 / ((1.0 - x) * (x + 1.0)))
XTAPE_NUM_UNARY(erf, exp(-(x* x)) * (2.0 * std::numbers::inv_sqrtpi))
XTAPE_NUM_UNARY(erfc, exp(-(x* x)) * (-2.0 * std::numbers::inv_sqrtpi))
XTAPE_NUM_UNARY(ndtr, exp(x* x * -0.5) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2))
XTAPE_NUM_UNARY(sigmoid, y*(1.0 - y))
XTAPE_NUM_UNARY(softplus, sigmoid(x))
XTAPE_NUM_UNARY(logsigmoid, sigmoid(-x))
XTAPE_NUM_UNARY(abs, sign(x))
#undef XTAPE_NUM_UNARY

// Steps: flat almost everywhere, so the result depends on nothing.
#define XTAPE_NUM_STEP(name)            \
  template <XTAPE_NUM>                  \
  auto name(const Num<V, M, D...>& x) { \
    return constant(name(x.value));     \
  }
XTAPE_NUM_STEP(sign)
XTAPE_NUM_STEP(floor)
XTAPE_NUM_STEP(ceil)
XTAPE_NUM_STEP(round)
XTAPE_NUM_STEP(trunc)
#undef XTAPE_NUM_STEP

template <XTAPE_NUM>
auto fabs(const Num<V, M, D...>& x) {
  return abs(x);
}

/// x <= 0 ? 0 : x, with slope 0 at 0.
template <XTAPE_NUM>
auto relu(const Num<V, M, D...>& x) {
  return where(x <= 0, 0, x);
}

/// The larger of both, NaN where either is; at equality the slope is split evenly by `maximum` on
/// tensors, and goes to the second here.
template <XTAPE_NUM, XTAPE_NUM_2>
auto max(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  return where(a > b || a != a, a, b);
}
template <XTAPE_NUM, XTAPE_NUM_2>
auto min(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  return where(a < b || a != a, a, b);
}
template <XTAPE_NUM, Number C>
auto max(const Num<V, M, D...>& a, C c) {
  return where(a > c || a != a, a, c);
}
template <XTAPE_NUM, Number C>
auto min(const Num<V, M, D...>& a, C c) {
  return where(a < c || a != a, a, c);
}
template <XTAPE_NUM, Number C>
auto max(C c, const Num<V, M, D...>& a) {
  return max(a, c);
}
template <XTAPE_NUM, Number C>
auto min(C c, const Num<V, M, D...>& a) {
  return min(a, c);
}
/// x limited to [low, high]; its slope is 1 at the limits too.
template <XTAPE_NUM, Number A, Number B>
auto clamp(const Num<V, M, D...>& x, A low, B high) {
  return where(x > high, high, where(x < low, low, x));
}

/// a^b of two arguments; both slopes exist for a > 0. At a == 0 the one of b is 0, and at b == 0
/// that of a.
template <XTAPE_NUM, XTAPE_NUM_2>
auto pow(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  auto y = pow(a.value, b.value);
  const auto left = [&](const auto& p) {
    const auto zero = number_like(y, 0.0);
    const auto slope = b.value * pow(a.value, b.value - 1.0);
    return times(where(eq(b.value, number_like(b.value, 0.0)), zero, slope), p);
  };
  const auto right = [&](const auto& q) {
    const auto zero = number_like(y, 0.0);
    return times(where(eq(a.value, number_like(a.value, 0.0)), zero, y * log(a.value)), q);
  };
  return combine(
      a, b, y, [&](const auto& p, const auto& q) { return plus(left(p), right(q)); }, left, right);
}

/// x^c for a number c.
template <XTAPE_NUM, Number C>
auto pow(const Num<V, M, D...>& x, C c) {
  const auto k = static_cast<double>(c);
  auto y = pow(x.value, k);
  return chain(x, y,
               [&] { return k == 0.0 ? pow(x.value, 0.0) * 0.0 : pow(x.value, k - 1.0) * k; });
}
/// c^x for a number c; the slope exists for c > 0 and is 0 for c == 0.
template <Number C, XTAPE_NUM>
auto pow(C c, const Num<V, M, D...>& x) {
  const auto k = static_cast<double>(c);
  auto y = pow(number_like(x.value, k), x.value);
  return chain(x, y, [&] { return y * (k == 0.0 ? 0.0 : std::log(k)); });
}

/// The angle of (x, y).
template <XTAPE_NUM, XTAPE_NUM_2>
auto atan2(const Num<V, M, D...>& y, const Num<W, N, E...>& x) {
  auto angle = atan2(y.value, x.value);
  const auto left = [&](const auto& p) {
    return times(x.value / (x.value * x.value + y.value * y.value), p);
  };
  const auto right = [&](const auto& q) {
    return times(-y.value / (x.value * x.value + y.value * y.value), q);
  };
  return combine(
      y, x, angle, [&](const auto& p, const auto& q) { return plus(left(p), right(q)); }, left,
      right);
}

}  // namespace xtape::detail
