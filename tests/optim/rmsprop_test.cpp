// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/optim/rmsprop.hpp>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using optim::RMSprop;
using optim::RMSpropOptions;
using optim_test::check_fifty_steps;

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_rmsprop)

BOOST_AUTO_TEST_CASE(fifty_steps_of_each_kind) {
  check_fifty_steps<RMSprop>("rmsprop", RMSpropOptions{});
  check_fifty_steps<RMSprop>(
      "rmsprop.centered",
      RMSpropOptions{.lr = 0.1, .alpha = 0.9, .eps = 0.01, .weight_decay = 0.1, .centered = true});
  check_fifty_steps<RMSprop>("rmsprop.momentum", RMSpropOptions{.lr = 0.01, .momentum = 0.9});
  check_fifty_steps<RMSprop>(
      "rmsprop.all",
      RMSpropOptions{.lr = 0.01, .momentum = 0.9, .centered = true, .maximize = true});
}

BOOST_AUTO_TEST_CASE(options_that_are_refused) {
  const std::vector<Tensor> p{zeros({2}).requires_grad_()};
  BOOST_CHECK_EXCEPTION(RMSprop(p, {.lr = -1}), ValueError,
                        says("RMSprop: expected lr >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(RMSprop(p, {.alpha = -1}), ValueError,
                        says("RMSprop: expected alpha >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(RMSprop(p, {.momentum = -1}), ValueError,
                        says("RMSprop: expected momentum >= 0, got -1"));
}

BOOST_AUTO_TEST_CASE(a_constant_gradient_keeps_the_centered_variance_above_zero) {
  Tensor p = zeros({64}).requires_grad_();
  RMSprop opt({p}, {.alpha = 0.5, .centered = true});
  for (int i = 0; i < 100; ++i) {
    p.set_grad(linspace(0.1, 3, 64));
    opt.step();
  }
  for (const double v : nn_test::values(p)) BOOST_TEST(std::isfinite(v));
}

BOOST_AUTO_TEST_SUITE_END()
