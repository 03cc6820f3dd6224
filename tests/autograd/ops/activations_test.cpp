// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numbers>
#include <xtape/autograd/ops/activations.hpp>

#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

long double sigmoid_of(long double x) { return 1 / (1 + std::exp(-x)); }
long double softplus_of(long double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}
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
    {.name = "softsign",
     .f = [](const Tensor& x) { return softsign(x); },
     .reference = [](long double x) { return x / (1 + std::abs(x)); },
     .inputs = {{real(-4, 4)}},
     .kinks = {0},  // the second derivative jumps
     .points = {{{0}, 0, {1}}}},
    {.name = "silu",
     .f = [](const Tensor& x) { return silu(x); },
     .reference = [](long double x) { return x * sigmoid_of(x); },
     .inputs = {{real(-4, 4)}},
     .points = {{{-80}, -80 * std::exp(-80.0)}, {{400}, 400, {1}}, {{0}, 0, {0.5}}}},
    {.name = "mish",
     .f = [](const Tensor& x) { return mish(x); },
     .reference = [](long double x) { return x * std::tanh(softplus_of(x)); },
     .inputs = {{real(-4, 4)}},
     .points = {{{-80}, -80 * std::exp(-80.0)}, {{400}, 400, {1}}}},
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
     .reference = [](long double x) { return x * std::erfc(-x / std::sqrt(2.0L)) / 2; },
     .inputs = {{real(-4, 4)}},
     .points = {{{-12}, -6 * std::erfc(12 / std::sqrt(2.0L))},
                {{-5}, -2.5L * std::erfc(5 / std::sqrt(2.0L))},
                {{400}, 400, {1}}}},
    {.name = "gelu_tanh",
     .f = [](const Tensor& x) { return gelu(x, GeluForm::tanh); },
     .reference =
         [](long double x) {
           const long double k = std::sqrt(2 / std::numbers::pi_v<long double>);
           return x / 2 * (1 + std::tanh(k * (x + 0.044715L * x * x * x)));
         },
     .inputs = {{real(-4, 4)}},
     .points = {{{400}, 400, {1}}, {{-400}, 0, {0}}}},
});

}  // namespace
