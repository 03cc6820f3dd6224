// SPDX-License-Identifier: BSD-3-Clause
// Optimizers and sparse gradients, and what the machine gives.

#include <vector>

#include "training.hpp"

using torch::Tensor;

namespace {

void adam_step(measure::Session& session) {
  if (!session.wants("adam_step")) return;
  std::vector<Tensor> parameters;
  for (int i = 0; i < 100; ++i) {
    parameters.push_back(leaf({100, 1000}));
    parameters.back().mutable_grad() = torch::randn({100, 1000});
  }
  torch::optim::Adam optimizer(parameters, torch::optim::AdamOptions(1e-3));
  session.run("adam_step", [&] { optimizer.step(); });
}

void embedding(measure::Session& session, const char* name, bool sparse) {
  if (!session.wants(name)) return;
  torch::nn::Embedding table(torch::nn::EmbeddingOptions(50000, 128).sparse(sparse));
  const Tensor index = classes(50000, {64, 20}), seed = torch::randn({64, 20, 128});
  torch::optim::SGD optimizer(table->parameters(), torch::optim::SGDOptions(1e-2));
  session.run(name, [&] {
    drop_grad(table->weight);
    table->forward(index).backward(seed);
    optimizer.step();
  });
}

}  // namespace

void run_updates(measure::Session& session) {
  torch::manual_seed(1);
  adam_step(session);
  embedding(session, "embedding", false);
  embedding(session, "embedding_sparse", true);
}

// What the machine gives: compare.py computes the floors from these.
void run_rates(measure::Session& session) {
  torch::NoGradGuard no_grad;
  if (session.wants("rate_gemm")) {
    const Tensor a = torch::randn({1024, 1024}), b = torch::randn({1024, 1024});
    Tensor c = torch::empty({1024, 1024});
    session.run(
        "rate_gemm", [&] { torch::matmul_out(c, a, b); }, 2.0 * 1024 * 1024 * 1024);
  }
  if (session.wants("rate_conv")) {
    const auto nhwc = torch::MemoryFormat::ChannelsLast;
    const Tensor x = torch::randn({64, 32, 26, 26}).contiguous(nhwc);
    const Tensor w = torch::randn({64, 32, 3, 3}).contiguous(nhwc);
    session.run(
        "rate_conv", [&] { torch::conv2d(x, w); }, 2.0 * 64 * 64 * 32 * 9 * 24 * 24);
  }
  if (session.wants("rate_bytes")) {
    Tensor a = torch::zeros({1 << 20});
    const Tensor b = torch::zeros({1 << 20});
    session.run(
        "rate_bytes", [&] { a.add_(b); }, 3.0 * 4 * (1 << 20));
  }
  if (session.wants("rate_memory")) {
    Tensor a = torch::zeros({1 << 25});
    session.run(
        "rate_memory", [&] { a.mul_(2); }, 2.0 * 4 * (1 << 25));
  }
}
