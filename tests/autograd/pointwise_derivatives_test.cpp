// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/pointwise.hpp>
#include <xtape/autograd/sweep.hpp>

#include "expect.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

constexpr auto huber =
    pointwise("huber", [](auto x) { return where(abs(x) < 1, 0.5 * x * x, abs(x) - 0.5); });

// The derivatives of orders 0 to `order` of f at x, by the tape.
template <class F>
std::vector<Values> derivatives(const F& f, const Tensor& x, int order) {
  std::vector<Values> all;
  Tensor y = f(x);
  for (int k = 0; k <= order; ++k) {
    all.push_back(elements(y));
    if (k < order) y = grad({y.sum()}, {x}, {.create_graph = true})[0];
  }
  return all;
}

void expect_close(const Values& got, const Values& expected, double tolerance = 1e-12) {
  BOOST_TEST_REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    BOOST_TEST((std::abs(got[i] - expected[i]) <= tolerance * std::max(1.0, std::abs(expected[i]))),
               "element " << i << ": " << got[i] << ", expected " << expected[i]);
  }
}

template <class G>
Values mapped(const Values& x, G g) {
  Values y;
  for (const double v : x) y.push_back(g(v));
  return y;
}

BOOST_AUTO_TEST_SUITE(pointwise_derivatives)

BOOST_AUTO_TEST_CASE(four_derivatives_of_one_argument) {
  const Values at{-1.5, -0.3, 0.2, 0.9, 2.1};
  const Tensor x = leaf({-1.5, -0.3, 0.2, 0.9, 2.1});
  const auto sine = derivatives(pointwise("f", [](auto x) { return sin(2 * x); }), x, 4);
  expect_close(sine[1], mapped(at, [](double v) { return 2 * std::cos(2 * v); }));
  expect_close(sine[2], mapped(at, [](double v) { return -4 * std::sin(2 * v); }));
  expect_close(sine[3], mapped(at, [](double v) { return -8 * std::cos(2 * v); }));
  expect_close(sine[4], mapped(at, [](double v) { return 16 * std::sin(2 * v); }));
  const auto hyperbolic = derivatives(pointwise("f", [](auto x) { return tanh(x); }), x, 4);
  const auto slope = [](double v) { return 1 - std::tanh(v) * std::tanh(v); };
  expect_close(hyperbolic[1], mapped(at, slope));
  expect_close(hyperbolic[2], mapped(at, [&](double v) { return -2 * std::tanh(v) * slope(v); }));
  expect_close(hyperbolic[3], mapped(at, [&](double v) {
                 const double t = std::tanh(v);
                 return (6 * t * t - 2) * slope(v);
               }));
  expect_close(hyperbolic[4], mapped(at, [&](double v) {
                 const double t = std::tanh(v);
                 return (16 * t - 24 * t * t * t) * slope(v);
               }));
  const auto bell = derivatives(pointwise("f", [](auto x) { return exp(-x * x / 2); }), x, 4);
  expect_close(bell[4], mapped(at, [](double v) {
                 return (v * v * v * v - 6 * v * v + 3) * std::exp(-v * v / 2);
               }));
  const auto power = derivatives(pointwise("f", [](auto x) { return pow(x, 5) / 60; }), x, 4);
  expect_close(power[3], mapped(at, [](double v) { return v * v; }));
  expect_close(power[4], mapped(at, [](double v) { return 2 * v; }));
  const auto quotient = derivatives(pointwise("f", [](auto x) { return 1 / (x + 4); }), x, 4);
  expect_close(quotient[4], mapped(at, [](double v) { return 24 / std::pow(v + 4, 5); }));
}

BOOST_AUTO_TEST_CASE(mixed_derivatives_of_two_arguments) {
  const Tensor a = leaf({0.7, 1.3}), b = leaf({-0.4, 0.8});
  const auto f = pointwise("f", [](auto a, auto b) { return a * a * a * exp(a * b); });
  // d/db multiplies by a, so that d^2/db^2 = a^5 e^(ab); then two derivatives in a.
  Tensor y = f(a, b);
  for (int i = 0; i < 2; ++i) y = grad({y.sum()}, {b}, {.create_graph = true})[0];
  for (int i = 0; i < 2; ++i) y = grad({y.sum()}, {a}, {.create_graph = true})[0];
  const Values u{0.7, 1.3}, v{-0.4, 0.8};
  Values expected;
  for (std::size_t i = 0; i < 2; ++i) {
    const double p = u[i], q = v[i];
    expected.push_back((20 + 10 * p * q + p * p * q * q) * p * p * p * std::exp(p * q));
  }
  expect_close(elements(y), expected);
}

// The branch not taken is 0 / 0 in its second derivative.
BOOST_AUTO_TEST_CASE(where_hides_what_it_does_not_take) {
  const auto f = pointwise("root", [](auto x) { return where(x > 0, sqrt(x), x * x); });
  const Tensor x = leaf({4, -3, 0});
  const Tensor first = grad({f(x).sum()}, {x}, {.create_graph = true})[0];
  XTAPE_SAME(first, {0.25, -6, 0});
  XTAPE_SAME(grad({first.sum()}, {x})[0], {-1.0 / 32, 2, 2});
  const Tensor z = leaf({0.5, -3, 0, 2});
  const Tensor slope = grad({huber(z).sum()}, {z}, {.create_graph = true})[0];
  XTAPE_SAME(slope, {0.5, -1, 0, 1});
  XTAPE_SAME(grad({slope.sum()}, {z})[0], {1, 0, 1, 0});
  const auto divided = pointwise("divided", [](auto x) { return where(x == 0, 1, sin(x) / x); });
  const Tensor w = leaf({0, 2});
  const Tensor d = grad({divided(w).sum()}, {w}, {.create_graph = true})[0];
  BOOST_TEST(elements(d)[0] == 0);
  BOOST_TEST(elements(grad({d.sum()}, {w})[0])[0] == 0);
}

BOOST_AUTO_TEST_CASE(eight_arguments) {
  const auto f = pointwise("f", [](auto a, auto b, auto c, auto d, auto e, auto g, auto h, auto i) {
    return a * b + c * d + e * g + h * i;
  });
  const Tensor x = leaf({1, 2}), y = leaf({3, 4});
  f(x, y, x, y, x, y, x, y).sum().backward();
  XTAPE_SAME(x.grad(), {12, 16});
  XTAPE_SAME(y.grad(), {4, 8});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
