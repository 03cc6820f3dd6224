// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/math.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "special.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kEuler = std::numbers::egamma;
constexpr double kPi = std::numbers::pi;

const Rows rows({
    {.name = "lgamma",
     .f = [](const Tensor& x) { return lgamma(x); },
     .reference = [](long double x) { return std::lgamma(x); },
     .inputs = {{real(0.2, 5)}, {real({3, 4}, -0.9, -0.1)}, {real({3, 4}, -3.8, -3.2)}},
     .points = {{{1}, 0, {-kEuler}}, {{2}, 0, {1 - kEuler}}, {{171}, std::lgamma(171.0)}}},
    {.name = "digamma",
     .f = [](const Tensor& x) { return digamma(x); },
     .reference = [](long double x) { return polygamma_of(0, x); },
     .inputs = {{real(0.3, 5)}, {real({3, 4}, -3.8, -3.2)}},
     .points = {{{1}, -kEuler, {kPi * kPi / 6}}, {{0.5}, -kEuler - 2 * std::numbers::ln2}}},
    {.name = "polygamma",
     .f = [](const Tensor& x) { return polygamma(1, x); },
     .reference = [](long double x) { return polygamma_of(1, x); },
     .inputs = {{real(0.5, 5)}, {real({3, 4}, -3.8, -3.2)}},
     .points = {{{1}, kPi* kPi / 6, {-2 * 1.2020569031595942854}}},
     .errors = {throws<ValueError>([] { return polygamma(-1, ones({2})); }, "n from 0 to 100"),
                throws<ValueError>([] { return polygamma(101, ones({2})); }, "got 101")}},
    {.name = "polygamma_third",
     .f = [](const Tensor& x) { return polygamma(3, x); },
     .reference = [](long double x) { return polygamma_of(3, x); },
     .inputs = {{real(0.7, 5)}},
     .points = {{{1}, std::pow(kPi, 4) / 15}}},
    {.name = "erfinv",
     .f = [](const Tensor& x) { return erfinv(x); },
     .reference = erf_inverse_of,
     .inputs = {{real(-0.9, 0.9)}, {real({3, 4}, 0.9, 0.999)}},
     .points = {{{0}, 0, {std::sqrt(kPi) / 2}}, {{1}, kInfinity}, {{-1}, -kInfinity}}},
    {.name = "logit",
     .f = [](const Tensor& x) { return logit(x); },
     .reference = [](long double x) { return std::log(x / (1 - x)); },
     .inputs = {{real(0.1, 0.9)}},
     .points = {{{0.5}, 0, {4}}, {{0}, -kInfinity}, {{1}, kInfinity}}},
    {.name = "logit_eps",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return logit(x, 0.125); },
     .reference =
         [](long double x) {
           const long double z = x < 0.125L ? 0.125L : x > 0.875L ? 0.875L : x;
           return std::log(z / (1 - z));
         },
     .inputs = {{real(-0.2, 1.2)}},
     .kinks = {0.125, 0.875},
     .points = {{{0}, -std::log(7.0), {0}}, {{2}, std::log(7.0), {0}}}},
    {.name = "xlogy",
     .f = [](const Tensor& x, const Tensor& y) { return xlogy(x, y); },
     .reference = [](long double x, long double y) -> long double {
       return x == 0 && !std::isnan(y) ? 0 : x * std::log(y);
     },
     .inputs = {{real({3, 4}), real({3, 4}, 0.5, 3)}},
     .points = {{{0, 0}, 0, {0, 0}}, {{0, 2}, 0, {std::numbers::ln2, 0}}, {{0, -1}, 0, {0, 0}}},
     .errors = {throws<ShapeError>(
         [] {
           return xlogy(ones({2, 3}), ones({2}));
         },
         "xlogy: shapes")}},
    {.name = "xlogy_number",
     .f = [](const Tensor& x) { return xlogy(x, 3) + xlogy(3, x); },
     .reference = [](long double x) { return x * std::log(3.0L) + 3 * std::log(x); },
     .inputs = {{real(0.5, 2)}}},
    {.name = "logaddexp",
     .f = [](const Tensor& a, const Tensor& b) { return logaddexp(a, b); },
     .reference = [](long double a, long double b) -> long double {
       if (a == b && std::isinf(a)) return a;
       return std::fmax(a, b) + std::log1p(std::exp(-std::abs(a - b)));
     },
     .inputs = {{real({3, 4}), real({3, 4})}},
     .points = {{{1, 1}, 1 + std::numbers::ln2, {0.5, 0.5}},
                {{1e4, 1e4}, 1e4 + std::numbers::ln2, {0.5, 0.5}},
                {{-kInfinity, 2}, 2, {0, 1}},
                {{kInfinity, kInfinity}, kInfinity, {0.5, 0.5}},
                {{-kInfinity, -kInfinity}, -kInfinity, {0.5, 0.5}}},
     .errors = {throws<ShapeError>(
         [] {
           return logaddexp(ones({2, 3}), ones({2}));
         },
         "logaddexp: shapes")}},
    {.name = "hypot",
     .f = [](const Tensor& a, const Tensor& b) { return hypot(a, b); },
     .reference = [](long double a, long double b) { return std::hypot(a, b); },
     .inputs = {{real({3, 4}, 0.5, 2), real({3, 4}, -2, -0.5)}},
     .points = {{{3, -4}, 5, {0.6, -0.8}},
                {{0, 0}, 0, {0, 0}},
                {{1e-30, 1e-30}, std::hypot(1e-30, 1e-30), {std::sqrt(0.5), std::sqrt(0.5)}},
                {{3e30, 4e30}, 5e30, {0.6, 0.8}},
                {{-kInfinity, std::nan("")}, kInfinity}},
     .errors = {throws<ShapeError>(
         [] {
           return hypot(ones({2, 3}), ones({2}));
         },
         "hypot: shapes")}},
    {.name = "sinc",
     .f = [](const Tensor& x) { return sinc(x); },
     .reference = sinc_of,
     .inputs = {{real(-2, 2)}, {real({3, 4}, -0.1, 0.1)}},
     .points = {{{0}, 1, {0}}, {{0.5}, 2 / kPi}, {{1e-10}, 1, {-kPi * kPi / 3 * 1e-10}}}},
    {.name = "nan_to_num",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return nan_to_num(x, 0.5, 3, -4); },
     .reference = [](long double x) -> long double {
       if (std::isnan(x)) return 0.5L;
       return std::isinf(x) ? (x > 0 ? 3 : -4) : x;
     },
     .inputs = {{real(-2, 2)}},
     .points = {{{std::nan("")}, 0.5, {0}}, {{kInfinity}, 3, {0}}, {{2}, 2, {1}}}},
});

BOOST_AUTO_TEST_SUITE(math_special)

BOOST_AUTO_TEST_CASE(numbers_in_place_of_nan_are_those_of_the_dtype) {
  const Tensor x = tensor({std::nan(""), kInfinity, -kInfinity, 2}, float64);
  constexpr double kMost = std::numeric_limits<double>::max();
  constexpr double kMost32 = std::numeric_limits<float>::max();
  XTAPE_SAME(nan_to_num(x), {0, kMost, -kMost, 2});
  XTAPE_SAME(nan_to_num(x.to(float32), 7), {7, kMost32, -kMost32, 2});
  BOOST_TEST((nan_to_num(ones({2}, int64)).dtype() == int64));
}

BOOST_AUTO_TEST_CASE(third_derivatives_near_the_removable_point) {
  // sinc(x) = 1 - (pi x)^2 / 6 + (pi x)^4 / 120 - ...
  for (const double at : {1e-6, 1e-3, 0.0}) {
    Tensor x = scalar_tensor(at, float64).requires_grad_();
    Tensor y = sinc(x);
    for (int k = 0; k < 3; ++k) y = grad({y}, {x}, {.create_graph = true})[0];
    BOOST_TEST(y.item<double>() == std::pow(kPi, 4) / 5 * at, boost::test_tools::tolerance(1e-4));
  }
}

BOOST_AUTO_TEST_CASE(poles) {
  const Tensor x = tensor({0.0, -0.0, -1, -2}, float64);
  XTAPE_SAME(lgamma(x), {kInfinity, kInfinity, kInfinity, kInfinity});
  XTAPE_SAME(polygamma(1, x), {kInfinity, kInfinity, kInfinity, kInfinity});
  const auto y = elements(digamma(x));
  BOOST_TEST(y[0] == -kInfinity);
  BOOST_TEST(y[1] == kInfinity);
  BOOST_TEST(std::isnan(y[2]));
  BOOST_TEST(elements(lgamma(tensor({-kInfinity, kInfinity}, float64)))[0] == kInfinity);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
