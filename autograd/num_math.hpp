// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <limits>
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
XTAPE_NUM_UNARY(erfinv, exp(y* y) * (0.5 / std::numbers::inv_sqrtpi))
XTAPE_NUM_UNARY(lgamma, digamma(x))
XTAPE_NUM_UNARY(digamma, polygamma(1, x))
XTAPE_NUM_UNARY(logit, 1.0 / ((1.0 - x) * x))
XTAPE_NUM_UNARY(sigmoid, y*(1.0 - y))
XTAPE_NUM_UNARY(softplus, sigmoid(x))
XTAPE_NUM_UNARY(logsigmoid, sigmoid(-x))
XTAPE_NUM_UNARY(abs, sign(x))
#undef XTAPE_NUM_UNARY

/// Its slope is 0 at 0, where that of the function is infinite.
template <XTAPE_NUM>
auto sqrt(const Num<V, M, D...>& x) {
  auto y = sqrt(x.value);
  return chain(x, y, [&] {
    const auto zero = number_like(y, 0.0);
    return where(eq(y, zero), zero, 0.5 / y);
  });
}

/// The n-th derivative of digamma.
template <XTAPE_NUM>
auto polygamma(int n, const Num<V, M, D...>& x) {
  auto y = polygamma(n, x.value);
  return chain(x, y, [&] { return polygamma(n + 1, x.value); });
}

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

/// a^b of two arguments; both slopes exist for a > 0. At a == 0 the one of b is 0; the one of a is
/// 0 at b == 0, and where a root is vertical: at a == 0 for 0 < b < 1.
template <XTAPE_NUM, XTAPE_NUM_2>
auto pow(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  auto y = pow(a.value, b.value);
  const auto left = [&](const auto& p) {
    const auto zero = number_like(y, 0.0);
    const auto none = number_like(b.value, 0.0), one = number_like(b.value, 1.0);
    const auto vertical = logical_and(eq(a.value, number_like(a.value, 0.0)),
                                      logical_and(gt(b.value, none), lt(b.value, one)));
    const auto slope = b.value * pow(a.value, b.value - 1.0);
    return times(where(logical_or(eq(b.value, none), vertical), zero, slope), p);
  };
  const auto right = [&](const auto& q) {
    const auto zero = number_like(y, 0.0);
    return times(where(eq(a.value, number_like(a.value, 0.0)), zero, y * log(a.value)), q);
  };
  return combine(
      a, b, y, [&](const auto& p, const auto& q) { return plus(left(p), right(q)); }, left, right);
}

/// x^c for a number c; the slope of a root, 0 < c < 1, is 0 at 0, as that of sqrt.
template <XTAPE_NUM, Number C>
auto pow(const Num<V, M, D...>& x, C c) {
  const auto k = static_cast<double>(c);
  auto y = pow(x.value, k);
  return chain(x, y, [&] {
    const auto slope = k == 0.0 ? pow(x.value, 0.0) * 0.0 : pow(x.value, k - 1.0) * k;
    if (!(k > 0.0 && k < 1.0)) return slope;
    const auto zero = number_like(x.value, 0.0);
    return where(eq(x.value, zero), zero, slope);
  });
}
/// c^x for a number c; the slope exists for c > 0 and is 0 for c == 0.
template <Number C, XTAPE_NUM>
auto pow(C c, const Num<V, M, D...>& x) {
  const auto k = static_cast<double>(c);
  auto y = pow(number_like(x.value, k), x.value);
  return chain(x, y, [&] { return y * (k == 0.0 ? 0.0 : std::log(k)); });
}

/// The angle of (x, y); slopes 0 at the origin.
template <XTAPE_NUM, XTAPE_NUM_2>
auto atan2(const Num<V, M, D...>& y, const Num<W, N, E...>& x) {
  auto angle = atan2(y.value, x.value);
  const auto part = [&](const auto& v) {
    const auto squared = x.value * x.value + y.value * y.value;
    const auto zero = number_like(squared, 0.0);
    return where(eq(squared, zero), zero, v / squared);
  };
  const auto left = [&](const auto& p) { return times(part(x.value), p); };
  const auto right = [&](const auto& q) { return times(part(-y.value), q); };
  return combine(
      y, x, angle, [&](const auto& p, const auto& q) { return plus(left(p), right(q)); }, left,
      right);
}

/// sqrt(a^2 + b^2) without overflow; slopes 0 at the origin.
template <XTAPE_NUM, XTAPE_NUM_2>
auto hypot(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  auto y = hypot(a.value, b.value);
  const auto zero = number_like(y, 0.0);
  const auto part = [&](const auto& x) { return where(eq(y, zero), zero, x / y); };
  const auto left = [&](const auto& p) { return times(part(a.value), p); };
  const auto right = [&](const auto& q) { return times(part(b.value), q); };
  return combine(
      a, b, y, [&](const auto& p, const auto& q) { return plus(left(p), right(q)); }, left, right);
}

/// log(e^a + e^b) without overflow.
template <XTAPE_NUM, XTAPE_NUM_2>
auto logaddexp(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  const auto difference = a.value - b.value, zero = number_like(difference, 0.0);
  // Two equal infinities.
  const auto equal = logical_and(eq(a.value, b.value), ne(difference, difference));
  const auto gap = where(equal, zero, difference);
  auto y = where(gt(a.value, b.value), a.value, b.value) + softplus(-abs(gap));
  const auto left = [&](const auto& p) { return times(sigmoid(gap), p); };
  const auto right = [&](const auto& q) { return times(sigmoid(-gap), q); };
  return combine(
      a, b, y, [&](const auto& p, const auto& q) { return plus(left(p), right(q)); }, left, right);
}

/// x log(y), 0 for x == 0 and any y but NaN.
template <XTAPE_NUM, XTAPE_NUM_2>
auto xlogy(const Num<V, M, D...>& x, const Num<W, N, E...>& y) {
  return where(x == 0 && (y <= 0 || y == std::numeric_limits<double>::infinity()), 0, x * log(y));
}

/// sin(pi x) / (pi x), by its Taylor series near 0, so that no derivative cancels.
template <XTAPE_NUM>
auto sinc(const Num<V, M, D...>& x) {
  const auto angle = x * std::numbers::pi;
  const auto squared = angle * angle;
  const auto near = squared < 1;
  const auto s = where(near, squared, 0), far = where(near, 1, angle);
  // 1 / (2k + 1)! with alternating signs
  const auto series =
      ((((((((s * (1 / 121645100408832000.0) - 1 / 355687428096000.0) * s + 1 / 1307674368000.0) *
                s -
            1 / 6227020800.0) *
               s +
           1 / 39916800.0) *
              s -
          1 / 362880.0) *
             s +
         1 / 5040.0) *
            s -
        1 / 120.0) *
           s +
       1 / 6.0) *
          -s +
      1;
  return where(near, series, sin(far) / far);
}

}  // namespace xtape::detail
