// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/nn/losses.hpp>

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
    {.name = "mse_loss",
     .f = [](const Tensor& x, const Tensor& t) { return nn::mse_loss(x, t, Reduction::none); },
     .reference = [](long double x, long double t) { return (x - t) * (x - t); },
     .inputs = {{real(-2, 2), real(-2, 2)}},
     .errors = {throws<ShapeError>(
                    [] {
                      return nn::mse_loss(zeros({3, 1}), zeros({3}));
                    },
                    "mse_loss: shapes differ, input [3, 1] and target [3]; losses "
                    "do not broadcast"),
                throws<ShapeError>(
                    [] {
                      return nn::mse_loss(zeros({0, 2}), zeros({0, 2}));
                    },
                    "mse_loss: empty batch, input [0, 2]"),
                throws<DTypeError>(
                    [] { return nn::mse_loss(zeros({2}, int64), zeros({2}, int64)); },
                    "mse_loss: expected a floating input, got int64 [2]")},
     .without = {Check::broadcasting}},  // losses refuse it
    {.name = "l1_loss",
     .kind = Kind::kinked,
     .f = [](const Tensor& x, const Tensor& t) { return nn::l1_loss(x, t, Reduction::none); },
     .reference = [](long double x, long double t) { return std::abs(x - t); },
     .inputs = {{real(-2, -0.1), real(0, 2)}, {real(1, 2), real(-1, 0)}},
     .points = {{{1, 1}, 0, {0, 0}}},
     .errors = {throws<ShapeError>(
         [] {
           return nn::l1_loss(zeros({3}), zeros({3, 1}));
         },
         "l1_loss: shapes differ")},
     .without = {Check::broadcasting}},  // losses refuse it
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
});

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_losses)

BOOST_AUTO_TEST_CASE(reductions) {
  const Tensor x = tensor({1, 2, 3}), t = tensor({1, 4, 7});
  check_values(nn::mse_loss(x, t), {20.0 / 3}, 1e-6);
  check_values(nn::mse_loss(x, t, Reduction::sum), {20});
  check_values(nn::mse_loss(x, t, Reduction::none), {0, 4, 16});
  check_values(nn::l1_loss(x, t), {2});
  BOOST_TEST(nn::mse_loss(x, t).dim() == 0);
  check_values(nn::mse_loss(zeros({0}), zeros({0}), Reduction::sum), {0});
  check_values(nn::mse_loss(x, tensor({1, 4, 7}, int64), Reduction::sum), {20});
}

BOOST_AUTO_TEST_CASE(bce_and_logits_agree) {
  manual_seed(2);
  const Tensor x = randn({5, 3}, float64), t = rand({5, 3}, float64);
  const double expected = nn::binary_cross_entropy(1 / (1 + exp(-x)), t).item<double>();
  BOOST_TEST(std::abs(nn::binary_cross_entropy_with_logits(x, t).item<double>() - expected) <
             1e-14);
}

BOOST_AUTO_TEST_CASE(cross_entropy_is_the_mean_over_positions) {
  manual_seed(2);
  Tensor x = randn({4, 3}, float64);
  x.requires_grad_();
  const std::int64_t labels[] = {2, 0, 1, 2};
  const Tensor t = from_values<std::int64_t>(labels, {4});
  const auto logs = nn_test::values(log_softmax(x, 1));
  const double expected[] = {-logs[2], -logs[3], -logs[7], -logs[11]};
  const double sum = expected[0] + expected[1] + expected[2] + expected[3];
  check_values(nn::cross_entropy(x, t), {sum / 4}, 1e-14);
  check_values(nn::cross_entropy(x, t, {.reduction = Reduction::sum}), {sum}, 1e-14);
  check_values(nn::cross_entropy(x, t, {.reduction = Reduction::none}),
               {expected[0], expected[1], expected[2], expected[3]}, 1e-14);
  check_values(nn::cross_entropy(x, t, {.ignore_index = 2}), {(expected[1] + expected[2]) / 2},
               1e-14);
  nn::cross_entropy(x, t).backward();
  const auto p = nn_test::values(softmax(x, 1));
  check_values(x.grad(),
               {p[0] / 4, p[1] / 4, (p[2] - 1) / 4, (p[3] - 1) / 4, p[4] / 4, p[5] / 4, p[6] / 4,
                (p[7] - 1) / 4, p[8] / 4, p[9] / 4, p[10] / 4, (p[11] - 1) / 4},
               1e-14);
}

BOOST_AUTO_TEST_CASE(cross_entropy_smooths_labels) {
  const Tensor x = tensor({{1, 2, 4}}, float64);
  const std::int64_t label[] = {1};
  const Tensor t = from_values<std::int64_t>(label, {1});
  const auto l = nn_test::values(log_softmax(x, 1));
  const double expected = -0.7 * l[1] - 0.3 * (l[0] + l[1] + l[2]) / 3;
  check_values(nn::cross_entropy(x, t, {.label_smoothing = 0.3}), {expected}, 1e-14);
}

BOOST_AUTO_TEST_CASE(cross_entropy_errors) {
  BOOST_CHECK_EXCEPTION(nn::cross_entropy(zeros({2, 3}), full({2}, 3, int64)), IndexError,
                        says("cross_entropy: label 3 is out of range"));
  BOOST_CHECK_THROW(nn::cross_entropy(zeros({2, 3}), zeros({3}, int64)), ShapeError);
  BOOST_CHECK_THROW(nn::cross_entropy(zeros({0, 3}), zeros({0}, int64)), ShapeError);
  BOOST_CHECK_THROW(nn::cross_entropy(zeros({2, 3}), zeros({2})), DTypeError);
}

BOOST_AUTO_TEST_CASE(modules_of_losses) {
  const Tensor x = tensor({0.25, 0.5}), t = tensor({0, 1});
  check_values(nn::MSELoss()(x, t), nn_test::values(nn::mse_loss(x, t)));
  check_values(nn::L1Loss(Reduction::sum)(x, t), {0.75});
  check_values(nn::BCELoss()(x, t), nn_test::values(nn::binary_cross_entropy(x, t)));
  check_values(nn::BCEWithLogitsLoss()(x, t),
               nn_test::values(nn::binary_cross_entropy_with_logits(x, t)));
  nn::CrossEntropyLoss loss({.label_smoothing = 0.1});
  const Tensor scores = tensor({{1, 2}}), label = ones({1}, int64);
  check_values(loss(scores, label),
               nn_test::values(nn::cross_entropy(scores, label, {.label_smoothing = 0.1})));
  BOOST_CHECK_EXCEPTION(nn::MSELoss()(x, scores), ShapeError,
                        says("MSELoss: mse_loss: shapes differ, input [2] and target [1, 2]"));
}

BOOST_AUTO_TEST_SUITE_END()
