// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <limits>
#include <numbers>

// Special functions in long double, by plain means.
namespace xtape::test {

/// The n-th derivative of digamma: upward recurrence to 60, then the asymptotic series.
inline long double polygamma_of(int n, long double x) {
  constexpr long double kInfinity = std::numeric_limits<long double>::infinity();
  const long double sign = n % 2 ? 1 : -1;
  if (std::isnan(x) || x == -kInfinity) return std::nanl("");
  if (x == kInfinity) return n == 0 ? kInfinity : 0;
  if (x <= 0 && x == std::floor(x)) {
    if (n % 2) return kInfinity;
    return x == 0 ? -std::copysign(kInfinity, x) : std::nanl("");
  }
  const long double factorial = std::tgamma(n + 1.0L);
  long double sum = 0;
  for (; x < 60; ++x) sum += sign * factorial * std::pow(x, -n - 1.0L);
  constexpr long double kBernoulli[] = {1 / 6.0L,   -1 / 30.0L, 1 / 42.0L,
                                        -1 / 30.0L, 5 / 66.0L,  -691 / 2730.0L};
  long double tail = factorial * std::pow(x, -n - 1.0L) / 2;
  for (int k = 1; k <= 6; ++k) {
    tail += kBernoulli[k - 1] * std::tgamma(2.0L * k + n) / std::tgamma(2.0L * k + 1) *
            std::pow(x, -2.0L * k - n);
  }
  const long double lead =
      n == 0 ? -std::log(x) : std::tgamma(static_cast<long double>(n)) * std::pow(x, -n);
  return sum + sign * (lead + tail);
}

/// y with erf(y) = x, by bisection.
inline long double erf_inverse_of(long double x) {
  const long double size = std::abs(x);
  if (!(size <= 1)) return std::nanl("");
  if (size == 1) return std::copysign(std::numeric_limits<long double>::infinity(), x);
  if (size < 1e-9L) return x * std::sqrt(std::numbers::pi_v<long double>) / 2;
  long double low = 0, high = 8;
  for (int i = 0; i < 90; ++i) {
    const long double middle = (low + high) / 2;
    const bool above = size < 0.5L ? std::erf(middle) > size : std::erfc(middle) < 1 - size;
    (above ? high : low) = middle;
  }
  return std::copysign((low + high) / 2, x);
}

inline long double sinc_of(long double x) {
  const long double angle = std::numbers::pi_v<long double> * x;
  return x == 0 ? 1 : std::sin(angle) / angle;
}

}  // namespace xtape::test
