// SPDX-License-Identifier: BSD-3-Clause
#include <limits>

#include "../pointwise.hpp"
#include "math.hpp"

// Functions with singular points to step around.
namespace xtape {

Tensor sinc(const Tensor& x) {
  static constexpr auto f = pointwise("sinc", [](auto x) { return sinc(x); });
  return f(x);
}

Tensor logit(const Tensor& x) {
  static constexpr auto f = pointwise("logit", [](auto x) { return logit(x); });
  return f(x);
}

Tensor logit(const Tensor& x, double eps) {
  return pointwise("logit", [eps](auto x) { return logit(clamp(x, eps, 1 - eps)); })(x);
}

Tensor nan_to_num(const Tensor& x, double nan, double posinf, double neginf) {
  if (x.defined() && !is_floating(x.dtype())) return x.clone();
  return pointwise("nan_to_num", [nan, posinf, neginf](auto x) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return where(x != x, nan, where(x == kInfinity, posinf, where(x == -kInfinity, neginf, x)));
  })(x);
}

Tensor nan_to_num(const Tensor& x, double nan) {
  detail::check_defined("nan_to_num", x);
  const double largest =
      x.dtype() == float32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  return nan_to_num(x, nan, largest, -largest);
}

}  // namespace xtape
