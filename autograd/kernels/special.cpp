// SPDX-License-Identifier: BSD-3-Clause
#include "special.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace xtape::kernels {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Sums that cancel near the zeros of digamma are taken with more digits.
using Long = long double;

// B_2, B_4, ..., B_24
constexpr Long kBernoulli[] = {1.0L / 6,         -1.0L / 30,      1.0L / 42,
                               -1.0L / 30,       5.0L / 66,       -691.0L / 2730,
                               7.0L / 6,         -3617.0L / 510,  43867.0L / 798,
                               -174611.0L / 330, 854513.0L / 138, -236364091.0L / 2730};

Long power(Long x, int n) noexcept {
  Long result = 1;
  for (; n > 0; n >>= 1, x *= x) {
    if (n & 1) result *= x;
  }
  return result;
}

// Abramowitz & Stegun 6.3.18 and 6.4.11, for x that is large beside n.
Long polygamma_asymptotic(int n, Long x) noexcept {
  const Long over = 1 / (x * x), scale = 1 / power(x, n);
  // (2k + n - 1)! / (2k)! / x^(2k + n), from k = 1 on
  Long term = std::tgamma(n + 2.0L) / 2 * scale * over, sum = 0;
  for (int k = 1; k <= static_cast<int>(std::size(kBernoulli)); ++k) {
    sum += kBernoulli[k - 1] * term;
    term *= over * (2.0L * k + n) * (2.0L * k + n + 1) / ((2.0L * k + 1) * (2.0L * k + 2));
  }
  if (n == 0) return std::log(x) - 0.5L / x - sum;
  const Long lead = std::tgamma(static_cast<Long>(n)) * scale;
  return (n % 2 ? 1 : -1) * (lead + (lead * n / (2 * x) + sum));
}

// psi_n(x) = psi_n(x + m) - (-1)^n n! (x^-(n+1) + ... + (x + m - 1)^-(n+1)): 6.4.6, for x > 0.
Long polygamma_positive(int n, Long x) noexcept {
  const Long enough = 15.0L + n;
  const int shift = x < enough ? static_cast<int>(std::ceil(enough - x)) : 0;
  Long sum = 0;
  for (int k = shift - 1; k >= 0; --k) sum += 1 / power(x + k, n + 1);
  const Long far = polygamma_asymptotic(n, x + shift);
  return far + (n % 2 ? 1 : -1) * std::tgamma(n + 1.0L) * sum;
}

// The n-th derivative of pi cot(pi x) is pi^(n+1) P_n(cot(pi x)) with P_0(c) = c and
// P_(n+1) = -(1 + c^2) P_n'.
Long cotangent_derivative(int n, double x) noexcept {
  constexpr int kMost = 128;
  if (n + 2 > kMost) return kNaN;
  std::array<Long, kMost + 2> p{0, 1}, next{};
  for (int i = 0; i < n; ++i) {
    next.fill(0);
    for (int k = 1; k <= i + 1; ++k) {
      next[static_cast<std::size_t>(k) - 1] -= k * p[static_cast<std::size_t>(k)];
      next[static_cast<std::size_t>(k) + 1] -= k * p[static_cast<std::size_t>(k)];
    }
    std::swap(p, next);
  }
  const Long pi = std::numbers::pi_v<Long>;
  const Long c = 1 / std::tan(pi * (x - std::nearbyint(x)));
  Long y = 0;
  for (int k = n + 1; k >= 0; --k) y = y * c + p[static_cast<std::size_t>(k)];
  return power(pi, n + 1) * y;
}

template <std::size_t N>
double polynomial(double x, const double (&c)[N]) noexcept {
  double p = c[N - 1];
  for (std::size_t i = N - 1; i > 0; --i) p = p * x + c[i - 1];
  return p;
}

}  // namespace

double log_gamma(double x) noexcept {
  int sign;  // std::lgamma writes it to a variable that all threads share
  if (x < 0) return static_cast<double>(::lgammal_r(x, &sign));  // 6 ulp in double
  return ::lgamma_r(x, &sign);
}

double polygamma(int n, double x) noexcept {
  if (std::isnan(x) || x == -kInfinity) return kNaN;
  if (x == kInfinity) return n == 0 ? kInfinity : 0.0;
  if (x > 0) return static_cast<double>(polygamma_positive(n, x));
  if (x == std::floor(x)) {
    if (n % 2) return kInfinity;
    return x == 0 ? -std::copysign(kInfinity, x) : kNaN;
  }
  // Reflection: 6.4.7.
  const Long mirrored = polygamma_positive(n, 1 - static_cast<Long>(x));
  return static_cast<double>((n % 2 ? -1 : 1) * mirrored - cotangent_derivative(n, x));
}

// The quantile of the normal distribution by Wichura, Algorithm AS 241 (PPND16), Applied
// Statistics 37, 1988: erfinv(x) = quantile((1 + x) / 2) / sqrt(2).
double erf_inverse(double x) noexcept {
  static constexpr double a[] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                 1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                 3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr double b[] = {1.0,
                                 4.2313330701600911252e+1,
                                 6.8718700749205790830e+2,
                                 5.3941960214247511077e+3,
                                 2.1213794301586595867e+4,
                                 3.9307895800092710610e+4,
                                 2.8729085735721942674e+4,
                                 5.2264952788528545610e+3};
  static constexpr double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                 5.76949722146069140550e0,  3.64784832476320460504e0,
                                 1.27045825245236838258e0,  2.41780725177450611770e-1,
                                 2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double d[] = {1.0,
                                 2.05319162663775882187e0,
                                 1.67638483018380384940e0,
                                 6.89767334985100004550e-1,
                                 1.48103976427480074590e-1,
                                 1.51986665636164571966e-2,
                                 5.47593808499534494600e-4,
                                 1.05075007164441684324e-9};
  static constexpr double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                 1.78482653991729133580e0,  2.96560571828504891230e-1,
                                 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                 2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double f[] = {1.0,
                                 5.99832206555887937690e-1,
                                 1.36929880922735805310e-1,
                                 1.48753612908506148525e-2,
                                 7.86869131145613259100e-4,
                                 1.84631831751005468180e-5,
                                 1.42151175831644588870e-7,
                                 2.04426310338993978564e-15};
  const double size = std::abs(x);
  if (!(size < 1)) return size == 1 ? std::copysign(kInfinity, x) : kNaN;
  double y;
  if (size <= 0.85) {
    const double r = 0.180625 - 0.25 * size * size;
    y = size * (polynomial(r, a) / polynomial(r, b) * (0.5 / std::numbers::sqrt2));
  } else {
    const double r = std::sqrt(-std::log((1 - size) / 2));
    y = (r <= 5 ? polynomial(r - 1.6, c) / polynomial(r - 1.6, d)
                : polynomial(r - 5, e) / polynomial(r - 5, f)) /
        std::numbers::sqrt2;
  }
  // One step of Newton's method takes away the last few ulp.
  const double residual = size < 0.5 ? std::erf(y) - size : (1 - size) - std::erfc(y);
  y -= residual * (0.5 / std::numbers::inv_sqrtpi) * std::exp(y * y);
  return std::copysign(y, x);
}

}  // namespace xtape::kernels
