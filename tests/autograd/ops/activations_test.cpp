// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>

#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

long double sigmoid_of(long double x) { return 1 / (1 + std::exp(-x)); }
long double softplus_of(long double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}
// The limit where the formula is infinity times 0.
long double at_minus_infinity(long double x, long double y) { return x == -kInfinity ? 0 : y; }
// NaN stays.
long double limited(long double x, long double low, long double high) {
  return x < low ? low : x > high ? high : x;
}

const Rows rows({
    {.name = "relu",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return relu(x); },
     .reference = [](long double x) { return x <= 0 ? 0 : x; },
     .inputs = {{real(-2, 2)}},
     .kinks = {0},
     .points = {{{0}, 0, {0}}, {{2}, 2, {1}}, {{-2}, 0, {0}}}},
    {.name = "relu6",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return relu6(x); },
     .reference = [](long double x) { return limited(x, 0, 6); },
     .inputs = {{real(-4, 10)}},
     .kinks = {0, 6},
     .points = {{{0}, 0, {0}}, {{6}, 6, {0}}, {{3}, 3, {1}}}},
    {.name = "sigmoid",
     .f = [](const Tensor& x) { return sigmoid(x); },
     .reference = sigmoid_of,
     .inputs = {{real(-4, 4)}},
     .points = {{{-80}, std::exp(-80.0), {std::exp(-80.0)}}, {{400}, 1, {0}}, {{0}, 0.5, {0.25}}}},
    {.name = "logsigmoid",
     .f = [](const Tensor& x) { return logsigmoid(x); },
     .reference = [](long double x) { return -softplus_of(-x); },
     .inputs = {{real(-4, 4)}},
     .points = {{{-400}, -400, {1}}, {{80}, -std::exp(-80.0), {std::exp(-80.0)}}}},
    {.name = "softplus",
     .f = [](const Tensor& x) { return softplus(x); },
     .reference = softplus_of,
     .inputs = {{real(-4, 4)}},
     .points = {{{400}, 400, {1}}, {{-80}, std::exp(-80.0), {std::exp(-80.0)}}}},
    {.name = "softplus_beta",
     .f = [](const Tensor& x) { return softplus(x, 2.5); },
     .reference = [](long double x) { return softplus_of(2.5L * x) / 2.5L; },
     .inputs = {{real(-2, 2)}}},
    {.name = "softsign",
     .f = [](const Tensor& x) { return softsign(x); },
     .reference = [](long double x) { return x / (1 + std::abs(x)); },
     .inputs = {{real(-4, 4)}},
     .kinks = {0},  // the second derivative jumps
     .points = {{{0}, 0, {1}}}},
    {.name = "silu",
     .f = [](const Tensor& x) { return silu(x); },
     .reference = [](long double x) { return at_minus_infinity(x, x * sigmoid_of(x)); },
     .inputs = {{real(-4, 4)}},
     .points = {{{-80}, -80 * std::exp(-80.0)},
                {{400}, 400, {1}},
                {{0}, 0, {0.5}},
                {{-kInfinity}, 0, {0}},
                {{kInfinity}, kInfinity, {1}}}},
    {.name = "mish",
     .f = [](const Tensor& x) { return mish(x); },
     .reference = [](long double x) { return at_minus_infinity(x, x * std::tanh(softplus_of(x))); },
     .inputs = {{real(-4, 4)}},
     .points = {{{-80}, -80 * std::exp(-80.0)},
                {{400}, 400, {1}},
                {{-kInfinity}, 0, {0}},
                {{kInfinity}, kInfinity, {1}}}},
    {.name = "tanhshrink",
     .f = [](const Tensor& x) { return tanhshrink(x); },
     .reference = [](long double x) { return x - std::tanh(x); },
     .inputs = {{real(-3, 3)}}},
    {.name = "celu",
     .f = [](const Tensor& x) { return celu(x, 1.5); },
     .reference = [](long double x) { return x > 0 ? x : 1.5L * std::expm1(x / 1.5L); },
     .inputs = {{real(-2, 2)}},
     .kinks = {0},  // the second derivative jumps
     .points = {{{0}, 0, {1}}, {{-kInfinity}, -1.5, {0}}},
     .errors = {throws<ValueError>([] { return celu(ones({2}), 0); }, "alpha must not be 0")}},
    {.name = "celu_default",
     .f = [](const Tensor& x) { return celu(x); },
     .reference = [](long double x) { return x > 0 ? x : std::expm1(x); },
     .inputs = {{real(-2, 2)}},
     .kinks = {0}},
    {.name = "threshold",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return threshold(x, 0.5, -3); },
     .reference = [](long double x) { return x <= 0.5L ? -3 : x; },
     .inputs = {{real(-2, 2)}},
     .kinks = {0.5},
     .points = {{{0.5}, -3, {0}}, {{0.75}, 0.75, {1}}}},
    {.name = "softshrink",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return softshrink(x); },
     .reference = [](long double x) { return x > 0.5L    ? x - 0.5L
                                             : x < -0.5L ? x + 0.5L
                                                         : x * 0; },
     .inputs = {{real(-2, 2)}},
     .kinks = {-0.5, 0.5},
     .points = {{{0.5}, 0, {0}}, {{kInfinity}, kInfinity, {1}}}},
    {.name = "hardshrink",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return hardshrink(x, 0.75); },
     .reference = [](long double x) { return std::abs(x) <= 0.75L ? 0 : x; },
     .inputs = {{real(-2, 2)}},
     .kinks = {-0.75, 0.75},
     .points = {{{0.75}, 0, {0}}, {{-1}, -1, {1}}}},
    // Of the rounded x, so that some are 0 and stay so.
    {.name = "heaviside",
     .kind = Kind::kinked,
     .f = [](const Tensor& x, const Tensor& v) { return heaviside(round(x), v); },
     .reference = [](long double x, long double v) -> long double {
       const long double whole = std::nearbyint(x);
       return whole == 0 ? v : whole < 0 ? 0 : whole > 0 ? 1 : x;
     },
     .inputs = {{real(-2, 2), real({3, 4})}},
     .kinks = {-1.5, -0.5, 0.5, 1.5},
     .points = {{{0, 7}, 7, {0, 1}}, {{1, 7}, 1, {0, 0}}, {{-1, 7}, 0, {0, 0}}},
     .without = {Check::nonzero}},
    {.name = "prelu",
     .kind = Kind::kinked,
     .f = [](const Tensor& x, const Tensor& w) { return prelu(x, w); },
     .reference =
         [](const Array& x, const Array& w) {
           return made(x.shape, [&](const Shape& i) {
             const long double v = at(x, i);
             return v > 0 ? v : v * w.values[w.shape.numel() == 1 ? 0 : std::size_t(i[1])];
           });
         },
     .inputs = {{real({2, 3, 4}), real({3})}, {real({4, 3}), real({1})}, {real({5}), real({})}},
     .kinks = {0},
     .errors = {throws<ShapeError>(
         [] {
           return prelu(ones({2, 3}), ones({2}));
         },
         "expected a weight of 1 or 3 elements for shape [2, 3], got [2]")}},
    {.name = "glu",
     .f = [](const Tensor& x) { return glu(x, 1); },
     .reference =
         [](const Array& x) {
           Shape half = x.shape;
           half[1] /= 2;
           return made(half, [&](Shape i) {
             const long double a = at(x, i);
             i[1] += half[1];
             return a * sigmoid_of(at(x, i));
           });
         },
     .inputs = {{real({3, 4})}, {real({2, 6, 3})}},
     .errors = {throws<ShapeError>(
         [] {
           return glu(ones({2, 3}));
         },
         "an even size of dimension 1, got shape [2, 3]")}},
    {.name = "hardsigmoid",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return hardsigmoid(x); },
     .reference = [](long double x) { return limited(x / 6 + 0.5L, 0, 1); },
     .inputs = {{real(-5, 5)}},
     .kinks = {-3, 3},
     .points = {{{3}, 1, {0}}, {{-3}, 0, {0}}}},
    {.name = "hardswish",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return hardswish(x); },
     .reference = [](long double x) { return x <= -3  ? 0
                                             : x >= 3 ? x
                                                      : x * (x + 3) / 6; },
     .inputs = {{real(-5, 5)}},
     .kinks = {-3, 3},
     .points = {{{400}, 400, {1}}, {{-400}, 0, {0}}}},
    {.name = "leaky_relu",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return leaky_relu(x, 0.2); },
     .reference = [](long double x) { return x > 0 ? x : 0.2 * x; },
     .inputs = {{real(-2, 2)}},
     .kinks = {0},
     .points = {{{0}, 0, {0.2}}}},
    {.name = "leaky_relu_default",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return leaky_relu(x); },
     .reference = [](long double x) { return x > 0 ? x : 0.01 * x; },
     .inputs = {{real(-2, 2)}},
     .kinks = {0}},
    {.name = "elu",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return elu(x, 1.5); },
     .reference = [](long double x) { return x > 0 ? x : 1.5L * std::expm1(x); },
     .inputs = {{real(-2, 2)}},
     .kinks = {0},
     .points = {{{-400}, -1.5, {0}}, {{400}, 400, {1}}, {{0}, 0, {1.5}}}},
    {.name = "elu_default",
     .f = [](const Tensor& x) { return elu(x); },
     .reference = [](long double x) { return x > 0 ? x : std::expm1(x); },
     .inputs = {{real(-2, 2)}},
     .kinks = {0},  // the second derivative jumps
     .points = {{{0}, 0, {1}}}},
    {.name = "selu",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return selu(x); },
     .reference =
         [](long double x) {
           constexpr long double kScale = 1.0507009873554804934193349852946L;
           constexpr long double kAlpha = 1.6732632423543772848170429916717L;
           return kScale * (x > 0 ? x : kAlpha * std::expm1(x));
         },
     .inputs = {{real(-2, 2)}},
     .kinks = {0}},
    {.name = "hardtanh",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return hardtanh(x, -0.5, 1.5); },
     .reference = [](long double x) { return limited(x, -0.5L, 1.5L); },
     .inputs = {{real(-2, 2.5)}},
     .kinks = {-0.5, 1.5},
     .points = {{{1.5}, 1.5, {0}}, {{-0.5}, -0.5, {0}}, {{1}, 1, {1}}}},
    {.name = "hardtanh_default",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return hardtanh(x); },
     .reference = [](long double x) { return limited(x, -1, 1); },
     .inputs = {{real(-2, 2.5)}},
     .kinks = {-1, 1}},
    {.name = "gelu",
     .f = [](const Tensor& x) { return gelu(x); },
     .reference =
         [](long double x) {
           return at_minus_infinity(x, x * std::erfc(-x / std::sqrt(2.0L)) / 2);
         },
     .inputs = {{real(-4, 4)}},
     .points = {{{-12}, -6 * std::erfc(12 / std::sqrt(2.0L))},
                {{-5}, -2.5L * std::erfc(5 / std::sqrt(2.0L))},
                {{400}, 400, {1}},
                {{-kInfinity}, 0, {0}},
                {{kInfinity}, kInfinity, {1}}}},
    {.name = "gelu_tanh",
     .f = [](const Tensor& x) { return gelu(x, GeluForm::tanh); },
     .reference =
         [](long double x) {
           const long double k = std::sqrt(2 / std::numbers::pi_v<long double>);
           const long double u = k * (x + 0.044715L * x * x * x);
           return at_minus_infinity(x, x / (1 + std::exp(-2 * u)));
         },
     .inputs = {{real(-4, 4)}},
     .points = {{{400}, 400, {1}},
                {{-400}, 0, {0}},
                {{-kInfinity}, 0, {0}},
                {{kInfinity}, kInfinity, {1}}}},
});

// The distance from f in units of T's rounding, relative to f.
template <class T>
long double error_of_gelu(double at, long double f) {
  const Tensor y = gelu(full({8}, at, dtype_of<T>));
  const long double got = y[0].template item<T>();
  return std::abs(got - f) / (std::abs(f) * std::numeric_limits<T>::epsilon());
}

BOOST_AUTO_TEST_SUITE(activations)

BOOST_AUTO_TEST_CASE(gelu_keeps_its_digits_on_the_tail) {
  const auto exact = [](long double x) { return x * std::erfc(-x / std::sqrt(2.0L)) / 2; };
  for (double x = -13; x < 8; x += 0.0137) {
    const auto single = static_cast<double>(static_cast<float>(x));
    BOOST_TEST(error_of_gelu<float>(single, exact(single)) <= 4, "float32 at " << single);
  }
  for (double x = -37; x < 10; x += 0.0137) {
    const double most = std::abs(x) <= 1 ? 4 : 4 + 2 * x * x;
    BOOST_TEST(error_of_gelu<double>(x, exact(x)) <= most, "float64 at " << x);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
