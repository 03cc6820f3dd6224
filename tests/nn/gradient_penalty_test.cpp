// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/nn/containers.hpp>
#include <xtape/nn/gradient_penalty.hpp>
#include <xtape/nn/linear.hpp>

#include "nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::check_values;
using nn_test::says;

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_gradient_penalty)

// The slope of a linear critic is its weight everywhere.
BOOST_AUTO_TEST_CASE(of_a_linear_critic) {
  nn::Linear critic(2, 1);
  critic.weight.set_data(tensor({{3, 4}}));
  const Tensor penalty = nn::gradient_penalty(critic, randn({6, 2}), randn({6, 2}));
  check_values(penalty, {16}, 1e-5);
  penalty.backward();
  // 2 (|w| - 1) w / |w|
  check_values(critic.weight.grad(), {2 * 4 * 0.6, 2 * 4 * 0.8}, 1e-5);
  check_values(nn::gradient_penalty(critic, randn({6, 2}), randn({6, 2}), 5), {0}, 1e-5);
}

BOOST_AUTO_TEST_CASE(points_lie_between) {
  manual_seed(3);
  const Tensor real = zeros({50, 2}), fake = ones({50, 2});
  const Tensor x = nn::detail::between(real, fake);
  BOOST_TEST(x.requires_grad());
  const auto points = nn_test::values(x);
  for (std::size_t i = 0; i < 50; ++i) {
    BOOST_TEST(points[2 * i] == points[2 * i + 1]);  // one share for a sample
    BOOST_TEST((points[2 * i] >= 0 && points[2 * i] <= 1));
  }
  BOOST_TEST(points[0] != points[2]);
}

BOOST_AUTO_TEST_CASE(of_any_function_and_shape) {
  const Tensor x = tensor({{1, 2}, {3, 4}}, float64).detach().requires_grad_();
  const Tensor y = square(x).sum({1});
  const double first = 2 * std::sqrt(5.0) - 1, second = 10 - 1;
  check_values(nn::gradient_norm_penalty(y, x), {(first * first + second * second) / 2}, 1e-12);
  const Tensor flat = tensor({1, -2}).requires_grad_();
  check_values(nn::gradient_norm_penalty(square(flat), flat, 0), {(4.0 + 16) / 2}, 1e-6);
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  const auto critic = [](const Tensor& x) { return x.sum(); };
  BOOST_CHECK_EXCEPTION(nn::gradient_penalty(critic, zeros({2, 3}), zeros({3, 2})), ShapeError,
                        says("gradient_penalty: shapes differ"));
  BOOST_CHECK_EXCEPTION(nn::gradient_penalty(critic, zeros({}), zeros({})), ShapeError,
                        says("gradient_penalty: expected samples [N, ...]"));
  const Tensor x = ones({2}).requires_grad_(), other = ones({2}).requires_grad_();
  BOOST_CHECK_THROW(nn::gradient_norm_penalty(other * 2, x), GradError);
}

BOOST_AUTO_TEST_SUITE_END()
