// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/optim/rprop.hpp>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using optim::Rprop;
using optim::RpropOptions;
using optim_test::check_fifty_steps;

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_rprop)

BOOST_AUTO_TEST_CASE(fifty_steps_of_each_kind) {
  check_fifty_steps<Rprop>("rprop", RpropOptions{});
  check_fifty_steps<Rprop>("rprop.limits",
                           RpropOptions{.lr = 0.1, .etas = {0.4, 1.5}, .step_sizes = {0.03, 0.2}});
  check_fifty_steps<Rprop>("rprop.maximize", RpropOptions{.maximize = true});
}

BOOST_AUTO_TEST_CASE(options_that_are_refused) {
  const std::vector<Tensor> p{zeros({2}).requires_grad_()};
  BOOST_CHECK_EXCEPTION(Rprop(p, {.etas = {0, 1.2}}), ValueError,
                        says("Rprop: expected etas[0] in (0, 1), got 0"));
  BOOST_CHECK_EXCEPTION(Rprop(p, {.etas = {0.5, 1}}), ValueError,
                        says("Rprop: expected etas[1] > 1, got 1"));
  BOOST_CHECK_EXCEPTION(Rprop(p, {.step_sizes = {2, 1}}), ValueError,
                        says("Rprop: expected step_sizes[1] >= step_sizes[0], got 1"));
}

BOOST_AUTO_TEST_SUITE_END()
