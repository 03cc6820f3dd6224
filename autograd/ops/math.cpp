// SPDX-License-Identifier: BSD-3-Clause
#include "math.hpp"

#include "../pointwise.hpp"
#include "unary.hpp"

namespace xtape {
namespace {

// Whole numbers stay what they are under rounding.
bool keeps_integers(const Tensor& x) { return x.defined() && !is_floating(x.dtype()); }

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
    if (keeps_integers(x)) return x.detach();                                   \
    static constexpr auto f = pointwise(#name, [](auto x) { return name(x); }); \
    return f(x);                                                                \
  }
XTAPE_ROUNDING(floor)
XTAPE_ROUNDING(ceil)
XTAPE_ROUNDING(round)
XTAPE_ROUNDING(trunc)
#undef XTAPE_ROUNDING

Tensor pow(const Tensor& x, const Tensor& y) {
  static constexpr auto f = pointwise("pow", [](auto x, auto y) { return pow(x, y); });
  return f(x, y);
}

Tensor pow(const Tensor& x, Scalar c) {
  return pointwise("pow", [k = c.real()](auto x) { return pow(x, k); })(x);
}

Tensor pow(Scalar c, const Tensor& x) {
  return pointwise("pow", [k = c.real()](auto x) { return pow(k, x); })(x);
}

}  // namespace xtape
