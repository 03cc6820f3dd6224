// SPDX-License-Identifier: BSD-3-Clause
// A program as a user writes it; layout as in the README.
// clang-format off
#include <xtape/xtape.hpp>
#include <cstdio>
#include <cstdlib>
namespace nn = xtape::nn;
using xtape::Tensor;
struct Net : nn::Module {
  nn::Linear a{784, 512}, b{512, 256}, c{256, 10};
  XTAPE_PARTS(a, b, c)
  Tensor forward(const Tensor& x) override { return c(xtape::relu(b(xtape::relu(a(x))))); }
};
int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 1;
  xtape::manual_seed(1);
  Net net;
  xtape::optim::Adam opt(net.parameters(), {.lr = 1e-3});
  Tensor x = xtape::randn({128, 784});
  Tensor y = xtape::randint(0, 10, {128});
  for (int i = 0; i < steps; ++i) {
    opt.zero_grad();
    Tensor loss = nn::cross_entropy(net(x), y);
    loss.backward();
    opt.step();
    if (i == 0 || i == steps - 1) std::printf("step %d loss %.5f\n", i, loss.item<double>());
  }
}
