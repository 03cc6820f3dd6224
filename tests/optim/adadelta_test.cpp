// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/optim/adadelta.hpp>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using optim::Adadelta;
using optim::AdadeltaOptions;
using optim_test::check_fifty_steps;

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_adadelta)

BOOST_AUTO_TEST_CASE(fifty_steps_of_each_kind) {
  check_fifty_steps<Adadelta>("adadelta", AdadeltaOptions{});
  check_fifty_steps<Adadelta>(
      "adadelta.decay", AdadeltaOptions{.lr = 0.5, .rho = 0.8, .eps = 0.01, .weight_decay = 0.1});
  check_fifty_steps<Adadelta>("adadelta.maximize", AdadeltaOptions{.maximize = true});
}

BOOST_AUTO_TEST_CASE(options_that_are_refused) {
  const std::vector<Tensor> p{zeros({2}).requires_grad_()};
  BOOST_CHECK_EXCEPTION(Adadelta(p, {.lr = -1}), ValueError,
                        says("Adadelta: expected lr >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(Adadelta(p, {.rho = 1.5}), ValueError,
                        says("Adadelta: expected rho in [0, 1], got 1.5"));
  BOOST_CHECK_EXCEPTION(Adadelta(p, {.eps = -1}), ValueError,
                        says("Adadelta: expected eps >= 0, got -1"));
}

BOOST_AUTO_TEST_SUITE_END()
