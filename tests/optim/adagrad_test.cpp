// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/optim/adagrad.hpp>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using optim::Adagrad;
using optim::AdagradOptions;
using optim_test::check_fifty_steps;

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_adagrad)

BOOST_AUTO_TEST_CASE(fifty_steps_of_each_kind) {
  check_fifty_steps<Adagrad>("adagrad", AdagradOptions{});
  check_fifty_steps<Adagrad>("adagrad.decay", AdagradOptions{.lr = 0.1,
                                                             .lr_decay = 0.05,
                                                             .weight_decay = 0.1,
                                                             .initial_accumulator_value = 0.5,
                                                             .eps = 0.01});
  check_fifty_steps<Adagrad>("adagrad.maximize", AdagradOptions{.lr = 0.1, .maximize = true});
}

BOOST_AUTO_TEST_CASE(options_that_are_refused) {
  const std::vector<Tensor> p{zeros({2}).requires_grad_()};
  BOOST_CHECK_EXCEPTION(Adagrad(p, {.lr = -1}), ValueError,
                        says("Adagrad: expected lr >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(Adagrad(p, {.lr_decay = -1}), ValueError,
                        says("Adagrad: expected lr_decay >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(Adagrad(p, {.initial_accumulator_value = -1}), ValueError,
                        says("Adagrad: expected initial_accumulator_value >= 0, got -1"));
}

BOOST_AUTO_TEST_SUITE_END()
