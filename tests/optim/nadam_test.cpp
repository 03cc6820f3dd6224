// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/optim/nadam.hpp>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using optim::NAdam;
using optim::NAdamOptions;
using optim_test::check_fifty_steps;

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_nadam)

BOOST_AUTO_TEST_CASE(fifty_steps_of_each_kind) {
  check_fifty_steps<NAdam>("nadam", NAdamOptions{});
  check_fifty_steps<NAdam>(
      "nadam.decay",
      NAdamOptions{.lr = 0.1, .betas = {0.8, 0.95}, .weight_decay = 0.1, .momentum_decay = 0.01});
  check_fifty_steps<NAdam>(
      "nadam.decoupled",
      NAdamOptions{.lr = 0.1, .weight_decay = 0.1, .decoupled_weight_decay = true});
}

BOOST_AUTO_TEST_CASE(options_that_are_refused) {
  const std::vector<Tensor> p{zeros({2}).requires_grad_()};
  BOOST_CHECK_EXCEPTION(NAdam(p, {.lr = -1}), ValueError, says("NAdam: expected lr >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(NAdam(p, {.betas = {0.9, 1}}), ValueError,
                        says("NAdam: expected betas in [0, 1), got 1"));
  BOOST_CHECK_EXCEPTION(NAdam(p, {.momentum_decay = -1}), ValueError,
                        says("NAdam: expected momentum_decay >= 0, got -1"));
}

BOOST_AUTO_TEST_CASE(the_product_of_momenta_is_in_the_state) {
  Tensor p = zeros({1}).requires_grad_();
  NAdam opt({p});
  p.set_grad(ones({1}));
  opt.step();
  const auto state = opt.state();
  BOOST_TEST(state[1].first == "state.0.mu_product");
  const double mu = 0.9 * (1 - 0.5 * std::pow(0.96, 4e-3));
  BOOST_TEST(state[1].second.item<double>() == mu);
}

BOOST_AUTO_TEST_CASE(maximize_is_the_gradient_turned) {
  Tensor p = zeros({2}).requires_grad_(), q = zeros({2}).requires_grad_();
  NAdam up({p}, {.maximize = true}), down({q});
  for (int i = 0; i < 3; ++i) {
    p.set_grad(tensor({1, -2}));
    q.set_grad(tensor({-1, 2}));
    up.step();
    down.step();
  }
  nn_test::check_values(p, nn_test::values(q));
}

BOOST_AUTO_TEST_SUITE_END()
