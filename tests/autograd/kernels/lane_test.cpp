// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>
#include <xtape/autograd/kernels/lane.hpp>

#include "../ops/special.hpp"

// Every function of lanes against long double, in units of the last place, over its whole range.
BOOST_AUTO_TEST_SUITE(lanes)

namespace {

using namespace xtape::kernels;

template <class T>
long double ulp(long double x) {
  const T size = static_cast<T>(std::abs(x));
  return static_cast<long double>(std::nextafter(size, std::numeric_limits<T>::infinity())) -
         static_cast<long double>(size);
}

// A third evenly, a third by magnitude, the rest near 1 and the special ones.
template <class T>
std::vector<T> points(double low, double high) {
  std::uint64_t state = 1;
  const auto uniform = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state >> 11) * 0x1p-53;
  };
  std::vector<T> x;
  const auto put = [&](double v) {
    if (v >= low && v <= high) x.push_back(static_cast<T>(v));
  };
  const double largest = std::log(std::max(std::abs(low), std::abs(high)));
  const double smallest = std::log(static_cast<double>(std::numeric_limits<T>::min()));
  for (int i = 0; i < 20'000; ++i) {
    put(low + (high - low) * uniform());
    const double size = std::exp(smallest + (largest - smallest) * uniform());
    put(size);
    put(-size);
    put(0.9 + 0.2 * uniform());
    put(-0.9 - 0.2 * uniform());
  }
  using Limits = std::numeric_limits<T>;
  for (const T v : {T(0), T(1), T(0.5), T(2), T(400), T(88.5), T(1e4), T(1e20), Limits::infinity(),
                    Limits::quiet_NaN(), Limits::max(), Limits::min(), Limits::denorm_min()}) {
    x.push_back(v);
    x.push_back(-v);
  }
  while (x.size() % static_cast<std::size_t>(Lane<T>::kSize)) x.push_back(x.back());
  return x;
}

template <class T, class F>
void check(const char* name, double low, double high, F function,
           long double (*reference)(long double)) {
  const std::vector<T> x = points<T>(low, high);
  std::vector<T> y(x.size());
  const auto step = static_cast<std::size_t>(Lane<T>::kSize);
  for (std::size_t i = 0; i < x.size(); i += step) {
    Lane<T>(function(Lane<T>::load(&x[i]))).store(&y[i]);
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double exact = reference(static_cast<long double>(x[i]));
    const T expected = static_cast<T>(exact);
    if (std::isnan(expected) && std::isnan(y[i])) continue;
    if (expected == y[i]) continue;
    const long double error = std::abs(static_cast<long double>(y[i]) - exact) / ulp<T>(exact);
    BOOST_TEST_REQUIRE((std::isfinite(y[i]) && std::isfinite(expected) && error <= 4),
                       name << " of " << sizeof(T) << " bytes at " << x[i] << " is " << y[i]
                            << ", expected " << expected);
  }
}

// Both types over [low, high], by the scale of float32 and of float64.
#define XTAPE_ACCURATE(name, low32, high32, low64, high64, ...)  \
  check<float>(                                                  \
      #name, low32, high32, [](auto x) { return name(x); },      \
      [](long double x) -> long double { return __VA_ARGS__; }); \
  check<double>(                                                 \
      #name, low64, high64, [](auto x) { return name(x); },      \
      [](long double x) -> long double { return __VA_ARGS__; })

constexpr double kMax32 = std::numeric_limits<float>::max();
constexpr double kMax64 = std::numeric_limits<double>::max() / 2;

}  // namespace

BOOST_AUTO_TEST_CASE(exponentials_and_logarithms) {
  XTAPE_ACCURATE(exp, -104, 89, -746, 710, std::exp(x));
  XTAPE_ACCURATE(exp2, -150, 128, -1075, 1024, std::exp2(x));
  XTAPE_ACCURATE(expm1, -104, 89, -746, 710, std::expm1(x));
  XTAPE_ACCURATE(log, 0, kMax32, 0, kMax64, std::log(x));
  XTAPE_ACCURATE(log2, 0, kMax32, 0, kMax64, std::log2(x));
  XTAPE_ACCURATE(log10, 0, kMax32, 0, kMax64, std::log10(x));
  XTAPE_ACCURATE(log1p, -1, kMax32, -1, kMax64, std::log1p(x));
  XTAPE_ACCURATE(log, 0, 2, 0, 2, std::log(x));
  XTAPE_ACCURATE(log1p, -1, 1, -1, 1, std::log1p(x));
  XTAPE_ACCURATE(expm1, -1, 1, -1, 1, std::expm1(x));
}

BOOST_AUTO_TEST_CASE(roots_and_powers) {
  XTAPE_ACCURATE(sqrt, 0, kMax32, 0, kMax64, std::sqrt(x));
  XTAPE_ACCURATE(rsqrt, 0, kMax32, 0, kMax64, 1 / std::sqrt(x));
  XTAPE_ACCURATE(reciprocal, -kMax32, kMax32, -kMax64, kMax64, 1 / x);
  for (const double k : {-8.0, -3.0, -1.0, 0.0, 1.0, 2.0, 3.0, 7.0, 8.0, 0.5, 1.5, 40.0}) {
    for (float v : {0.3F, 0.9999F, 1.1F, 2.7F}) {
      alignas(64) float out[64];
      pow(Lane<float>(static_cast<double>(v)), k).store(out);
      const long double exact = std::pow(static_cast<long double>(v), static_cast<long double>(k));
      BOOST_TEST((std::abs(out[0] - exact) <= 4 * ulp<float>(exact)), v << "^" << k);
    }
  }
}

BOOST_AUTO_TEST_CASE(trigonometric) {
  XTAPE_ACCURATE(sin, -100, 100, -100, 100, std::sin(x));
  XTAPE_ACCURATE(cos, -100, 100, -100, 100, std::cos(x));
  XTAPE_ACCURATE(tan, -100, 100, -100, 100, std::tan(x));
  XTAPE_ACCURATE(sin, -1e9, 1e9, -1e300, 1e300, std::sin(x));
  XTAPE_ACCURATE(asin, -1, 1, -1, 1, std::asin(x));
  XTAPE_ACCURATE(acos, -1, 1, -1, 1, std::acos(x));
  XTAPE_ACCURATE(atan, -kMax32, kMax32, -kMax64, kMax64, std::atan(x));
  XTAPE_ACCURATE(atan, -10, 10, -10, 10, std::atan(x));
}

BOOST_AUTO_TEST_CASE(hyperbolic) {
  XTAPE_ACCURATE(sinh, -90, 90, -711, 711, std::sinh(x));
  XTAPE_ACCURATE(cosh, -90, 90, -711, 711, std::cosh(x));
  XTAPE_ACCURATE(tanh, -20, 20, -40, 40, std::tanh(x));
  XTAPE_ACCURATE(tanh, -1, 1, -1, 1, std::tanh(x));
  XTAPE_ACCURATE(asinh, -10, 10, -10, 10, std::asinh(x));
  XTAPE_ACCURATE(asinh, -kMax32, kMax32, -kMax64, kMax64, std::asinh(x));
  XTAPE_ACCURATE(acosh, -5, 10, -5, 10, std::acosh(x));
  XTAPE_ACCURATE(acosh, 1, kMax32, 1, kMax64, std::acosh(x));
  XTAPE_ACCURATE(atanh, -1, 1, -1, 1, std::atanh(x));
}

BOOST_AUTO_TEST_CASE(error_functions) {
  XTAPE_ACCURATE(erf, -6, 6, -6, 6, std::erf(x));
  XTAPE_ACCURATE(erf, -0.5, 0.5, -0.5, 0.5, std::erf(x));
  XTAPE_ACCURATE(erfc, -5, 10.2, -6, 27.3, std::erfc(x));
  XTAPE_ACCURATE(ndtr, -14.3, 7, -38.4, 9, std::erfc(-x * std::sqrt(0.5L)) / 2);
}

BOOST_AUTO_TEST_CASE(special_functions) {
  XTAPE_ACCURATE(lgamma, -50, 30, -50, 30, std::lgamma(x));
  XTAPE_ACCURATE(lgamma, 0, 1e36, 0, 1e300, std::lgamma(x));
  XTAPE_ACCURATE(erfinv, -1, 1, -1, 1, xtape::test::erf_inverse_of(x));
  XTAPE_ACCURATE(digamma, 2, kMax32, 2, kMax64, xtape::test::polygamma_of(0, x));
  XTAPE_ACCURATE(digamma, 0, 1, 0, 1, xtape::test::polygamma_of(0, x));
}

BOOST_AUTO_TEST_CASE(activations) {
  XTAPE_ACCURATE(sigmoid, -104, 104, -746, 746, 1 / (1 + std::exp(-x)));
  XTAPE_ACCURATE(sigmoid, -5, 5, -5, 5, 1 / (1 + std::exp(-x)));
  XTAPE_ACCURATE(softplus, -104, 104, -746, 746,
                 (x < 0 ? 0 : x) + std::log1p(std::exp(-std::abs(x))));
  XTAPE_ACCURATE(logsigmoid, -104, 104, -746, 746,
                 (x > 0 ? 0 : x) - std::log1p(std::exp(-std::abs(x))));
}

BOOST_AUTO_TEST_CASE(steps) {
  XTAPE_ACCURATE(floor, -kMax32, kMax32, -kMax64, kMax64, std::floor(x));
  XTAPE_ACCURATE(ceil, -10, 10, -10, 10, std::ceil(x));
  XTAPE_ACCURATE(trunc, -10, 10, -10, 10, std::trunc(x));
  XTAPE_ACCURATE(round, -10, 10, -10, 10, std::nearbyint(x));
  XTAPE_ACCURATE(sign, -10, 10, -10, 10, x > 0 ? 1 : x < 0 ? -1 : x);
  XTAPE_ACCURATE(abs, -kMax32, kMax32, -kMax64, kMax64, std::abs(x));
}

BOOST_AUTO_TEST_CASE(angles) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> values{0.0,  -0.0,  1,     -1,   0.3,      -0.3,      1e20,
                                   1e-9, -1e-9, -7.25, 88.5, infinity, -infinity, std::nan("")};
  for (const double y : values) {
    for (const double x : values) {
      alignas(64) double out[64];
      atan2(Lane<double>(y), Lane<double>(x)).store(out);
      const double expected = std::atan2(y, x);
      BOOST_TEST(
          (std::isnan(expected) ? std::isnan(out[0])
                                : std::signbit(expected) == std::signbit(out[0]) &&
                                      std::abs(out[0] - expected) <= 1e-15 * std::abs(expected)),
          "atan2 of " << y << " and " << x << " is " << out[0]);
    }
  }
}

BOOST_AUTO_TEST_CASE(comparisons_with_nan) {
  const Lane<float> nan(std::nan("")), one(1.0);
  BOOST_TEST(any(ne(nan, nan)));
  BOOST_TEST(any(ne(nan, one)));
  BOOST_TEST(!any(ne(one, one)));
  BOOST_TEST(!any(eq(nan, nan)));
  BOOST_TEST(!any(lt(nan, one)));
  BOOST_TEST(!any(ge(nan, one)));
}

template <class T>
void check_negatives() {
  for (const T x : {T(0), T(-0.0), T(2), -std::numeric_limits<T>::infinity()}) {
    const std::vector<T> same(static_cast<std::size_t>(Lane<T>::kSize), x);
    std::vector<T> y(same.size());
    (-Lane<T>::load(same.data())).store(y.data());
    BOOST_TEST(y[0] == -x);
    BOOST_TEST(std::signbit(y[0]) != std::signbit(x));
  }
}

BOOST_AUTO_TEST_CASE(negatives_of_zeros_too) {
  check_negatives<float>();
  check_negatives<double>();
}

BOOST_AUTO_TEST_SUITE_END()
