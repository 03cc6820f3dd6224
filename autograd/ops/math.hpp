// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"

// Functions of one element, or of two that broadcast. Integers are computed in float32, but abs,
// sign, square, pow (ValueError for a negative power) and the roundings keep them. NaN passes
// through. y is the result, g the incoming gradient.
namespace xtape {

XTAPE_API Tensor exp(const Tensor& x);         ///< e^x; gradient g y
XTAPE_API Tensor exp2(const Tensor& x);        ///< 2^x; g y ln 2
XTAPE_API Tensor expm1(const Tensor& x);       ///< e^x - 1, exact near 0; g (y + 1)
XTAPE_API Tensor log(const Tensor& x);         ///< natural logarithm; g / x
XTAPE_API Tensor log2(const Tensor& x);        ///< g / (x ln 2)
XTAPE_API Tensor log10(const Tensor& x);       ///< g / (x ln 10)
XTAPE_API Tensor log1p(const Tensor& x);       ///< log(1 + x), exact near 0; g / (1 + x)
XTAPE_API Tensor sqrt(const Tensor& x);        ///< g / (2 y), 0 at 0
XTAPE_API Tensor rsqrt(const Tensor& x);       ///< 1 / sqrt(x); -g y / (2 x)
XTAPE_API Tensor square(const Tensor& x);      ///< x x; 2 g x
XTAPE_API Tensor reciprocal(const Tensor& x);  ///< 1 / x; -g y y
XTAPE_API Tensor sin(const Tensor& x);         ///< g cos(x)
XTAPE_API Tensor cos(const Tensor& x);         ///< -g sin(x)
XTAPE_API Tensor tan(const Tensor& x);         ///< g (1 + y y)
XTAPE_API Tensor asin(const Tensor& x);        ///< g / sqrt(1 - x x)
XTAPE_API Tensor acos(const Tensor& x);        ///< -g / sqrt(1 - x x)
XTAPE_API Tensor atan(const Tensor& x);        ///< g / (1 + x x)
XTAPE_API Tensor sinh(const Tensor& x);        ///< g cosh(x)
XTAPE_API Tensor cosh(const Tensor& x);        ///< g sinh(x)
XTAPE_API Tensor tanh(const Tensor& x);        ///< g (1 - y y)
XTAPE_API Tensor asinh(const Tensor& x);       ///< g / sqrt(x x + 1)
XTAPE_API Tensor acosh(const Tensor& x);       ///< g / sqrt(x x - 1)
XTAPE_API Tensor atanh(const Tensor& x);       ///< g / (1 - x x)
XTAPE_API Tensor erf(const Tensor& x);         ///< error function; 2 g exp(-x x) / sqrt(pi)
XTAPE_API Tensor erfc(const Tensor& x);        ///< 1 - erf(x), exact for large x
XTAPE_API Tensor ndtr(const Tensor& x);        ///< P(Z < x), Z normal; g exp(-x x / 2) / sqrt(2 pi)
XTAPE_API Tensor erfinv(const Tensor& x);      ///< erf(y) = x; g exp(y y) sqrt(pi) / 2
XTAPE_API Tensor lgamma(const Tensor& x);      ///< log |Gamma(x)|; g digamma(x)
XTAPE_API Tensor digamma(const Tensor& x);     ///< Gamma' / Gamma; g polygamma(1, x)
XTAPE_API Tensor sinc(const Tensor& x);        ///< sin(pi x) / (pi x), 1 at 0
XTAPE_API Tensor abs(const Tensor& x);         ///< g sign(x), 0 at 0
XTAPE_API Tensor sign(const Tensor& x);        ///< -1, 0 or 1; gradient 0
XTAPE_API Tensor floor(const Tensor& x);       ///< gradient 0
XTAPE_API Tensor ceil(const Tensor& x);        ///< gradient 0
XTAPE_API Tensor round(const Tensor& x);       ///< halves to even; gradient 0
XTAPE_API Tensor trunc(const Tensor& x);       ///< gradient 0

/// x^y. Gradients: g y x^(y-1), 0 at y = 0 and at x = 0 < y < 1, and g x^y log(x), 0 at x = 0.
XTAPE_API Tensor pow(const Tensor& x, const Tensor& y);
/// x^c; small whole c by multiplication, 1/2 by sqrt. Gradient g c x^(c-1), of roots 0 at 0.
XTAPE_API Tensor pow(const Tensor& x, Scalar c);
/// c^x. Gradient g y log(c), 0 for c = 0.
XTAPE_API Tensor pow(Scalar c, const Tensor& x);
/// The n-th derivative of digamma, for n from 0 to 100 (ValueError). Gradient g polygamma(n + 1,
/// x).
XTAPE_API Tensor polygamma(std::int64_t n, const Tensor& x);
/// log(x / (1 - x)); with `eps`, x is limited to [eps, 1 - eps] first. Gradient g / (x (1 - x)).
XTAPE_API Tensor logit(const Tensor& x);
XTAPE_API Tensor logit(const Tensor& x, double eps);
/// x log(y), 0 where x is 0 and y no NaN. Gradients g log(y), g x / y.
XTAPE_API Tensor xlogy(const Tensor& x, const Tensor& y);
XTAPE_API Tensor xlogy(const Tensor& x, Scalar y);
XTAPE_API Tensor xlogy(Scalar x, const Tensor& y);
/// log(e^a + e^b) without overflow. Gradients g sigmoid(a - b), g sigmoid(b - a).
XTAPE_API Tensor logaddexp(const Tensor& a, const Tensor& b);
/// sqrt(a^2 + b^2) without overflow. Gradients g a / y, g b / y, 0 at the origin.
XTAPE_API Tensor hypot(const Tensor& a, const Tensor& b);
/// x with numbers in place of NaN and of the infinities: those given, or the largest and lowest of
/// the dtype. Gradient: g where x is finite.
XTAPE_API Tensor nan_to_num(const Tensor& x, double nan = 0);
XTAPE_API Tensor nan_to_num(const Tensor& x, double nan, double posinf, double neginf);
/// The angle of the point (x, y). Gradients g x / (x x + y y), -g y / (x x + y y), 0 at the origin.
XTAPE_API Tensor atan2(const Tensor& y, const Tensor& x);

}  // namespace xtape
