// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"

namespace xtape {

/// The dtype of `a op b`: the higher one, but a 0-d tensor counts as a number beside a tensor of
/// more dimensions, as in PyTorch.
XTAPE_API DType result_type(const Tensor& a, const Tensor& b);

/// a + b, broadcast. Gradients: g, g.
XTAPE_API Tensor add(const Tensor& a, const Tensor& b);
XTAPE_API Tensor add(const Tensor& a, Scalar b);
/// a + alpha b. Gradients: g, alpha g.
XTAPE_API Tensor add(const Tensor& a, const Tensor& b, Scalar alpha);
/// a - b. Gradients: g, -g.
XTAPE_API Tensor sub(const Tensor& a, const Tensor& b);
XTAPE_API Tensor sub(const Tensor& a, Scalar b);
XTAPE_API Tensor sub(Scalar a, const Tensor& b);
/// a - alpha b. Gradients: g, -alpha g.
XTAPE_API Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha);
/// a b. Gradients: g b, g a.
XTAPE_API Tensor mul(const Tensor& a, const Tensor& b);
XTAPE_API Tensor mul(const Tensor& a, Scalar b);
/// a / b, true division: integers give float32. Gradients: g / b, -g (a / b) / b.
XTAPE_API Tensor div(const Tensor& a, const Tensor& b);
XTAPE_API Tensor div(const Tensor& a, Scalar b);
XTAPE_API Tensor div(Scalar a, const Tensor& b);
enum class RoundingMode : std::uint8_t { trunc, floor };
/// The quotient rounded to a whole number, towards 0 or down; integers stay integers. No gradient.
/// Throws DTypeError on booleans, ValueError where an integer is divided by 0.
XTAPE_API Tensor div(const Tensor& a, const Tensor& b, RoundingMode rounding_mode);
XTAPE_API Tensor div(const Tensor& a, Scalar b, RoundingMode rounding_mode);
XTAPE_API Tensor div(Scalar a, const Tensor& b, RoundingMode rounding_mode);
/// a - b div(a, b, floor), with the sign of b. Gradients: g, -g div(a, b, floor). Throws as div.
XTAPE_API Tensor remainder(const Tensor& a, const Tensor& b);
XTAPE_API Tensor remainder(const Tensor& a, Scalar b);
XTAPE_API Tensor remainder(Scalar a, const Tensor& b);
/// a - b div(a, b, trunc), with the sign of a. Gradients: g, -g div(a, b, trunc). Throws as div.
XTAPE_API Tensor fmod(const Tensor& a, const Tensor& b);
XTAPE_API Tensor fmod(const Tensor& a, Scalar b);
XTAPE_API Tensor fmod(Scalar a, const Tensor& b);
/// -x
XTAPE_API Tensor neg(const Tensor& x);
/// The larger of both, NaN where either is. Gradient: to the larger, half to each where equal.
XTAPE_API Tensor maximum(const Tensor& a, const Tensor& b);
/// The smaller of both, NaN where either is. Gradient: to the smaller, half to each where equal.
XTAPE_API Tensor minimum(const Tensor& a, const Tensor& b);
/// Limits x to [min, max]; NaN stays. Gradient: g inside and at the limits, 0 outside.
XTAPE_API Tensor clamp(const Tensor& x, Scalar min, Scalar max);
XTAPE_API Tensor clamp_min(const Tensor& x, Scalar min);
XTAPE_API Tensor clamp_max(const Tensor& x, Scalar max);
/// As above with a limit for each element, broadcast; where min > max the result is max. A limit
/// gets the gradient where it is the result.
XTAPE_API Tensor clamp(const Tensor& x, const Tensor& min, const Tensor& max);
/// a + weight (b - a), exact at weights of 0 and 1. Gradients: (1 - weight) g, weight g, g (b - a).
XTAPE_API Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight);
XTAPE_API Tensor lerp(const Tensor& a, const Tensor& b, double weight);
/// x + value a b. Gradients: g, value g b, value g a.
XTAPE_API Tensor addcmul(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value = 1);
/// x + value a / b. Gradients: g, value g / b, -value g a / b^2.
XTAPE_API Tensor addcdiv(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value = 1);
/// condition ? a : b, all broadcast. Gradients: to a where the condition holds, to b elsewhere.
XTAPE_API Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
XTAPE_API Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
XTAPE_API Tensor where(const Tensor& condition, Scalar a, const Tensor& b);
/// Of two numbers: float32 where one is real, else int64, boolean of two booleans.
XTAPE_API Tensor where(const Tensor& condition, Scalar a, Scalar b);

/// Element by element, boolean results, no gradient.
XTAPE_API Tensor eq(const Tensor& a, const Tensor& b);
XTAPE_API Tensor ne(const Tensor& a, const Tensor& b);
XTAPE_API Tensor lt(const Tensor& a, const Tensor& b);
XTAPE_API Tensor le(const Tensor& a, const Tensor& b);
XTAPE_API Tensor gt(const Tensor& a, const Tensor& b);
XTAPE_API Tensor ge(const Tensor& a, const Tensor& b);
XTAPE_API Tensor eq(const Tensor& a, Scalar b);
XTAPE_API Tensor ne(const Tensor& a, Scalar b);
XTAPE_API Tensor lt(const Tensor& a, Scalar b);
XTAPE_API Tensor le(const Tensor& a, Scalar b);
XTAPE_API Tensor gt(const Tensor& a, Scalar b);
XTAPE_API Tensor ge(const Tensor& a, Scalar b);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator+(const Tensor& a, Scalar b) { return add(a, b); }
inline Tensor operator+(Scalar a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator-(const Tensor& a, Scalar b) { return sub(a, b); }
inline Tensor operator-(Scalar a, const Tensor& b) { return sub(a, b); }
inline Tensor operator-(const Tensor& x) { return neg(x); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator*(const Tensor& a, Scalar b) { return mul(a, b); }
inline Tensor operator*(Scalar a, const Tensor& b) { return mul(b, a); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator/(const Tensor& a, Scalar b) { return div(a, b); }
inline Tensor operator/(Scalar a, const Tensor& b) { return div(a, b); }
namespace detail {
/// Throws GradError where x is a leaf that requires grad.
XTAPE_API void check_rebindable(const char* operation, const Tensor& x);
}  // namespace detail

/// x += b is x = x + b: this handle becomes one of a new value, recorded as any other, and other
/// handles keep theirs. What writes in place is x.add_(b). Throw GradError where x is a leaf that
/// requires grad: a parameter would stay as it is.
inline Tensor& operator+=(Tensor& x, const Tensor& b) {
  detail::check_rebindable("+=", x);
  return x = add(x, b);
}
inline Tensor& operator+=(Tensor& x, Scalar b) {
  detail::check_rebindable("+=", x);
  return x = add(x, b);
}
inline Tensor& operator-=(Tensor& x, const Tensor& b) {
  detail::check_rebindable("-=", x);
  return x = sub(x, b);
}
inline Tensor& operator-=(Tensor& x, Scalar b) {
  detail::check_rebindable("-=", x);
  return x = sub(x, b);
}
inline Tensor& operator*=(Tensor& x, const Tensor& b) {
  detail::check_rebindable("*=", x);
  return x = mul(x, b);
}
inline Tensor& operator*=(Tensor& x, Scalar b) {
  detail::check_rebindable("*=", x);
  return x = mul(x, b);
}
inline Tensor& operator/=(Tensor& x, const Tensor& b) {
  detail::check_rebindable("/=", x);
  return x = div(x, b);
}
inline Tensor& operator/=(Tensor& x, Scalar b) {
  detail::check_rebindable("/=", x);
  return x = div(x, b);
}
inline Tensor operator<(const Tensor& a, const Tensor& b) { return lt(a, b); }
inline Tensor operator<(const Tensor& a, Scalar b) { return lt(a, b); }
inline Tensor operator<(Scalar a, const Tensor& b) { return gt(b, a); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return le(a, b); }
inline Tensor operator<=(const Tensor& a, Scalar b) { return le(a, b); }
inline Tensor operator<=(Scalar a, const Tensor& b) { return ge(b, a); }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return gt(a, b); }
inline Tensor operator>(const Tensor& a, Scalar b) { return gt(a, b); }
inline Tensor operator>(Scalar a, const Tensor& b) { return lt(b, a); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return ge(a, b); }
inline Tensor operator>=(const Tensor& a, Scalar b) { return ge(a, b); }
inline Tensor operator>=(Scalar a, const Tensor& b) { return le(b, a); }
inline Tensor operator==(const Tensor& a, const Tensor& b) { return eq(a, b); }
inline Tensor operator==(const Tensor& a, Scalar b) { return eq(a, b); }
inline Tensor operator==(Scalar a, const Tensor& b) { return eq(b, a); }
inline Tensor operator!=(const Tensor& a, const Tensor& b) { return ne(a, b); }
inline Tensor operator!=(const Tensor& a, Scalar b) { return ne(a, b); }
inline Tensor operator!=(Scalar a, const Tensor& b) { return ne(b, a); }

namespace detail {

/// sum += x in place: same dtype, same dense layout; the caller is sole owner of `sum`.
void add_into(const Tensor& sum, const Tensor& x) noexcept;
/// Throws as check_defined does, and DTypeError unless `x` is floating.
void check_floating(const char* operation, const Tensor& x);

}  // namespace detail
}  // namespace xtape
