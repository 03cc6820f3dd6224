// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/nn/losses_classes.hpp>

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

const Rows rows({
    {.name = "kl_div",
     .f = [](const Tensor& x,
             const Tensor& t) { return nn::kl_div(x, t, {.reduction = Reduction::none}); },
     .reference = [](long double x, long double t) { return t == 0 ? 0 : t * (std::log(t) - x); },
     .inputs = {{real(-3, 0), real(0.1, 1)}},
     .points = {{{-1, 0}, 0, {0}}},
     .errors = {throws<ShapeError>(
                    [] {
                      return nn::kl_div(zeros({3, 1}), zeros({3}));
                    },
                    "kl_div: shapes differ"),
                throws<ShapeError>(
                    [] {
                      return nn::kl_div(zeros({}), zeros({}), {.reduction = Reduction::batchmean});
                    },
                    "kl_div: expected a batch [N, ...], got []")},
     // Losses refuse broadcasting; targets are probabilities.
     .without = {Check::broadcasting, Check::nonfinite, Check::extremes}},
    {.name = "kl_div_log_target",
     .f =
         [](const Tensor& x, const Tensor& t) {
           return nn::kl_div(x, t, {.log_target = true, .reduction = Reduction::none});
         },
     .reference = [](long double x, long double t) { return std::exp(t) * (t - x); },
     .inputs = {{real(-3, 0), real(-3, -1)}},
     // Losses refuse broadcasting; both are logarithms of probabilities.
     .without = {Check::broadcasting, Check::nonfinite, Check::extremes}},
    {.name = "nll_loss",
     .f =
         [](const Tensor& x, const Tensor& t) {
           return nn::nll_loss(x, t, {.ignore_index = 1, .reduction = Reduction::none});
         },
     .reference =
         [](const Array& x, const Array& t) {
           Array y = Array::filled(t.shape, 0);
           for (std::int64_t n = 0; n < t.shape[0]; ++n) {
             const auto label = static_cast<std::int64_t>(t(n));
             if (label != 1) y(n) = -x(n, label);
           }
           return y;
         },
     .inputs = {{real({5, 3}), given({5}, {0, 1, 2, 2, 1}, int64)}},
     .errors = {throws<IndexError>(
                    [] {
                      return nn::nll_loss(zeros({2, 3}), full({2}, 3, int64));
                    },
                    "nll_loss: label 3 is out of range for 3 classes"),
                throws<ShapeError>(
                    [] {
                      return nn::nll_loss(zeros({2, 3}), zeros({3}, int64));
                    },
                    "nll_loss: expected input [N, C, ...] and target [N, ...]"),
                throws<DTypeError>(
                    [] {
                      return nn::nll_loss(zeros({2, 3}), zeros({2}));
                    },
                    "nll_loss: expected int64 class labels"),
                throws<ShapeError>(
                    [] {
                      return nn::nll_loss(zeros({2, 3}), zeros({2}, int64), {.weight = ones({2})});
                    },
                    "nll_loss: expected weight [3], got [2]")}},
    {.name = "cross_entropy_soft",
     .f =
         [](const Tensor& x, const Tensor& t) {
           return nn::cross_entropy(
               x, t, {.weight = tensor({1, 2, 0.5, 1}), .reduction = Reduction::none});
         },
     .reference =
         [](const Tensor& x, const Tensor& t) {
           return -sum(t * tensor({1, 2, 0.5, 1}) * log_softmax(x, 1), {1});
         },
     .inputs = {{real({3, 4}), real({3, 4}, 0.1, 0.9)}},
     .errors =
         {throws<ShapeError>(
              [] {
                return nn::cross_entropy(zeros({2, 3}), zeros({2, 4}));
              },
              "cross_entropy: shapes differ"),
          throws<ShapeError>(
              [] {
                return nn::cross_entropy(zeros({2, 3}), zeros({2}, int64), {.weight = ones({4})});
              },
              "cross_entropy: expected weight [3], got [4]"),
          throws<DTypeError>(
              [] {
                return nn::cross_entropy(zeros({2, 3}), zeros({2}, int64),
                                         {.weight = ones({3}, int64)});
              },
              "cross_entropy: expected a floating weight")}},
});

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_losses_classes)

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

BOOST_AUTO_TEST_CASE(no_classes) {
  BOOST_CHECK_EXCEPTION(nn::cross_entropy(zeros({2, 0}), full({2}, -100, int64)), ShapeError,
                        says("cross_entropy: expected at least 1 class, got input [2, 0]"));
}

BOOST_AUTO_TEST_CASE(what_is_ignored_may_be_infinite) {
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor logs = tensor({{-inf, 0.0}, {0.0, -1.0}}).requires_grad_();
  const Tensor labels = tensor({-100, 1}, int64);
  check_values(nn::nll_loss(logs, labels), {1});
  nn::nll_loss(logs, labels).backward();
  check_values(logs.grad(), {0, 0, 0, -1});
  const Tensor plain = nn::cross_entropy(logs, labels, {.label_smoothing = 0.1});
  check_values(nn::cross_entropy(logs, labels, {.weight = ones({2}), .label_smoothing = 0.1}),
               nn_test::values(plain), 1e-6);
}

// The fused pass and the composed one that weights take.
BOOST_AUTO_TEST_CASE(weights_of_one_change_nothing) {
  manual_seed(2);
  Tensor x = randn({6, 3, 2}, float64).requires_grad_();
  const Tensor t = randint(0, 3, {6, 2});
  const nn::CrossEntropyOptions plain{.ignore_index = 1, .label_smoothing = 0.2};
  nn::CrossEntropyOptions weighted = plain;
  weighted.weight = ones({3}, float64);
  const Tensor a = nn::cross_entropy(x, t, plain), b = nn::cross_entropy(x, t, weighted);
  check_values(a, nn_test::values(b), 1e-14);
  check_values(grad({a}, {x})[0], nn_test::values(grad({b}, {x})[0]), 1e-14);
}

BOOST_AUTO_TEST_SUITE_END()
