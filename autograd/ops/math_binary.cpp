// SPDX-License-Identifier: BSD-3-Clause
#include <limits>

#include "../pointwise.hpp"
#include "math.hpp"

namespace xtape {

Tensor atan2(const Tensor& y, const Tensor& x) {
  static constexpr auto f = pointwise("atan2", [](auto y, auto x) { return atan2(y, x); });
  return f(y, x);
}

Tensor hypot(const Tensor& a, const Tensor& b) {
  static constexpr auto f = pointwise("hypot", [](auto a, auto b) { return hypot(a, b); });
  return f(a, b);
}

Tensor logaddexp(const Tensor& a, const Tensor& b) {
  static constexpr auto f = pointwise("logaddexp", [](auto a, auto b) { return logaddexp(a, b); });
  return f(a, b);
}

namespace {

constexpr auto kXlogy = pointwise("xlogy", [](auto x, auto y) { return xlogy(x, y); });

}  // namespace

Tensor xlogy(const Tensor& x, const Tensor& y) { return kXlogy(x, y); }
Tensor xlogy(const Tensor& x, Scalar y) { return kXlogy(x, y.real()); }
Tensor xlogy(Scalar x, const Tensor& y) { return kXlogy(x.real(), y); }

}  // namespace xtape
