// SPDX-License-Identifier: BSD-3-Clause

#include <optional>

#include "training.hpp"

using xtape::Tensor;
namespace nn = xtape::nn;

namespace {

nn::Sequential digits_net() {
  return nn::Sequential(nn::Conv2d(1, 32, 3), nn::ReLU(), nn::Conv2d(32, 64, 3), nn::ReLU(),
                        nn::MaxPool2d(2), nn::Dropout(0.25), nn::Flatten(), nn::Linear(9216, 128),
                        nn::ReLU(), nn::Dropout(0.5), nn::Linear(128, 10));
}

xtape::optim::SGD with_momentum(const nn::Module& net) {
  return xtape::optim::SGD(net.parameters(), {.lr = 1e-2, .momentum = 0.9});
}

void cnn(measure::Session& session) {
  if (!session.wants("cnn")) return;
  const std::int64_t batch = session.size("batch", 64);
  nn::Sequential net = digits_net();
  train_classes(session, "cnn", net, with_momentum(net), xtape::randn({batch, 1, 28, 28}),
                xtape::randint(0, 10, {batch}));
}

void infer_cnn(measure::Session& session) {
  if (!session.wants("infer_cnn")) return;
  const xtape::NoGrad no_grad;
  nn::Sequential net = digits_net();
  net.eval();
  const Tensor x = xtape::randn({1, 1, 28, 28});
  session.run("infer_cnn", [&] { net(x); });
}

nn::Conv2d conv(int in, int out, int stride = 1) {
  return nn::Conv2d(in, out, 3, {.stride = stride, .padding = 1, .bias = false});
}

struct Block : nn::Module {
  nn::Conv2d a, b;
  nn::BatchNorm2d norm_a, norm_b;
  std::optional<nn::Sequential> shortcut;
  XTAPE_PARTS(a, b, norm_a, norm_b, shortcut)

  Block(int in, int out, int stride)
      : a(conv(in, out, stride)), b(conv(out, out)), norm_a(out), norm_b(out) {
    if (stride == 1) return;
    shortcut.emplace(nn::Conv2d(in, out, 1, {.stride = stride, .bias = false}),
                     nn::BatchNorm2d(out));
  }
  Tensor forward(const Tensor& x) override {
    const Tensor y = norm_b(b(relu(norm_a(a(x)))));
    return relu(y + (shortcut ? (*shortcut)(x) : x));
  }
};

void resnet20(measure::Session& session) {
  if (!session.wants("resnet20")) return;
  nn::Sequential net(conv(3, 16), nn::BatchNorm2d(16), nn::ReLU());
  for (const int width : {16, 32, 64}) {
    for (int i = 0; i < 3; ++i) {
      const bool halves = i == 0 && width > 16;
      net.push_back(Block(halves ? width / 2 : width, width, halves ? 2 : 1));
    }
  }
  net.push_back(nn::AdaptiveAvgPool2d(1));
  net.push_back(nn::Flatten());
  net.push_back(nn::Linear(64, 10));
  train_classes(session, "resnet20", net, with_momentum(net), xtape::randn({32, 3, 32, 32}),
                xtape::randint(0, 10, {32}));
}

}  // namespace

void run_pictures(measure::Session& session) {
  xtape::manual_seed(1);
  cnn(session);
  infer_cnn(session);
  resnet20(session);
}
