// SPDX-License-Identifier: BSD-3-Clause

#include "training.hpp"

using xtape::Tensor;
namespace nn = xtape::nn;

namespace {

nn::Sequential digits_net() {
  return nn::Sequential(nn::Linear(784, 512), nn::ReLU(), nn::Linear(512, 256), nn::ReLU(),
                        nn::Linear(256, 10));
}

void mlp(measure::Session& session) {
  if (!session.wants("mlp")) return;
  const std::int64_t batch = session.size("batch", 128);
  nn::Sequential net = digits_net();
  train_classes(session, "mlp", net, xtape::optim::Adam(net.parameters(), {.lr = 1e-3}),
                xtape::randn({batch, 784}), xtape::randint(0, 10, {batch}));
}

// He's initialisation, so that signals reach the last layer however deep it lies.
void deep_mlp(measure::Session& session) {
  if (!session.wants("deep_mlp")) return;
  const std::int64_t depth = session.size("depth", 4), width = session.size("width", 256),
                     batch = session.size("batch", 128);
  nn::Sequential net;
  for (std::int64_t i = 0; i < depth; ++i) {
    net.push_back(nn::Linear(width, width));
    net.push_back(nn::ReLU());
  }
  net.push_back(nn::Linear(width, 10));
  for (const Tensor& p : net.parameters()) {
    if (p.dim() == 2) nn::init::kaiming_uniform_(p);
  }
  train_classes(session, "deep_mlp", net, xtape::optim::Adam(net.parameters(), {.lr = 1e-4}),
                xtape::randn({batch, width}), xtape::randint(0, 10, {batch}));
}

void tiny_mlp(measure::Session& session) {
  if (!session.wants("tiny_mlp")) return;
  nn::Sequential net(nn::Linear(4, 32), nn::ReLU(), nn::Linear(32, 32), nn::ReLU(),
                     nn::Linear(32, 2));
  train_classes(session, "tiny_mlp", net, xtape::optim::SGD(net.parameters(), {.lr = 1e-2}),
                xtape::randn({1, 4}), xtape::randint(0, 2, {1}));
}

void infer_mlp(measure::Session& session) {
  if (!session.wants("infer_mlp")) return;
  const xtape::NoGrad no_grad;
  nn::Sequential net = digits_net();
  net.eval();
  const Tensor x = xtape::randn({1, 784});
  session.run("infer_mlp", [&] { net(x); });
}

// u_t + u u_x = nu u_xx
void pinn(measure::Session& session) {
  if (!session.wants("pinn")) return;
  nn::Sequential net(nn::Linear(2, 64), nn::Tanh(), nn::Linear(64, 64), nn::Tanh(),
                     nn::Linear(64, 64), nn::Tanh(), nn::Linear(64, 1));
  Tensor points = xtape::rand({1024, 2}).requires_grad_();
  const auto slope = [&](const Tensor& y) {
    return xtape::grad({sum(y)}, {points}, {.create_graph = true})[0];
  };
  const auto loss = [&] {
    const Tensor u = net(points).squeeze(1), first = slope(u);
    const Tensor u_x = select(first, 1, 0), u_t = select(first, 1, 1);
    const Tensor u_xx = select(slope(u_x), 1, 0);
    points.zero_grad();
    return mean(square(u_t + u * u_x - 0.01 * u_xx));
  };
  train(session, "pinn", xtape::optim::Adam(net.parameters(), {.lr = 1e-3}), loss);
}

}  // namespace

void run_dense(measure::Session& session) {
  xtape::manual_seed(1);
  mlp(session);
  deep_mlp(session);
  tiny_mlp(session);
  infer_mlp(session);
  pinn(session);
}
