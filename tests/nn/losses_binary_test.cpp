// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/nn/losses_binary.hpp>

#include <cmath>
#include <limits>

#include "../autograd/rows.hpp"
#include "nn_test.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;
using nn::Reduction;
using nn_test::check_values;
using nn_test::says;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// softplus(x) - t x, by its larger part
long double with_logits(long double x, long double t) {
  return (x > 0 ? x - t * x : -t * x) + std::log1p(std::exp(-std::abs(x)));
}

const Rows rows({
    {.name = "binary_cross_entropy",
     .f = [](const Tensor& x,
             const Tensor& t) { return nn::binary_cross_entropy(x, t, Reduction::none); },
     .reference = [](long double x,
                     long double t) { return -t * std::log(x) - (1 - t) * std::log1p(-x); },
     .inputs = {{real(0.1, 0.9), real(0.1, 0.9)}},
     .points = {{{0, 0}, 0, {0, 100}},
                {{1, 1}, 0, {0, -100}},
                {{0, 1}, 100, {-1e12, 100}},
                {{1, 0}, 100, {1e12, -100}}},
     .errors = {throws<ValueError>(
                    [] {
                      return nn::binary_cross_entropy(tensor({0.5, 1.5}), zeros({2}));
                    },
                    "binary_cross_entropy: expected probabilities in [0, 1], got 1.5"),
                throws<ValueError>(
                    [] { return nn::binary_cross_entropy(tensor({std::nan("")}), zeros({1})); },
                    "expected probabilities in [0, 1], got nan"),
                throws<ShapeError>([] { return nn::binary_cross_entropy(ones({2}), ones({3})); },
                                   "binary_cross_entropy: shapes differ, input [2] and target [3]"),
                throws<ShapeError>([] { return nn::binary_cross_entropy(ones({0}), ones({0})); },
                                   "binary_cross_entropy: empty batch")},
     // Losses refuse broadcasting; numbers outside of [0, 1] are an error.
     .without = {Check::broadcasting, Check::nonfinite, Check::extremes}},
    {.name = "binary_cross_entropy_with_logits",
     .f =
         [](const Tensor& x, const Tensor& t) {
           return nn::binary_cross_entropy_with_logits(x, t, Reduction::none);
         },
     .reference = with_logits,
     .inputs = {{real(-4, 4), real(0, 1)}},
     .points = {{{0, 0}, std::log(2.0), {0.5, 0}},
                {{50, 0}, 50, {1, -50}},
                {{1e4, 0}, 1e4, {1, -1e4}},
                {{1e4, 1}, 0, {0, -1e4}},
                {{-1e4, 0}, 0, {0, 1e4}},
                {{-1e4, 1}, 1e4, {-1, 1e4}},
                {{kInfinity, 1}, 0},
                {{kInfinity, 0}, kInfinity},
                {{-kInfinity, 0}, 0},
                {{-kInfinity, 1}, kInfinity}},
     .errors = {throws<ShapeError>(
                    [] {
                      return nn::binary_cross_entropy_with_logits(zeros({4, 1}), zeros({4}));
                    },
                    "binary_cross_entropy_with_logits: shapes differ, input [4, 1] and target [4]"),
                throws<ShapeError>(
                    [] { return nn::binary_cross_entropy_with_logits(zeros({0}), zeros({0})); },
                    "binary_cross_entropy_with_logits: empty batch")},
     // Losses refuse broadcasting; what infinite scores give is listed above.
     .without = {Check::broadcasting, Check::nonfinite}},
    {.name = "sigmoid_focal_loss",
     .f = [](const Tensor& x,
             const Tensor& t) { return nn::sigmoid_focal_loss(x, t, {.alpha = -1}); },
     .reference =
         [](long double x, long double t) {
           const long double right = 1 / (1 + std::exp(-x)), wrong = 1 / (1 + std::exp(x));
           const long double q = t * wrong + (1 - t) * right;
           return q * q * with_logits(x, t);
         },
     .inputs = {{real(-3, 3), real(0.1, 0.9)}},
     .points = {{{400, 1}, 0, {0}}, {{400, 0}, 400, {1}}, {{-400, 0}, 0, {0}}},
     .errors = {throws<ValueError>(
                    [] { return nn::sigmoid_focal_loss(zeros({2}), zeros({2}), {.gamma = -1}); },
                    "sigmoid_focal_loss: gamma is out of range: -1"),
                throws<ValueError>(
                    [] { return nn::sigmoid_focal_loss(zeros({2}), zeros({2}), {.alpha = 2}); },
                    "sigmoid_focal_loss: alpha is out of range: 2"),
                throws<ShapeError>([] { return nn::sigmoid_focal_loss(zeros({2}), zeros({3})); },
                                   "sigmoid_focal_loss: shapes differ")},
     // Losses refuse broadcasting; infinite scores give 0 * inf, targets are within [0, 1].
     .without = {Check::broadcasting, Check::nonfinite, Check::extremes}},
    {.name = "dice_loss",
     .f =
         [](const Tensor& x, const Tensor& t) {
           return nn::dice_loss(x, t, {.smooth = 0.5, .reduction = Reduction::none});
         },
     .reference =
         [](const Array& x, const Array& t) {
           Array y = Array::filled({x.shape[0]}, 0);
           const auto inner = x.values.size() / y.values.size();
           for (std::size_t n = 0; n < y.values.size(); ++n) {
             long double overlap = 0, both = 0;
             for (std::size_t i = n * inner; i < (n + 1) * inner; ++i) {
               overlap += x.values[i] * t.values[i];
               both += x.values[i] + t.values[i];
             }
             y.values[n] = 1 - (2 * overlap + 0.5L) / (both + 0.5L);
           }
           return y;
         },
     .inputs = {{real({3, 4}, 0.1, 0.9), real({3, 4}, 0.1, 0.9)},
                {real({2, 3, 2}, 0.1, 0.9), real({2, 3, 2}, 0.1, 0.9)}},
     .errors = {throws<ShapeError>([] { return nn::dice_loss(ones({3}), ones({3})); },
                                   "dice_loss: expected input [N, ...], got [3]"),
                throws<ShapeError>(
                    [] {
                      return nn::dice_loss(ones({3, 1}), ones({3}));
                    },
                    "dice_loss: shapes differ"),
                throws<ValueError>(
                    [] {
                      return nn::dice_loss(ones({3, 1}), ones({3, 1}), {.smooth = -1});
                    },
                    "dice_loss: smooth is out of range: -1")}},
});

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_losses_binary)

BOOST_AUTO_TEST_CASE(bce_and_logits_agree) {
  manual_seed(2);
  const Tensor x = randn({5, 3}, float64), t = rand({5, 3}, float64);
  const double expected = nn::binary_cross_entropy(1 / (1 + exp(-x)), t).item<double>();
  BOOST_TEST(std::abs(nn::binary_cross_entropy_with_logits(x, t).item<double>() - expected) <
             1e-14);
}

BOOST_AUTO_TEST_SUITE_END()
