// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/nn/losses_regression.hpp>

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
    {.name = "smooth_l1_loss",
     .f =
         [](const Tensor& x, const Tensor& t) {
           return nn::smooth_l1_loss(x, t, {.beta = 0.5, .reduction = Reduction::none});
         },
     .reference =
         [](long double x, long double t) {
           const long double d = std::abs(x - t);
           return d < 0.5L ? d * d : d - 0.25L;
         },
     .inputs = {{real(0, 0.2), real(0.25, 0.45)}, {real(1, 2), real(-1, 0)}},
     .points = {{{1, 1}, 0, {0, 0}}, {{1.5, 1}, 0.25, {1, -1}}, {{400, 0}, 399.75, {1, -1}}},
     .errors = {throws<ValueError>(
                    [] { return nn::smooth_l1_loss(zeros({2}), zeros({2}), {.beta = -1}); },
                    "smooth_l1_loss: beta is out of range: -1"),
                throws<ShapeError>(
                    [] {
                      return nn::smooth_l1_loss(zeros({3}), zeros({3, 1}));
                    },
                    "smooth_l1_loss: shapes differ")},
     .without = {Check::broadcasting}},  // losses refuse it
    {.name = "huber_loss",
     .f =
         [](const Tensor& x, const Tensor& t) {
           return nn::huber_loss(x, t, {.delta = 0.5, .reduction = Reduction::none});
         },
     .reference =
         [](long double x, long double t) {
           const long double d = std::abs(x - t);
           return d <= 0.5L ? d * d / 2 : 0.5L * (d - 0.25L);
         },
     .inputs = {{real(0, 0.2), real(0.25, 0.45)}, {real(1, 2), real(-1, 0)}},
     .points = {{{1, 1}, 0, {0, 0}}, {{1.5, 1}, 0.125, {0.5, -0.5}}},
     .errors = {throws<ValueError>(
                    [] { return nn::huber_loss(zeros({2}), zeros({2}), {.delta = 0}); },
                    "huber_loss: delta is out of range: 0"),
                throws<ShapeError>(
                    [] {
                      return nn::huber_loss(zeros({3}), zeros({3, 1}));
                    },
                    "huber_loss: shapes differ")},
     .without = {Check::broadcasting}},  // losses refuse it
    {.name = "log_cosh_loss",
     .f = [](const Tensor& x, const Tensor& t) { return nn::log_cosh_loss(x, t, Reduction::none); },
     .reference =
         [](long double x, long double t) {
           const long double d = std::abs(x - t);
           return d < 1 ? std::log1p(2 * std::sinh(d / 2) * std::sinh(d / 2))
                        : d + std::log1p(std::exp(-2 * d)) - std::log(2.0L);
         },
     .inputs = {{real(-2, 2), real(-2, 2)}},
     .points = {{{1, 1}, 0, {0, 0}},
                {{0, 1e-8}, 5e-17, {-1e-8, 1e-8}},
                {{400, 0}, 400 - std::log(2.0), {1, -1}}},
     .errors = {throws<ShapeError>(
         [] {
           return nn::log_cosh_loss(zeros({3}), zeros({3, 1}));
         },
         "log_cosh_loss: shapes differ")},
     .without = {Check::broadcasting}},  // losses refuse it
});

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_losses_regression)

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

BOOST_AUTO_TEST_CASE(smooth_l1_without_a_parabola_is_l1) {
  const Tensor x = tensor({1, 2, 3}), t = tensor({1, 4, 7});
  check_values(nn::smooth_l1_loss(x, t, {.beta = 0}), nn_test::values(nn::l1_loss(x, t)));
}

BOOST_AUTO_TEST_CASE(batchmean_is_refused) {
  BOOST_CHECK_EXCEPTION(nn::mse_loss(ones({2}), ones({2}), Reduction::batchmean), ValueError,
                        says("mse_loss: batchmean is a reduction of kl_div alone"));
}

BOOST_AUTO_TEST_SUITE_END()
