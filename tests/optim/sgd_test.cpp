// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/parallel.hpp>
#include <xtape/optim/sgd.hpp>

#include "../nn/nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using optim::SGD;
using optim::SGDOptions;

// The rule as PyTorch's documentation has it, number by number.
std::vector<double> reference(std::vector<double> p,
                              const std::vector<std::vector<double>>& gradients,
                              const SGDOptions& o) {
  std::vector<double> buffer(p.size());
  for (std::size_t t = 0; t < gradients.size(); ++t) {
    for (std::size_t i = 0; i < p.size(); ++i) {
      double g = o.maximize ? -gradients[t][i] : gradients[t][i];
      if (o.weight_decay != 0) g += o.weight_decay * p[i];
      if (o.momentum != 0) {
        buffer[i] = t == 0 ? g : o.momentum * buffer[i] + (1 - o.dampening) * g;
        g = o.nesterov ? g + o.momentum * buffer[i] : buffer[i];
      }
      p[i] -= o.lr * g;
    }
  }
  return p;
}

void check(const SGDOptions& options, DType dtype, double tolerance) {
  manual_seed(8);
  constexpr std::int64_t kCount = 37;
  constexpr int kSteps = 50;
  Tensor p = randn({kCount}, dtype);
  const auto start = nn_test::values(p);
  p.requires_grad_();
  SGD opt({p}, options);
  std::vector<std::vector<double>> gradients;
  for (int t = 0; t < kSteps; ++t) {
    const Tensor g = randn({kCount}, dtype);
    gradients.push_back(nn_test::values(g));
    p.set_grad(g);
    opt.step();
  }
  nn_test::check_values(p, reference(start, gradients, options), tolerance);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_sgd)

BOOST_AUTO_TEST_CASE(fifty_steps_of_each_kind) {
  const SGDOptions kinds[] = {
      {.lr = 0.1},
      {.lr = 0.1, .weight_decay = 0.1},
      {.lr = 0.1, .maximize = true},
      {.lr = 0.1, .momentum = 0.9},
      {.lr = 0.1, .momentum = 0.9, .dampening = 0.3},
      {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1},
      {.lr = 0.1, .momentum = 0.9, .nesterov = true},
      {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true, .maximize = true},
  };
  for (const SGDOptions& options : kinds) {
    check(options, float64, 1e-13);
    check(options, float32, 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(the_same_bits_on_any_number_of_threads) {
  const auto run = [](int threads) {
    const int before = num_threads();
    set_num_threads(threads);
    manual_seed(8);
    Tensor p = randn({200003});
    p.requires_grad_();
    SGD opt({p}, {.lr = 0.1, .momentum = 0.9, .nesterov = true});
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
  using optim_test::check_fifty_steps;
  check_fifty_steps<SGD>("sgd", SGDOptions{.lr = 0.1});
  check_fifty_steps<SGD>(
      "sgd.nesterov",
      SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
  check_fifty_steps<SGD>("sgd.dampening", SGDOptions{.lr = 0.1, .momentum = 0.9, .dampening = 0.3});
}

BOOST_AUTO_TEST_SUITE_END()
