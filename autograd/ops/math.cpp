// SPDX-License-Identifier: BSD-3-Clause
#include "math.hpp"

#include <string>

#include "../error.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "reductions.hpp"
#include "unary.hpp"

namespace xtape {
namespace {

bool is_whole(const Tensor& x) { return x.defined() && !is_floating(x.dtype()); }

// By squaring, modulo 2^64 (or 256) as products are.
Tensor whole_power(const Tensor& x, const Tensor& y, DType type) {
  if (any(lt(y, 0)).item<bool>()) {
    throw ValueError("pow: a whole number to a negative whole power; convert it to float first");
  }
  const DType dtype = type == boolean ? int64 : type;
  const Tensor none = zeros(detail::broadcast("pow", x.sizes(), y.sizes()), dtype);
  Tensor power = none + 1, factor = none + x.to(dtype), left = none.to(int64) + y;
  while (any(left != 0).item<bool>()) {
    power = where(remainder(left, 2) == 1, power * factor, power);
    factor *= factor;
    left = div(left, 2, RoundingMode::floor);
  }
  return power;
}

}  // namespace

Tensor exp(const Tensor& x) {
  return detail::unary_by_output(
      "exp", x, [](auto x) { return exp(x); }, [](auto g, auto y) { return g * y; });
}

Tensor expm1(const Tensor& x) {
  return detail::unary_by_output(
      "expm1", x, [](auto x) { return expm1(x); }, [](auto g, auto y) { return g * (y + 1); });
}

Tensor sqrt(const Tensor& x) {
  return detail::unary_by_output(
      "sqrt", x, [](auto x) { return sqrt(x); },
      [](auto g, auto y) { return where(y == 0, 0, 0.5 * g / y); });
}

Tensor tanh(const Tensor& x) {
  return detail::unary_by_output(
      "tanh", x, [](auto x) { return tanh(x); }, [](auto g, auto y) { return g * (1 - y * y); });
}

Tensor reciprocal(const Tensor& x) {
  return detail::unary_by_output(
      "reciprocal", x, [](auto x) { return 1 / x; }, [](auto g, auto y) { return -(g * y * y); });
}

#define XTAPE_ROUNDING(name)                                                    \
  Tensor name(const Tensor& x) {                                                \
    if (is_whole(x)) return x.clone();                                          \
    static constexpr auto f = pointwise(#name, [](auto x) { return name(x); }); \
    return f(x);                                                                \
  }
XTAPE_ROUNDING(floor)
XTAPE_ROUNDING(ceil)
XTAPE_ROUNDING(round)
XTAPE_ROUNDING(trunc)
#undef XTAPE_ROUNDING

Tensor abs(const Tensor& x) {
  if (is_whole(x)) return x.dtype() == int64 ? maximum(x, -x) : x.clone();
  static constexpr auto f = pointwise("abs", [](auto x) { return abs(x); });
  return f(x);
}

Tensor sign(const Tensor& x) {
  if (is_whole(x)) return x.dtype() == int64 ? clamp(x, -1, 1) : (x != 0).to(x.dtype());
  static constexpr auto f = pointwise("sign", [](auto x) { return sign(x); });
  return f(x);
}

Tensor square(const Tensor& x) {
  if (is_whole(x)) return x * x;
  static constexpr auto f = pointwise("square", [](auto x) { return square(x); });
  return f(x);
}

Tensor pow(const Tensor& x, const Tensor& y) {
  if (is_whole(x) && is_whole(y)) return whole_power(x, y, result_type(x, y));
  static constexpr auto f = pointwise("pow", [](auto x, auto y) { return pow(x, y); });
  return f(x, y);
}

Tensor pow(const Tensor& x, Scalar c) {
  if (is_whole(x) && !c.is_floating()) {
    return whole_power(x, scalar_tensor(c, int64), c.promote_with(x.dtype()));
  }
  return pointwise("pow", [k = c.real()](auto x) { return pow(x, k); })(x);
}

Tensor pow(Scalar c, const Tensor& x) {
  if (is_whole(x) && !c.is_floating()) {
    const DType dtype = c.promote_with(x.dtype());
    return whole_power(scalar_tensor(c, dtype), x, dtype);
  }
  return pointwise("pow", [k = c.real()](auto x) { return pow(k, x); })(x);
}

}  // namespace xtape
