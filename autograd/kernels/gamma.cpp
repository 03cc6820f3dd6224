// SPDX-License-Identifier: BSD-3-Clause
#include "gamma.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "special.hpp"

namespace xtape::kernels {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kTiny = std::numeric_limits<double>::min();
constexpr double kLarge = 1e6;  // beyond, a cube root is normal to all digits that matter

// One tail of the distribution at z over z f(z), f the density, and the derivative of its numerator
// part with respect to a: the lower tail by a series for z < a + 1, the upper one by a continued
// fraction beyond, each of positive terms (Abramowitz and Stegun 6.5.29 and 6.5.31).
struct Tail {
  bool lower;
  double ratio, slope;
};

Tail lower_tail(double a, double z) noexcept {
  double term = 1, sum = 1, harmonic = 0, slope = 0;
  for (double k = 1; term * (1 + harmonic) > kEpsilon * sum; ++k) {
    term *= z / (a + k);
    harmonic += 1 / (a + k);
    sum += term;
    slope += term * harmonic;
  }
  return {true, sum / a, slope / a};
}

// Lentz's method, each quantity with its derivative.
Tail upper_tail(double a, double z) noexcept {
  double b = z + 1 - a, c = 1 / kTiny, c_slope = 0;
  double d = 1 / b, d_slope = d * d, y = d, y_slope = d_slope;
  double change = 0, change_slope = 1;
  for (double i = 1; std::abs(change - 1) > kEpsilon || std::abs(change_slope) > kEpsilon; ++i) {
    const double n = -i * (i - a);
    b += 2;
    const double below = n * d + b, below_slope = i * d + n * d_slope - 1;
    d = 1 / below;
    d_slope = -below_slope * d * d;
    const double c_next = b + n / c;
    c_slope = -1 + i / c - n * c_slope / (c * c);
    c = c_next;
    change = c * d;
    change_slope = c_slope * d + c * d_slope;
    y_slope = y_slope * change + y * change_slope;
    y *= change;
    if (i > 1e5) break;
  }
  return {false, y, y_slope};
}

Tail tail(double a, double z) noexcept { return z < a + 1 ? lower_tail(a, z) : upper_tail(a, z); }

struct Line {
  double value, slope;
};

// The logarithm of the lower or the upper tail at e^y, and its derivative with respect to y.
Line log_tail(double a, double y, bool lower) noexcept {
  const double z = std::exp(y), log_density = a * y - z - log_gamma(a);  // of y
  const Tail t = tail(a, z);
  const double sign = lower ? 1 : -1;
  if (t.lower == lower) return {log_density + std::log(t.ratio), sign / t.ratio};
  const double other = std::min(std::exp(log_density) * t.ratio, 1 - kEpsilon);
  return {std::log1p(-other), sign * std::exp(log_density) / (1 - other)};
}

// Wilson and Hilferty: the cube root of z / a is normal.
double cube_root(double a, double normal) noexcept {
  return 1 - 1 / (9 * a) + normal / (3 * std::sqrt(a));
}

// Where Newton's method begins, on the side of the solution from which it never leaves it: bounds
// on the tails, z^a / Gamma(a + 1) and those of sub-gamma variables (Boucheron, Lugosi and Massart,
// "Concentration inequalities", 2013, 2.4).
double beginning(double a, double log_target, bool lower) noexcept {
  const double t = -log_target;
  if (lower) {
    const double small = (log_target + log_gamma(a + 1)) / a;
    return std::max(small, std::log(std::max(a - std::sqrt(2 * a * t), kTiny)));
  }
  const double bound = a + std::sqrt(2 * a * t) + t;
  return std::log(a < 1 ? std::min(t, bound) : bound);
}

}  // namespace

// Both logarithms are concave in log z, so Newton's method goes to the solution from one side.
double gamma_quantile(double a, double u) noexcept {
  if (a > kLarge)
    return a * std::pow(cube_root(a, std::numbers::sqrt2 * erf_inverse(2 * u - 1)), 3);
  const bool lower = u < 0.5;
  const double target = lower ? std::log(u) : std::log1p(-u);
  double y = beginning(a, target, lower);
  for (int i = 0; i < 100; ++i) {
    if (y < std::log(kTiny)) return kTiny;
    const Line line = log_tail(a, y, lower);
    const double step = (target - line.value) / line.slope;
    y += step;
    if (!(std::abs(step) > 1e-9)) break;  // quadratic: the next would be 0
  }
  return std::max(std::exp(y), kTiny);
}

double gamma_slope(double a, double z) noexcept {
  if (a > kLarge) {
    const double root = std::cbrt(z / a), normal = (root - 1 + 1 / (9 * a)) * 3 * std::sqrt(a);
    const double root_slope = 1 / (9 * a * a) - normal / (6 * a * std::sqrt(a));
    return root * root * (root + 3 * a * root_slope);
  }
  const Tail t = tail(a, z);
  const double far = t.lower ? polygamma(0, a + 1) - std::log(z) : std::log(z) - polygamma(0, a);
  return z * (t.ratio * far + t.slope);
}

}  // namespace xtape::kernels
