// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <limits>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/autograd/pointwise.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/nn/losses.hpp>

#include "expect.hpp"

// Where formulas lose digits, overflow or bend: both float types. What lanes alone compute is
// checked in kernels/lane_test.cpp, the sum of 2e7 ones in ops/reductions_test.cpp.
BOOST_AUTO_TEST_SUITE(numerics)

using namespace xtape;
using namespace xtape::test;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr DType kTypes[] = {float32, float64};

double epsilon(DType dtype) { return dtype == float32 ? 0x1p-23 : 0x1p-52; }

void check_near(const Values& got, const Values& expected, double tolerance) {
  BOOST_TEST_REQUIRE(got.size() == expected.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    BOOST_TEST((got[k] == expected[k] ||
                std::abs(got[k] - expected[k]) <= tolerance * std::abs(expected[k])),
               "element " << k << ": got " << got[k] << ", expected " << expected[k]);
  }
}

// The gradient of f at x.
template <class F>
Values slopes(F f, const Tensor& at) {
  const Tensor x = at.clone().requires_grad_();
  sum(f(x)).backward();
  return elements(x.grad());
}

// In units of the last place of T.
template <class T>
long double error_of(T got, long double exact) {
  const T size = static_cast<T>(std::abs(exact));
  const T next = std::nextafter(size, std::numeric_limits<T>::infinity());
  return std::abs(static_cast<long double>(got) - exact) / static_cast<long double>(next - size);
}

template <class T, class F>
void check_gelu(double low, double high, F allowed) {
  const Tensor x = linspace(low, high, 20'011, dtype_of<T>);
  const Tensor y = gelu(x);
  for (std::int64_t k = 0; k < x.numel(); ++k) {
    const T at = x.data<T>()[k], got = y.data<T>()[k];
    const long double v = static_cast<long double>(at);
    const long double exact = v * std::erfc(-v * std::sqrt(0.5L)) / 2;
    BOOST_TEST_REQUIRE((got != 0 || at == 0), "gelu(" << at << ") is cancelled to 0");
    BOOST_TEST_REQUIRE(allowed(got, v, exact), "gelu(" << at << ") is " << got << ", expected "
                                                       << static_cast<double>(exact));
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(softmax_of_large_numbers) {
  const double e = std::exp(-1.0);
  for (const DType dtype : kTypes) {
    const double tolerance = 4 * epsilon(dtype);
    const Tensor x = tensor({1e4, 1e4 - 1, -1e4, -kInfinity}, dtype);
    const Values shares{1 / (1 + e), e / (1 + e), 0, 0};
    check_near(elements(softmax(x, 0)), shares, tolerance);
    check_near(elements(logsumexp(x)), {1e4 + std::log1p(e)}, tolerance);
    check_near(slopes([](const Tensor& t) { return logsumexp(t); }, x), shares, tolerance);
    check_near(elements(log_softmax(x, 0)),
               {-std::log1p(e), -1 - std::log1p(e), -2e4 - std::log1p(e), -kInfinity}, tolerance);
  }
}

BOOST_AUTO_TEST_CASE(rows_of_minus_infinity) {
  for (const DType dtype : kTypes) {
    const Tensor x = full({2, 3}, -kInfinity, dtype);
    XTAPE_SAME(logsumexp(x, {1}), {-kInfinity, -kInfinity});
    BOOST_TEST((slopes([](const Tensor& t) { return logsumexp(t, {1}); }, x) == Values(6)));
    for (const double share : elements(softmax(x, 1))) BOOST_TEST(std::isnan(share));
    for (const double share : elements(log_softmax(x, 1))) BOOST_TEST(std::isnan(share));
  }
}

BOOST_AUTO_TEST_CASE(sigmoid_and_cross_entropy_of_large_logits) {
  const Values at{0, 50, 104, 1e4, kInfinity};
  for (const DType dtype : kTypes) {
    const double tolerance = 4 * epsilon(dtype);
    for (const double size : at) {
      for (const double x : {size, -size}) {
        const Tensor logit = full({1}, x, dtype);
        const double least = dtype == float32 ? std::numeric_limits<float>::min()
                                              : std::numeric_limits<double>::min();
        const double p = 1 / (1 + std::exp(-x));
        const double got = sigmoid(logit).item<double>();
        BOOST_TEST(std::abs(got - p) <= std::max(tolerance * p, least));
        for (const double target : {0.0, 1.0}) {
          const auto loss = [&](const Tensor& t) {
            return nn::binary_cross_entropy_with_logits(t, full({1}, target, dtype));
          };
          // log(1 + e^z) for the logit of being wrong.
          const double z = target == 1 ? -x : x;
          const double expected = std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z)));
          const double value = loss(logit).item<double>();
          BOOST_TEST((value == expected ||
                      std::abs(value - expected) <= std::max(tolerance * expected, least)),
                     "at " << x << ", target " << target << ": " << value);
          const double slope = (target == 1 ? -1 : 1) / (1 + std::exp(-z));
          const double got_slope = slopes(loss, logit)[0];
          BOOST_TEST(std::abs(got_slope - slope) <= std::max(tolerance * std::abs(slope), least));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(gelu_keeps_its_digits) {
  const auto four = [](auto got, long double, long double exact) {
    return error_of(got, exact) <= 4;
  };
  check_gelu<float>(-12.9, 10, four);  // below, P(Z < x) is no normal number
  check_gelu<float>(-1, 1, four);
  check_gelu<double>(-1, 1, four);
  check_gelu<double>(-37, 10, [](double got, long double x, long double exact) {
    return std::abs(got - exact) <= (4 + 2 * x * x) * 0x1p-52L * std::abs(exact);
  });
}

BOOST_AUTO_TEST_CASE(slopes_at_zero_are_finite) {
  for (const DType dtype : kTypes) {
    const Tensor zero = zeros({3}, dtype);
    const Values none(3);
    BOOST_TEST((slopes([](const Tensor& x) { return sqrt(x); }, zero) == none));
    for (const double p : {0.5, 1.0, 1.5, 2.0, 3.0}) {
      BOOST_TEST((slopes([&](const Tensor& x) { return norm(x, p); }, zero) == none));
    }
    BOOST_TEST(
        (slopes([](const Tensor& x) { return xtape::std(x); }, full({3}, 2, dtype)) == none));
    for (const double c : {0.0, 0.25, 0.5, 1.5, 2.0}) {
      BOOST_TEST((slopes([&](const Tensor& x) { return pow(x, c); }, zero) == none));
      const Tensor power = full({}, c, dtype);
      BOOST_TEST((slopes([&](const Tensor& x) { return pow(x, power); }, zero) == none));
      BOOST_TEST((slopes([&](const Tensor& y) { return pow(zero, y); }, power) == Values{0}));
    }
    BOOST_TEST((slopes([](const Tensor& x) { return pow(x, 1); }, zero) == Values{1, 1, 1}));
  }
}

BOOST_AUTO_TEST_CASE(nan_in_the_branch_not_taken) {
  static constexpr auto root =
      pointwise("root_or_zero", [](auto x) { return where(x > 0, sqrt(x) + log(x), 0.25 * x); });
  for (const DType dtype : kTypes) {
    const Tensor x = tensor({-1, 4}, dtype), bad = full({2}, std::nan(""), dtype);
    const Tensor first = tensor({1, 0}, boolean);
    XTAPE_SAME(where(tensor({1, 1}, boolean), x, bad), {-1, 4});
    BOOST_TEST((slopes([&](const Tensor& t) { return where(first, t, bad * t.detach()); }, x) ==
                Values{1, 0}));
    // The gradient that reaches the NaN is 0, not NaN.
    BOOST_TEST((slopes([&](const Tensor& t) { return where(first, x, t); }, bad) == Values{0, 1}));
    const Tensor half = tensor({std::nan(""), 3}, dtype);
    const Values limited = elements(clamp(half, 0, 1));
    BOOST_TEST(std::isnan(limited[0]));
    BOOST_TEST(limited[1] == 1);
    BOOST_TEST((slopes([](const Tensor& t) { return clamp(t, 0, 1); }, half) == Values{0, 0}));
    // Inside of one formula both sides are computed, and the NaN stays out.
    BOOST_TEST(elements(root(x))[0] == -0.25);
    BOOST_TEST((slopes([](const Tensor& t) { return root(t); }, x) == Values{0.25, 0.5}));
  }
}

BOOST_AUTO_TEST_CASE(variance_of_a_large_constant) {
  for (const DType dtype : kTypes) {
    for (const double value : {1e4 + 0.1, 16'777'216.0, 3e18}) {
      for (const std::int64_t n : {2, 7, 1000}) {
        const Tensor x = full({n, 3}, value, dtype);
        BOOST_TEST(var(x).item<double>() == 0);
        XTAPE_SAME(var(x, {0}), {0, 0, 0});
        XTAPE_SAME(xtape::std(x, {0}), {0, 0, 0});
        XTAPE_SAME(var_mean(x, {0}).var, {0, 0, 0});
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
