// SPDX-License-Identifier: BSD-3-Clause

#include <xtape/autograd/pointwise.hpp>

#include <cmath>
#include <string>

#include "training.hpp"

namespace {

using xtape::Tensor;

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

void layer_norm(measure::Session& session) {
  if (!session.wants("layer_norm")) return;
  Tensor x = leaf({256, 1024}), weight = leaf({1024}), bias = leaf({1024});
  const Tensor seed = xtape::randn({256, 1024});
  session.run("layer_norm", [&] {
    xtape::layer_norm(x, {1024}, weight, bias).backward({.seed = seed});
    x.zero_grad();
    weight.zero_grad();
    bias.zero_grad();
  });
}

}  // namespace

void run_operations(measure::Session& session) {
  xtape::manual_seed(1);
  op_chain(session);
  activations(session);
  matmul(session, 512);
  matmul(session, 1024);
  layer_norm(session);
}
