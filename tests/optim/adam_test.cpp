// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/parallel.hpp>
#include <xtape/optim/adam.hpp>

#include <algorithm>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using optim::Adam;
using optim::AdamOptions;
using optim::AdamW;
using optim::AdamWOptions;
using optim_test::check_fifty_steps;

// The rule as PyTorch's documentation has it, number by number.
std::vector<double> reference(std::vector<double> p,
                              const std::vector<std::vector<double>>& gradients,
                              const AdamOptions& o) {
  std::vector<double> m(p.size()), v(p.size()), largest(p.size());
  for (std::size_t t = 0; t < gradients.size(); ++t) {
    const double correction1 = 1 - std::pow(o.betas[0], static_cast<double>(t + 1));
    const double correction2 = 1 - std::pow(o.betas[1], static_cast<double>(t + 1));
    for (std::size_t i = 0; i < p.size(); ++i) {
      double g = o.maximize ? -gradients[t][i] : gradients[t][i];
      if (o.weight_decay != 0) g += o.weight_decay * p[i];
      m[i] = o.betas[0] * m[i] + (1 - o.betas[0]) * g;
      v[i] = o.betas[1] * v[i] + (1 - o.betas[1]) * g * g;
      largest[i] = std::max(largest[i], v[i]);
      const double second = (o.amsgrad ? largest[i] : v[i]) / correction2;
      p[i] -= o.lr * (m[i] / correction1) / (std::sqrt(second) + o.eps);
    }
  }
  return p;
}

void check(const AdamOptions& options, DType dtype, double tolerance) {
  manual_seed(9);
  constexpr std::int64_t kCount = 37;
  constexpr int kSteps = 50;
  Tensor p = randn({kCount}, dtype);
  const auto start = nn_test::values(p);
  p.requires_grad_();
  Adam opt({p}, options);
  std::vector<std::vector<double>> gradients;
  for (int t = 0; t < kSteps; ++t) {
    // Large at first, so that amsgrad's maximum matters.
    const Tensor g = normal(0, t < 5 ? 3 : 0.5, {kCount}, dtype);
    gradients.push_back(nn_test::values(g));
    p.set_grad(g);
    opt.step();
  }
  nn_test::check_values(p, reference(start, gradients, options), tolerance);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_adam)

BOOST_AUTO_TEST_CASE(fifty_steps_of_each_kind) {
  const AdamOptions kinds[] = {
      {},
      {.lr = 0.1},
      {.lr = 0.1, .betas = {0.5, 0.9}},
      {.lr = 0.1, .eps = 0.1},
      {.lr = 0.1, .weight_decay = 0.1},
      {.lr = 0.1, .amsgrad = true},
      {.lr = 0.1, .maximize = true},
      {.lr = 0.1, .betas = {0.8, 0.95}, .weight_decay = 0.1, .amsgrad = true, .maximize = true},
  };
  for (const AdamOptions& options : kinds) {
    check(options, float64, 1e-13);
    check(options, float32, 2e-5);
  }
}

BOOST_AUTO_TEST_CASE(the_same_bits_on_any_number_of_threads) {
  const auto run = [](int threads) {
    const int before = num_threads();
    set_num_threads(threads);
    manual_seed(8);
    Tensor p = randn({200003});
    p.requires_grad_();
    Adam opt({p}, {.lr = 0.1, .amsgrad = true});
    for (int t = 0; t < 3; ++t) {
      p.set_grad(randn({200003}));
      opt.step();
    }
    set_num_threads(before);
    return nn_test::values(p);
  };
  BOOST_TEST((run(1) == run(2)));
}

BOOST_AUTO_TEST_CASE(fifty_steps_against_pytorch) {
  check_fifty_steps<Adam>("adam", AdamOptions{});
  check_fifty_steps<Adam>(
      "adam.amsgrad",
      AdamOptions{.lr = 0.1, .betas = {0.8, 0.95}, .weight_decay = 0.1, .amsgrad = true});
  check_fifty_steps<AdamW>("adamw", AdamWOptions{});
  check_fifty_steps<AdamW>(
      "adamw.amsgrad",
      AdamWOptions{.lr = 0.1, .betas = {0.8, 0.95}, .weight_decay = 0.1, .amsgrad = true});
  check_fifty_steps<AdamW>("adamw.maximize", AdamWOptions{.lr = 0.1, .eps = 0.1, .maximize = true});
}

BOOST_AUTO_TEST_CASE(adamw_options_that_are_refused) {
  const std::vector<Tensor> p{zeros({1}).requires_grad_()};
  BOOST_CHECK_EXCEPTION(AdamW(p, {.lr = -1}), ValueError,
                        nn_test::says("AdamW: expected lr >= 0, got -1"));
  BOOST_CHECK_THROW(AdamW(p, {.betas = {1, 0.9}}), ValueError);
  BOOST_CHECK_THROW(AdamW(p, {.eps = -1}), ValueError);
  BOOST_CHECK_THROW(AdamW(p, {.weight_decay = -1}), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
