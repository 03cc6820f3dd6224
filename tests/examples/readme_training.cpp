// SPDX-License-Identifier: BSD-3-Clause
// The training loop of the README, as it stands there.
// clang-format off
// README: training
#include <xtape/xtape.hpp>
#include <cstdio>
namespace nn = xtape::nn;
using xtape::Tensor;

struct Net : nn::Module {
  nn::Linear a{784, 128}, b{128, 10};
  XTAPE_PARTS(a, b)
  Tensor forward(const Tensor& x) override { return b(relu(a(x.flatten(1)))); }
};

int main() {
  const auto digits = xtape::data::generate_digits(4000);
  xtape::data::DataLoader loader(xtape::data::TensorDataset(digits.images, digits.labels),
                                 {.batch_size = 64, .shuffle = true});
  Net net;
  xtape::optim::Adam optimizer(net.parameters(), {.lr = 1e-3});
  for (int epoch = 1; epoch <= 5; ++epoch) {
    double sum = 0;
    for (const auto& [x, y] : loader) {
      optimizer.zero_grad();
      Tensor loss = nn::cross_entropy(net(x), y);
      loss.backward();
      optimizer.step();
      sum += loss.item<double>();
    }
    std::printf("epoch %d loss %.4f\n", epoch, sum / loader.size());
  }
  xtape::optim::save_model(net, "net.safetensors");
}
// README: end
