// SPDX-License-Identifier: BSD-3-Clause
// The xtape side of the comparison; libtorch.cpp runs the same workloads (workloads.md).

#include <xtape/autograd/pointwise.hpp>
#include <xtape/xtape.hpp>

#include <cmath>
#include <string>

#include "measure.hpp"

namespace {

using xtape::Tensor;
namespace nn = xtape::nn;

Tensor leaf(const xtape::Shape& shape) { return xtape::randn(shape).requires_grad_(); }

void op_chain(measure::Session& session) {
  if (!session.wants("op_chain")) return;
  Tensor x = leaf({8});
  const Tensor a = xtape::full({8}, 1.0001), b = xtape::full({8}, 0.001), seed = xtape::ones({8});
  session.run(
      "op_chain",
      [&] {
        Tensor y = x;
        for (int i = 0; i < 500; ++i) y = y * a + b;
        y.backward({.seed = seed});
        x.zero_grad();
      },
      1000);
}

template <class Function>
void activation(measure::Session& session, const char* name, Function f) {
  if (!session.wants(name)) return;
  Tensor x = leaf({1 << 20});
  const Tensor seed = xtape::ones({1 << 20});
  session.run(name, [&] {
    f(x).backward({.seed = seed});
    x.zero_grad();
  });
}

void activations(measure::Session& session) {
  activation(session, "composed_1m",
             [](const Tensor& x) { return xtape::tanh(x) * xtape::sigmoid(x) + x * x; });
  const auto gelu = xtape::pointwise("gelu_tanh", [](auto x) {
    const double c = std::sqrt(2 / M_PI);
    return 0.5 * x * (1 + tanh(c * (x + 0.044715 * (x * x * x))));
  });
  activation(session, "gelu_1m", gelu);
}

void matmul(measure::Session& session, std::int64_t n) {
  const std::string name = "matmul_" + std::to_string(n);
  if (!session.wants(name)) return;
  Tensor a = leaf({n, n}), b = leaf({n, n});
  const Tensor seed = xtape::randn({n, n});
  session.run(name.c_str(), [&] {
    xtape::matmul(a, b).backward({.seed = seed});
    a.zero_grad();
    b.zero_grad();
  });
}

template <class Optimizer>
void train(measure::Session& session, const char* name, nn::Module& net, Optimizer& optimizer,
           const Tensor& x, const Tensor& y) {
  session.run(name, [&] {
    optimizer.zero_grad();
    nn::cross_entropy(net(x), y).backward();
    optimizer.step();
  });
}

void mlp(measure::Session& session) {
  if (!session.wants("mlp")) return;
  nn::Sequential net(nn::Linear(784, 512), nn::ReLU(), nn::Linear(512, 256), nn::ReLU(),
                     nn::Linear(256, 10));
  xtape::optim::Adam optimizer(net.parameters(), {.lr = 1e-3});
  train(session, "mlp", net, optimizer, xtape::randn({128, 784}), xtape::randint(0, 10, {128}));
}

void tiny_mlp(measure::Session& session) {
  if (!session.wants("tiny_mlp")) return;
  nn::Sequential net(nn::Linear(4, 32), nn::ReLU(), nn::Linear(32, 32), nn::ReLU(),
                     nn::Linear(32, 2));
  xtape::optim::SGD optimizer(net.parameters(), {.lr = 1e-2});
  train(session, "tiny_mlp", net, optimizer, xtape::randn({1, 4}), xtape::randint(0, 2, {1}));
}

void cnn(measure::Session& session) {
  if (!session.wants("cnn")) return;
  nn::Sequential net(nn::Conv2d(1, 32, 3), nn::ReLU(), nn::Conv2d(32, 64, 3), nn::ReLU(),
                     nn::MaxPool2d(2), nn::Dropout(0.25), nn::Flatten(), nn::Linear(9216, 128),
                     nn::ReLU(), nn::Dropout(0.5), nn::Linear(128, 10));
  xtape::optim::SGD optimizer(net.parameters(), {.lr = 1e-2, .momentum = 0.9});
  train(session, "cnn", net, optimizer, xtape::randn({64, 1, 28, 28}), xtape::randint(0, 10, {64}));
}

// What the machine gives: compare.py computes the floors from these.
void rates(measure::Session& session) {
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
    const Tensor a = xtape::randn({1 << 20}), b = xtape::randn({1 << 20});
    session.run(
        "rate_bytes", [&] { xtape::add(a, b); }, 3.0 * 4 * (1 << 20));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const measure::Options options = measure::parse(argc, argv);
  xtape::set_num_threads(options.threads);
  xtape::manual_seed(1);
  measure::Session session(options);
  op_chain(session);
  activations(session);
  matmul(session, 512);
  matmul(session, 1024);
  mlp(session);
  tiny_mlp(session);
  cnn(session);
  rates(session);
  return session.finish();
}
