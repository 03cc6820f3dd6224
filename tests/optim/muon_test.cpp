// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/optim/muon.hpp>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using optim::Muon;
using optim::MuonOptions;
using optim_test::check_fifty_steps;

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_muon)

BOOST_AUTO_TEST_CASE(fifty_steps_of_each_kind) {
  check_fifty_steps<Muon>("muon", MuonOptions{}, true);
  check_fifty_steps<Muon>("muon.rms",
                          MuonOptions{.lr = 0.1,
                                      .weight_decay = 0.05,
                                      .momentum = 0.9,
                                      .nesterov = false,
                                      .ns_steps = 3,
                                      .adjust_lr = optim::MuonRate::match_rms_adamw},
                          true);
}

BOOST_AUTO_TEST_CASE(options_that_are_refused) {
  const std::vector<Tensor> p{zeros({2, 2}).requires_grad_()};
  BOOST_CHECK_EXCEPTION(Muon(p, {.lr = -1}), ValueError, says("Muon: expected lr >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(Muon(p, {.momentum = 1}), ValueError,
                        says("Muon: expected momentum in [0, 1), got 1"));
  BOOST_CHECK_EXCEPTION(Muon(p, {.ns_steps = 100}), ValueError,
                        says("Muon: expected ns_steps in [0, 100), got 100"));
}

BOOST_AUTO_TEST_CASE(matrices_alone) {
  BOOST_CHECK_EXCEPTION((Muon{{zeros({2, 2}), zeros({3})}}), ShapeError,
                        says("Muon: parameter 1: expected a matrix, got shape [3]"));
}

// Singular values of a step near 1: o o^T is near the unit matrix.
BOOST_AUTO_TEST_CASE(steps_are_nearly_orthogonal) {
  manual_seed(3);
  for (const Shape& shape : {Shape{4, 32}, Shape{32, 4}}) {
    Tensor p = zeros(shape, float64).requires_grad_();
    Muon opt({p}, {.lr = 1, .weight_decay = 0});
    p.set_grad(randn(shape, float64));
    opt.step();
    const double factor = shape[0] > shape[1] ? std::sqrt(8.0) : 1;
    const Tensor o = p.detach() / factor;
    const Tensor gram = shape[0] < shape[1] ? matmul(o, o.t()) : matmul(o.t(), o);
    for (std::int64_t i = 0; i < 4; ++i) {
      const double square = gram[{i, i}].item<double>();
      BOOST_TEST(square > 0.4);
      BOOST_TEST(square < 1.6);
    }
  }
}

BOOST_AUTO_TEST_CASE(column_major_parameters) {
  manual_seed(3);
  const Tensor start = randn({4, 6}), gradient = randn({4, 6});
  Tensor p = zeros({4, 6}), q = zeros({6, 4}).t();
  for (Tensor* x : {&p, &q}) {
    x->copy_(start);
    x->requires_grad_();
    x->set_grad(gradient);
    Muon opt({*x}, {.lr = 0.1});
    opt.step();
  }
  nn_test::check_values(p, nn_test::values(q), 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()
