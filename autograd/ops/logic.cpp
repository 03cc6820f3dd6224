// SPDX-License-Identifier: BSD-3-Clause
#include "logic.hpp"

#include <cmath>
#include <string>
#include <type_traits>

#include "../error.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "elementwise.hpp"
#include "math.hpp"
#include "reductions.hpp"

namespace xtape {
namespace {

template <class F>
void pair_strip(const void*, std::byte* const* pointers, const std::int64_t* steps,
                std::int64_t count) {
  bool* y = reinterpret_cast<bool*>(pointers[0]);
  const bool* a = reinterpret_cast<const bool*>(pointers[1]);
  const bool* b = reinterpret_cast<const bool*>(pointers[2]);
  for (std::int64_t i = 0; i < count; ++i) y[i] = F{}(a[i * steps[1]], b[i * steps[2]]);
}

template <class F, class T>
void number_strip(const void*, std::byte* const* pointers, const std::int64_t* steps,
                  std::int64_t count) {
  bool* y = reinterpret_cast<bool*>(pointers[0]);
  const T* x = reinterpret_cast<const T*>(pointers[1]);
  for (std::int64_t i = 0; i < count; ++i) y[i] = F{}(x[i * steps[1]]);
}

struct And {
  bool operator()(bool a, bool b) const noexcept { return a & b; }
};
struct Or {
  bool operator()(bool a, bool b) const noexcept { return a | b; }
};
struct Xor {
  bool operator()(bool a, bool b) const noexcept { return a != b; }
};
struct NotFirst {
  bool operator()(bool a, bool) const noexcept { return !a; }
};

template <class F>
Tensor of_pairs(const char* name, const Tensor& a, const Tensor& b) {
  detail::check_defined(name, a);
  detail::check_defined(name, b);
  const NoGrad no_grad;
  return detail::elementwise(name, pair_strip<F>, boolean, {a.to(boolean), b.to(boolean)});
}

// Comparisons that the compiler makes vector code of.
struct IsNan {
  template <class T>
  bool operator()(T x) const noexcept {
    return x != x;
  }
};
struct IsInf {
  template <class T>
  bool operator()(T x) const noexcept {
    return std::is_floating_point_v<T> && std::abs(static_cast<double>(x)) == HUGE_VAL;
  }
};
struct IsFinite {
  template <class T>
  bool operator()(T x) const noexcept {
    return !std::is_floating_point_v<T> || std::abs(static_cast<double>(x)) < HUGE_VAL;
  }
};

template <class F>
Tensor of_numbers(const char* name, const Tensor& x) {
  detail::check_defined(name, x);
  return detail::dispatch(x.dtype(), [&]<class T>(detail::Type<T>) {
    return detail::elementwise(name, number_strip<F, T>, boolean, {x});
  });
}

void check_booleans(const char* sign, const Tensor& a, const Tensor& b) {
  for (const Tensor* x : {&a, &b}) {
    detail::check_defined(sign, *x);
    if (x->dtype() == boolean) continue;
    throw DTypeError(std::string(sign) + ": expected boolean tensors, got " + x->description());
  }
}

}  // namespace

Tensor logical_and(const Tensor& a, const Tensor& b) { return of_pairs<And>("logical_and", a, b); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return of_pairs<Or>("logical_or", a, b); }
Tensor logical_xor(const Tensor& a, const Tensor& b) { return of_pairs<Xor>("logical_xor", a, b); }
Tensor logical_not(const Tensor& x) { return of_pairs<NotFirst>("logical_not", x, x); }

Tensor isnan(const Tensor& x) { return of_numbers<IsNan>("isnan", x); }
Tensor isinf(const Tensor& x) { return of_numbers<IsInf>("isinf", x); }
Tensor isfinite(const Tensor& x) { return of_numbers<IsFinite>("isfinite", x); }

Tensor operator&(const Tensor& a, const Tensor& b) {
  check_booleans("operator &", a, b);
  return logical_and(a, b);
}
Tensor operator|(const Tensor& a, const Tensor& b) {
  check_booleans("operator |", a, b);
  return logical_or(a, b);
}
Tensor operator^(const Tensor& a, const Tensor& b) {
  check_booleans("operator ^", a, b);
  return logical_xor(a, b);
}
Tensor operator~(const Tensor& x) {
  check_booleans("operator ~", x, x);
  return logical_not(x);
}

Tensor isclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  if (!(rtol >= 0 && atol >= 0)) {
    throw ValueError("isclose: expected tolerances of at least 0, got rtol " +
                     std::to_string(rtol) + " and atol " + std::to_string(atol));
  }
  detail::check_defined("isclose", a);
  detail::check_defined("isclose", b);
  const NoGrad no_grad;
  const DType type = result_type(a, b), dtype = is_floating(type) ? type : float64;
  const Tensor x = a.to(dtype), y = b.to(dtype);
  const Tensor apart =
      is_floating(type) ? abs(x - y) : abs(a.to(int64) - b.to(int64)).to(dtype);  // exact
  Tensor close = eq(a, b) | (isfinite(apart) & (apart <= abs(y) * rtol + atol));
  if (equal_nan) close = close | (isnan(x) & isnan(y));
  return close;
}

bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  return all(isclose(a, b, rtol, atol, equal_nan)).item<bool>();
}

bool equal(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && all(eq(a, b)).item<bool>();
}

}  // namespace xtape
