// SPDX-License-Identifier: BSD-3-Clause

#include <cmath>
#include <string>

#include "training.hpp"

namespace {

using torch::Tensor;

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

void layer_norm(measure::Session& session) {
  if (!session.wants("layer_norm")) return;
  Tensor x = leaf({256, 1024}), weight = leaf({1024}), bias = leaf({1024});
  const Tensor seed = torch::randn({256, 1024});
  session.run("layer_norm", [&] {
    torch::layer_norm(x, {1024}, weight, bias).backward(seed);
    drop_grad(x);
    drop_grad(weight);
    drop_grad(bias);
  });
}

}  // namespace

void run_operations(measure::Session& session) {
  torch::manual_seed(1);
  op_chain(session);
  activations(session);
  matmul(session, 512);
  matmul(session, 1024);
  layer_norm(session);
}
