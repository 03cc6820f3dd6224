// SPDX-License-Identifier: BSD-3-Clause
#include "arithmetic.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "../parallel.hpp"

namespace xtape::kernels {
namespace {

constexpr std::int64_t kGrain = 1 << 15;

template <class T>
T larger(T a, T b) noexcept {
  return a > b || a != a ? a : b;
}
template <class T>
T smaller(T a, T b) noexcept {
  return a < b || a != a ? a : b;
}

// Of integers b != 0; the quotient of the lowest number by -1 wraps around.
template <Binary op, class T>
T whole_division(T a, T b) noexcept {
  if constexpr (std::is_signed_v<T>) {
    using Unsigned = std::make_unsigned_t<T>;
    if (b == -1) {
      const bool quotient = op == Binary::div_floor || op == Binary::div_trunc;
      return quotient ? static_cast<T>(Unsigned{0} - static_cast<Unsigned>(a)) : T(0);
    }
    const T rest = a % b;
    const bool below = rest != 0 && (rest < 0) != (b < 0);
    if constexpr (op == Binary::div_floor) return a / b - below;
    if constexpr (op == Binary::remainder) return below ? rest + b : rest;
  }
  if constexpr (op == Binary::div_floor || op == Binary::div_trunc) {
    return static_cast<T>(a / b);
  } else {
    return static_cast<T>(a % b);
  }
}

template <Binary op, class T>
T real_division(T a, T b) noexcept {
  if constexpr (op == Binary::div_trunc) return std::trunc(a / b);
  const T rest = std::fmod(a, b);
  if constexpr (op == Binary::fmod) return rest;
  const bool below = rest != 0 && (rest < 0) != (b < 0);
  if constexpr (op == Binary::remainder) return below ? rest + b : rest;
  // The rounded quotient may lie above the whole number that the exact one is below.
  if (b == 0) return a / b;
  const T quotient = (a - rest) / b - (below ? T(1) : T(0));
  if (quotient == 0) return std::copysign(T(0), a / b);
  const T whole = std::floor(quotient);
  return quotient - whole > T(0.5) ? whole + 1 : whole;
}

template <Binary op, class T>
T apply(T a, T b) noexcept {
  // Whole numbers wrap around, which is undefined for signed ones.
  using Ring = std::conditional_t<std::is_same_v<T, std::int64_t>, std::uint64_t, T>;
  if constexpr (op == Binary::add) return static_cast<T>(Ring(a) + Ring(b));
  if constexpr (op == Binary::sub) return static_cast<T>(Ring(a) - Ring(b));
  if constexpr (op == Binary::mul) return static_cast<T>(Ring(a) * Ring(b));
  if constexpr (op == Binary::div) return static_cast<T>(a / b);
  constexpr bool kDivision = op == Binary::div_floor || op == Binary::div_trunc ||
                             op == Binary::remainder || op == Binary::fmod;
  if constexpr (kDivision && std::is_floating_point_v<T>) return real_division<op>(a, b);
  if constexpr (kDivision && !std::is_floating_point_v<T>) return whole_division<op>(a, b);
  if constexpr (op == Binary::maximum) return larger(a, b);
  if constexpr (op == Binary::minimum) return smaller(a, b);
}

template <Comparison op, class T>
bool compare(T a, T b) noexcept {
  if constexpr (op == Comparison::eq) return a == b;
  if constexpr (op == Comparison::ne) return a != b;
  if constexpr (op == Comparison::lt) return a < b;
  if constexpr (op == Comparison::le) return a <= b;
  if constexpr (op == Comparison::gt) return a > b;
  if constexpr (op == Comparison::ge) return a >= b;
}

// The result may be one of the operands: each element is read before it is written.
template <class R, class T, class F>
void binary_loop(std::byte* const* pointers, const std::int64_t* steps, std::int64_t n, F f) {
  R* y = reinterpret_cast<R*>(pointers[0]);
  const T* a = reinterpret_cast<const T*>(pointers[1]);
  const T* b = reinterpret_cast<const T*>(pointers[2]);
  if (steps[1] == 1 && steps[2] == 1) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
  } else if (steps[1] == 1) {
    const T c = *b;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) y[i] = f(a[i], c);
  } else if (steps[2] == 1) {
    const T c = *a;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) y[i] = f(c, b[i]);
  } else {
    std::fill_n(y, n, f(*a, *b));
  }
}

template <Binary op, class T>
void run_binary(const void*, std::byte* const* pointers, const std::int64_t* steps,
                std::int64_t n) {
  binary_loop<T, T>(pointers, steps, n, [](T a, T b) { return apply<op>(a, b); });
}

template <Comparison op, class T>
void run_comparison(const void*, std::byte* const* pointers, const std::int64_t* steps,
                    std::int64_t n) {
  binary_loop<bool, T>(pointers, steps, n, [](T a, T b) { return compare<op>(a, b); });
}

template <class T>
void run_where(const void*, std::byte* const* pointers, const std::int64_t* steps, std::int64_t n) {
  T* y = reinterpret_cast<T*>(pointers[0]);
  const bool* c = reinterpret_cast<const bool*>(pointers[1]);
  const T* a = reinterpret_cast<const T*>(pointers[2]);
  const T* b = reinterpret_cast<const T*>(pointers[3]);
  for (std::int64_t i = 0; i < n; ++i) {
    const T x = a[i * steps[2]], z = b[i * steps[3]];
    y[i] = c[i * steps[1]] ? x : z;
  }
}

template <Binary op>
StripFunction binary_of(DType dtype) {
  return detail::dispatch(
      dtype, []<class T>(detail::Type<T>) -> StripFunction { return run_binary<op, T>; });
}

template <Binary op>
StripFunction division_of(DType dtype) {
  return detail::dispatch(dtype, []<class T>(detail::Type<T>) -> StripFunction {
    if constexpr (std::is_same_v<T, bool>) {
      return nullptr;
    } else {
      return run_binary<op, T>;
    }
  });
}

template <Comparison op>
StripFunction comparison_of(DType dtype) {
  return detail::dispatch(
      dtype, []<class T>(detail::Type<T>) -> StripFunction { return run_comparison<op, T>; });
}

}  // namespace

StripFunction binary_strip(Binary op, DType dtype) {
  switch (op) {
    case Binary::add:
      return binary_of<Binary::add>(dtype);
    case Binary::sub:
      return binary_of<Binary::sub>(dtype);
    case Binary::mul:
      return binary_of<Binary::mul>(dtype);
    case Binary::div:
      return detail::dispatch_floating(dtype, []<class T>(detail::Type<T>) -> StripFunction {
        return run_binary<Binary::div, T>;
      });
    case Binary::div_floor:
      return division_of<Binary::div_floor>(dtype);
    case Binary::div_trunc:
      return division_of<Binary::div_trunc>(dtype);
    case Binary::remainder:
      return division_of<Binary::remainder>(dtype);
    case Binary::fmod:
      return division_of<Binary::fmod>(dtype);
    case Binary::maximum:
      return binary_of<Binary::maximum>(dtype);
    case Binary::minimum:
      return binary_of<Binary::minimum>(dtype);
  }
  return nullptr;
}

StripFunction comparison_strip(Comparison op, DType dtype) {
  switch (op) {
    case Comparison::eq:
      return comparison_of<Comparison::eq>(dtype);
    case Comparison::ne:
      return comparison_of<Comparison::ne>(dtype);
    case Comparison::lt:
      return comparison_of<Comparison::lt>(dtype);
    case Comparison::le:
      return comparison_of<Comparison::le>(dtype);
    case Comparison::gt:
      return comparison_of<Comparison::gt>(dtype);
    case Comparison::ge:
      return comparison_of<Comparison::ge>(dtype);
  }
  return nullptr;
}

void add_into(DType dtype, void* sum, const void* x, std::int64_t count) {
  detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    T* s = static_cast<T*>(sum);
    const T* a = static_cast<const T*>(x);
    detail::parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
      for (std::int64_t i = begin; i < end; ++i) s[i] += a[i];
    });
  });
}

StripFunction where_strip(DType dtype) {
  return detail::dispatch(dtype,
                          []<class T>(detail::Type<T>) -> StripFunction { return run_where<T>; });
}

}  // namespace xtape::kernels
