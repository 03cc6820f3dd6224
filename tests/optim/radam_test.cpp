// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/optim/radam.hpp>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using optim::RAdam;
using optim::RAdamOptions;
using optim_test::check_fifty_steps;

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_radam)

BOOST_AUTO_TEST_CASE(fifty_steps_of_each_kind) {
  check_fifty_steps<RAdam>("radam", RAdamOptions{});
  check_fifty_steps<RAdam>(
      "radam.decay",
      RAdamOptions{.lr = 0.1, .betas = {0.8, 0.95}, .eps = 0.01, .weight_decay = 0.1});
  check_fifty_steps<RAdam>("radam.decoupled", RAdamOptions{.lr = 0.1,
                                                           .betas = {0.8, 0.95},
                                                           .weight_decay = 0.1,
                                                           .decoupled_weight_decay = true,
                                                           .maximize = true});
}

BOOST_AUTO_TEST_CASE(options_that_are_refused) {
  const std::vector<Tensor> p{zeros({2}).requires_grad_()};
  BOOST_CHECK_EXCEPTION(RAdam(p, {.lr = -1}), ValueError, says("RAdam: expected lr >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(RAdam(p, {.betas = {0.9, -1}}), ValueError,
                        says("RAdam: expected betas in [0, 1), got -1"));
  BOOST_CHECK_EXCEPTION(RAdam(p, {.eps = -1}), ValueError,
                        says("RAdam: expected eps >= 0, got -1"));
}

BOOST_AUTO_TEST_SUITE_END()
