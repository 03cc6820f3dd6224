// SPDX-License-Identifier: BSD-3-Clause
#include "math.hpp"

#include <algorithm>
#include <string>

#include "../error.hpp"
#include "../pointwise.hpp"
#include "elementwise.hpp"
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
      "sqrt", x, [](auto x) { return sqrt(x); }, [](auto g, auto y) { return 0.5 * g / y; });
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

Tensor atan2(const Tensor& y, const Tensor& x) {
  static constexpr auto f = pointwise("atan2", [](auto y, auto x) { return atan2(y, x); });
  return f(y, x);
}

namespace {

template <class F>
void boolean_strip(const void*, std::byte* const* pointers, const std::int64_t* steps,
                   std::int64_t count) {
  bool* y = reinterpret_cast<bool*>(pointers[0]);
  const bool* a = reinterpret_cast<const bool*>(pointers[1]);
  const bool* b = reinterpret_cast<const bool*>(pointers[2]);
  for (std::int64_t i = 0; i < count; ++i) y[i] = F{}(a[i * steps[1]], b[i * steps[2]]);
}

struct And {
  bool operator()(bool a, bool b) const noexcept { return a & b; }
};
struct Or {
  bool operator()(bool a, bool b) const noexcept { return a | b; }
};
struct NotFirst {
  bool operator()(bool a, bool) const noexcept { return !a; }
};

template <class F>
Tensor of_booleans(const char* name, const Tensor& a, const Tensor& b) {
  for (const Tensor* x : {&a, &b}) {
    detail::check_defined(name, *x);
    if (x->dtype() != boolean) {
      throw DTypeError(std::string(name) + ": expected boolean tensors, got " + x->description());
    }
  }
  return detail::elementwise(name, boolean_strip<F>, boolean, {a, b});
}

}  // namespace

Tensor logical_and(const Tensor& a, const Tensor& b) {
  return of_booleans<And>("logical_and", a, b);
}
Tensor logical_or(const Tensor& a, const Tensor& b) { return of_booleans<Or>("logical_or", a, b); }
Tensor logical_not(const Tensor& x) { return of_booleans<NotFirst>("logical_not", x, x); }

}  // namespace xtape
