// SPDX-License-Identifier: BSD-3-Clause
// Optimizers and sparse gradients, and what the machine gives.

#include <vector>

#include "training.hpp"

using xtape::Tensor;

namespace {

void adam_step(measure::Session& session) {
  if (!session.wants("adam_step")) return;
  std::vector<Tensor> parameters;
  for (int i = 0; i < 100; ++i) {
    parameters.push_back(leaf({100, 1000}));
    parameters.back().set_grad(xtape::randn({100, 1000}));
  }
  xtape::optim::Adam optimizer(parameters, {.lr = 1e-3});
  session.run("adam_step", [&] { optimizer.step(); });
}

void embedding(measure::Session& session) {
  if (!session.wants("embedding")) return;
  xtape::nn::Embedding table(50000, 128);
  const Tensor index = xtape::randint(0, 50000, {64, 20}), seed = xtape::randn({64, 20, 128});
  xtape::optim::SGD optimizer(table.parameters(), {.lr = 1e-2});
  session.run("embedding", [&] {
    optimizer.zero_grad();
    table(index).backward({.seed = seed});
    optimizer.step();
  });
}

}  // namespace

void run_updates(measure::Session& session) {
  xtape::manual_seed(1);
  adam_step(session);
  embedding(session);
}

// What the machine gives: compare.py computes the floors from these.
void run_rates(measure::Session& session) {
  const xtape::NoGrad no_grad;
  if (session.wants("rate_gemm")) {
    const Tensor a = xtape::randn({1024, 1024}), b = xtape::randn({1024, 1024});
    session.run(
        "rate_gemm", [&] { xtape::matmul(a, b); }, 2.0 * 1024 * 1024 * 1024);
  }
  if (session.wants("rate_conv")) {
    // The second convolution's input as the first one leaves it.
    const Tensor x = xtape::conv2d(xtape::randn({64, 1, 28, 28}), xtape::randn({32, 1, 3, 3}));
    const Tensor w = xtape::randn({64, 32, 3, 3});
    session.run(
        "rate_conv", [&] { xtape::conv2d(x, w); }, 2.0 * 64 * 64 * 32 * 9 * 24 * 24);
  }
  if (session.wants("rate_bytes")) {
    Tensor a = xtape::zeros({1 << 20});
    const Tensor b = xtape::zeros({1 << 20});
    session.run(
        "rate_bytes", [&] { a.add_(b); }, 3.0 * 4 * (1 << 20));
  }
  if (session.wants("rate_memory")) {
    Tensor a = xtape::zeros({1 << 25});
    session.run(
        "rate_memory", [&] { a.mul_(2); }, 2.0 * 4 * (1 << 25));
  }
}
