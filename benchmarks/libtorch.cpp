// SPDX-License-Identifier: BSD-3-Clause
// The libtorch side of the comparison; xtape.cpp runs the same workloads (workloads.md).

#include <torch/torch.h>

#include <cmath>
#include <string>
#include <vector>

#include "measure.hpp"

namespace {

using torch::Tensor;
namespace F = torch::nn::functional;

Tensor leaf(at::IntArrayRef shape) { return torch::randn(shape).set_requires_grad(true); }

void drop_grad(Tensor& x) { x.mutable_grad().reset(); }

void op_chain(measure::Session& session) {
  if (!session.wants("op_chain")) return;
  Tensor x = leaf({8});
  const Tensor a = torch::full({8}, 1.0001), b = torch::full({8}, 0.001), seed = torch::ones({8});
  session.run(
      "op_chain",
      [&] {
        Tensor y = x;
        for (int i = 0; i < 500; ++i) y = y * a + b;
        y.backward(seed);
        drop_grad(x);
      },
      1000);
}

template <class Function>
void activation(measure::Session& session, const char* name, Function f) {
  if (!session.wants(name)) return;
  Tensor x = leaf({1 << 20});
  const Tensor seed = torch::ones({1 << 20});
  session.run(name, [&] {
    f(x).backward(seed);
    drop_grad(x);
  });
}

void activations(measure::Session& session) {
  activation(session, "composed_1m",
             [](const Tensor& x) { return torch::tanh(x) * torch::sigmoid(x) + x * x; });
  activation(session, "gelu_1m", [](const Tensor& x) {
    const double c = std::sqrt(2 / M_PI);
    return 0.5 * x * (1 + torch::tanh(c * (x + 0.044715 * (x * x * x))));
  });
}

void matmul(measure::Session& session, int n) {
  const std::string name = "matmul_" + std::to_string(n);
  if (!session.wants(name)) return;
  Tensor a = leaf({n, n}), b = leaf({n, n});
  const Tensor seed = torch::randn({n, n});
  session.run(name.c_str(), [&] {
    torch::matmul(a, b).backward(seed);
    drop_grad(a);
    drop_grad(b);
  });
}

template <class Optimizer>
void train(measure::Session& session, const char* name, torch::nn::Sequential net,
           Optimizer optimizer, const Tensor& x, const Tensor& y) {
  std::vector<Tensor> parameters = net->parameters();
  session.run(name, [&] {
    for (Tensor& p : parameters) drop_grad(p);  // faster than zero_grad(), which fills and adds
    F::cross_entropy(net->forward(x), y).backward();
    optimizer.step();
  });
}

void mlp(measure::Session& session) {
  if (!session.wants("mlp")) return;
  torch::nn::Sequential net(torch::nn::Linear(784, 512), torch::nn::ReLU(),
                            torch::nn::Linear(512, 256), torch::nn::ReLU(),
                            torch::nn::Linear(256, 10));
  torch::optim::Adam optimizer(net->parameters(), torch::optim::AdamOptions(1e-3));
  train(session, "mlp", net, std::move(optimizer), torch::randn({128, 784}),
        torch::randint(0, 10, {128}, torch::kInt64));
}

void tiny_mlp(measure::Session& session) {
  if (!session.wants("tiny_mlp")) return;
  torch::nn::Sequential net(torch::nn::Linear(4, 32), torch::nn::ReLU(), torch::nn::Linear(32, 32),
                            torch::nn::ReLU(), torch::nn::Linear(32, 2));
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(1e-2));
  train(session, "tiny_mlp", net, std::move(optimizer), torch::randn({1, 4}),
        torch::randint(0, 2, {1}, torch::kInt64));
}

void cnn(measure::Session& session, const char* name, bool channels_last) {
  if (!session.wants(name)) return;
  torch::nn::Sequential net(
      torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 32, 3)), torch::nn::ReLU(),
      torch::nn::Conv2d(torch::nn::Conv2dOptions(32, 64, 3)), torch::nn::ReLU(),
      torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(2)), torch::nn::Dropout(0.25),
      torch::nn::Flatten(), torch::nn::Linear(9216, 128), torch::nn::ReLU(),
      torch::nn::Dropout(0.5), torch::nn::Linear(128, 10));
  Tensor x = torch::randn({64, 1, 28, 28});
  if (channels_last) {
    x = x.contiguous(torch::MemoryFormat::ChannelsLast);
    for (auto& p : net->parameters()) {
      if (p.dim() == 4) p.set_data(p.contiguous(torch::MemoryFormat::ChannelsLast));
    }
  }
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(1e-2).momentum(0.9));
  train(session, name, net, std::move(optimizer), x, torch::randint(0, 10, {64}, torch::kInt64));
}

// What the machine gives: compare.py computes the floors from these.
void rates(measure::Session& session) {
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
    const Tensor a = torch::randn({1 << 20}), b = torch::randn({1 << 20});
    Tensor c = torch::empty({1 << 20});
    session.run(
        "rate_bytes", [&] { torch::add_out(c, a, b); }, 3.0 * 4 * (1 << 20));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const measure::Options options = measure::parse(argc, argv);
  torch::set_num_threads(options.threads);
  torch::manual_seed(1);
  measure::Session session(options);
  op_chain(session);
  activations(session);
  matmul(session, 512);
  matmul(session, 1024);
  mlp(session);
  tiny_mlp(session);
  cnn(session, "cnn", false);
  cnn(session, "cnn_channels_last", true);
  rates(session);
  return session.finish();
}
