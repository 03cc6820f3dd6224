// SPDX-License-Identifier: BSD-3-Clause

#include "training.hpp"

using torch::Tensor;
namespace nn = torch::nn;

namespace {

nn::Conv2d conv(int in, int out, int kernel, int stride = 1, int padding = 0, bool bias = true) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding(padding).bias(bias));
}

nn::Sequential digits_net() {
  return nn::Sequential(conv(1, 32, 3), nn::ReLU(), conv(32, 64, 3), nn::ReLU(),
                        nn::MaxPool2d(nn::MaxPool2dOptions(2)), nn::Dropout(0.25), nn::Flatten(),
                        nn::Linear(9216, 128), nn::ReLU(), nn::Dropout(0.5), nn::Linear(128, 10));
}

Tensor pictures(at::IntArrayRef shape, bool channels_last) {
  const Tensor x = torch::randn(shape);
  return channels_last ? x.contiguous(torch::MemoryFormat::ChannelsLast) : x;
}

torch::optim::SGD with_momentum(const nn::Sequential& net) {
  return torch::optim::SGD(net->parameters(), torch::optim::SGDOptions(1e-2).momentum(0.9));
}

void cnn(measure::Session& session, const char* name, bool channels_last) {
  if (!session.wants(name)) return;
  const std::int64_t batch = session.size("batch", 64);
  nn::Sequential net = digits_net();
  if (channels_last) make_channels_last(net->parameters());
  train_classes(session, name, net, with_momentum(net), pictures({batch, 1, 28, 28}, channels_last),
                classes(10, {batch}));
}

void infer_cnn(measure::Session& session, const char* name, bool channels_last) {
  if (!session.wants(name)) return;
  const c10::InferenceMode inference;
  nn::Sequential net = digits_net();
  net->eval();
  if (channels_last) make_channels_last(net->parameters());
  const Tensor x = pictures({1, 1, 28, 28}, channels_last);
  session.run(name, [&] { net->forward(x); });
}

struct BlockImpl : nn::Module {
  BlockImpl(int in, int out, int stride)
      : a(conv(in, out, 3, stride, 1, false)),
        b(conv(out, out, 3, 1, 1, false)),
        norm_a(out),
        norm_b(out) {
    register_module("a", a);
    register_module("b", b);
    register_module("norm_a", norm_a);
    register_module("norm_b", norm_b);
    if (stride == 1) return;
    shortcut = nn::Sequential(conv(in, out, 1, stride, 0, false), nn::BatchNorm2d(out));
    register_module("shortcut", shortcut);
  }
  Tensor forward(const Tensor& x) {
    Tensor y = norm_a(a(x)).relu_();
    y = norm_b(b(y));
    return y.add_(shortcut.is_empty() ? x : shortcut->forward(x)).relu_();
  }

  nn::Conv2d a, b;
  nn::BatchNorm2d norm_a, norm_b;
  nn::Sequential shortcut{nullptr};
};
TORCH_MODULE(Block);

void resnet20(measure::Session& session, const char* name, bool channels_last) {
  if (!session.wants(name)) return;
  nn::Sequential net(conv(3, 16, 3, 1, 1, false), nn::BatchNorm2d(16), nn::ReLU());
  for (const int width : {16, 32, 64}) {
    for (int i = 0; i < 3; ++i) {
      const bool halves = i == 0 && width > 16;
      net->push_back(Block(halves ? width / 2 : width, width, halves ? 2 : 1));
    }
  }
  net->push_back(nn::AdaptiveAvgPool2d(1));
  net->push_back(nn::Flatten());
  net->push_back(nn::Linear(64, 10));
  if (channels_last) make_channels_last(net->parameters());
  train_classes(session, name, net, with_momentum(net), pictures({32, 3, 32, 32}, channels_last),
                classes(10, {32}));
}

}  // namespace

void run_pictures(measure::Session& session) {
  torch::manual_seed(1);
  cnn(session, "cnn", false);
  cnn(session, "cnn_channels_last", true);
  infer_cnn(session, "infer_cnn", false);
  infer_cnn(session, "infer_cnn_channels_last", true);
  resnet20(session, "resnet20", false);
  resnet20(session, "resnet20_channels_last", true);
}
