// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/optim/adamax.hpp>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using optim::Adamax;
using optim::AdamaxOptions;
using optim_test::check_fifty_steps;

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_adamax)

BOOST_AUTO_TEST_CASE(fifty_steps_of_each_kind) {
  check_fifty_steps<Adamax>("adamax", AdamaxOptions{});
  check_fifty_steps<Adamax>(
      "adamax.decay",
      AdamaxOptions{.lr = 0.1, .betas = {0.8, 0.95}, .eps = 0.01, .weight_decay = 0.1});
  check_fifty_steps<Adamax>("adamax.maximize", AdamaxOptions{.lr = 0.1, .maximize = true});
}

BOOST_AUTO_TEST_CASE(options_that_are_refused) {
  const std::vector<Tensor> p{zeros({2}).requires_grad_()};
  BOOST_CHECK_EXCEPTION(Adamax(p, {.lr = -1}), ValueError,
                        says("Adamax: expected lr >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(Adamax(p, {.betas = {1, 0.9}}), ValueError,
                        says("Adamax: expected betas in [0, 1), got 1"));
  BOOST_CHECK_EXCEPTION(Adamax(p, {.eps = -1}), ValueError,
                        says("Adamax: expected eps >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(Adamax(p, {.weight_decay = -1}), ValueError,
                        says("Adamax: expected weight_decay >= 0, got -1"));
}

BOOST_AUTO_TEST_SUITE_END()
