// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/optim/lion.hpp>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using optim::Lion;
using optim::LionOptions;
using optim_test::check_fifty_steps;

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_lion)

BOOST_AUTO_TEST_CASE(fifty_steps_of_each_kind) {
  check_fifty_steps<Lion>("lion", LionOptions{});
  check_fifty_steps<Lion>("lion.decay",
                          LionOptions{.lr = 0.01, .betas = {0.8, 0.95}, .weight_decay = 0.1});
}

BOOST_AUTO_TEST_CASE(options_that_are_refused) {
  const std::vector<Tensor> p{zeros({2}).requires_grad_()};
  BOOST_CHECK_EXCEPTION(Lion(p, {.lr = -1}), ValueError, says("Lion: expected lr >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(Lion(p, {.betas = {0.9, 1}}), ValueError,
                        says("Lion: expected betas in [0, 1), got 1"));
  BOOST_CHECK_EXCEPTION(Lion(p, {.weight_decay = -1}), ValueError,
                        says("Lion: expected weight_decay >= 0, got -1"));
}

BOOST_AUTO_TEST_CASE(no_gradient_no_step_and_nan_stays) {
  Tensor p = tensor({1, 2}).requires_grad_();
  Lion opt({p}, {.lr = 0.5, .maximize = true});
  p.set_grad(tensor({0, std::nan("")}));
  opt.step();
  BOOST_TEST(nn_test::values(p)[0] == 1);
  BOOST_TEST(std::isnan(nn_test::values(p)[1]));
}

BOOST_AUTO_TEST_SUITE_END()
