// SPDX-License-Identifier: BSD-3-Clause

#include "training.hpp"

using torch::Tensor;
namespace nn = torch::nn;

namespace {

nn::Sequential digits_net() {
  return nn::Sequential(nn::Linear(784, 512), nn::ReLU(), nn::Linear(512, 256), nn::ReLU(),
                        nn::Linear(256, 10));
}

void mlp(measure::Session& session) {
  if (!session.wants("mlp")) return;
  const std::int64_t batch = session.size("batch", 128);
  nn::Sequential net = digits_net();
  torch::optim::Adam optimizer(net->parameters(), torch::optim::AdamOptions(1e-3));
  train_classes(session, "mlp", net, std::move(optimizer), torch::randn({batch, 784}),
                classes(10, {batch}));
}

// He's initialisation, so that signals reach the last layer however deep it lies.
void deep_mlp(measure::Session& session) {
  if (!session.wants("deep_mlp")) return;
  const std::int64_t depth = session.size("depth", 4), width = session.size("width", 256),
                     batch = session.size("batch", 128);
  nn::Sequential net;
  for (std::int64_t i = 0; i < depth; ++i) {
    net->push_back(nn::Linear(width, width));
    net->push_back(nn::ReLU());
  }
  net->push_back(nn::Linear(width, 10));
  for (const Tensor& p : net->parameters()) {
    if (p.dim() == 2) nn::init::kaiming_uniform_(p);
  }
  torch::optim::Adam optimizer(net->parameters(), torch::optim::AdamOptions(1e-4));
  train_classes(session, "deep_mlp", net, std::move(optimizer), torch::randn({batch, width}),
                classes(10, {batch}));
}

void tiny_mlp(measure::Session& session) {
  if (!session.wants("tiny_mlp")) return;
  nn::Sequential net(nn::Linear(4, 32), nn::ReLU(), nn::Linear(32, 32), nn::ReLU(),
                     nn::Linear(32, 2));
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(1e-2));
  train_classes(session, "tiny_mlp", net, std::move(optimizer), torch::randn({1, 4}),
                classes(2, {1}));
}

void infer_mlp(measure::Session& session) {
  if (!session.wants("infer_mlp")) return;
  const c10::InferenceMode inference;
  nn::Sequential net = digits_net();
  net->eval();
  const Tensor x = torch::randn({1, 784});
  session.run("infer_mlp", [&] { net->forward(x); });
}

// u_t + u u_x = nu u_xx
void pinn(measure::Session& session) {
  if (!session.wants("pinn")) return;
  nn::Sequential net(nn::Linear(2, 64), nn::Tanh(), nn::Linear(64, 64), nn::Tanh(),
                     nn::Linear(64, 64), nn::Tanh(), nn::Linear(64, 1));
  torch::optim::Adam optimizer(net->parameters(), torch::optim::AdamOptions(1e-3));
  const Tensor points = torch::rand({1024, 2}).set_requires_grad(true);
  const auto slope = [&](const Tensor& y) {
    return torch::autograd::grad({y.sum()}, {points}, {}, true, true)[0];
  };
  const auto loss = [&] {
    const Tensor u = net->forward(points).squeeze(1), first = slope(u);
    const Tensor u_x = first.select(1, 0), u_t = first.select(1, 1);
    const Tensor u_xx = slope(u_x).select(1, 0);
    points.mutable_grad().reset();
    return (u_t + u * u_x - 0.01 * u_xx).square().mean();
  };
  train(session, "pinn", net->parameters(), std::move(optimizer), loss);
}

}  // namespace

void run_dense(measure::Session& session) {
  torch::manual_seed(1);
  mlp(session);
  deep_mlp(session);
  tiny_mlp(session);
  infer_mlp(session);
  pinn(session);
}
