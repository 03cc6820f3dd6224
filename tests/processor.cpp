// SPDX-License-Identifier: BSD-3-Clause
// Prints which variant of the library was loaded and what it computes: the processors that it was
// compiled for, a loss, the norm of its gradient. tests/install/processors compares these.
#include <cstdio>
#include <xtape/autograd/processor.hpp>
#include <xtape/xtape.hpp>

namespace nn = xtape::nn;
using xtape::Tensor;

namespace {

// Sizes that no vector divides.
struct Net : nn::Module {
  nn::Linear in{19, 37}, out{23, 5};
  nn::LayerNorm norm{37};
  nn::LSTM lstm{37, 23};
  XTAPE_PARTS(in, out, norm, lstm)
  Tensor forward(const Tensor& x) override { return out(lstm(gelu(norm(in(x)))).output); }
};

}  // namespace

int main() {
  xtape::manual_seed(1);
  Net net;
  net.to(xtape::float64);
  const Tensor x = xtape::randn({7, 3, 19}, xtape::float64);
  const Tensor loss = nn::cross_entropy(net(x).flatten(0, 1), xtape::randint(0, 5, {21}));
  loss.backward();
  const double norm = nn::clip_grad_norm_(net, 1.0);
  std::printf("%s %.12f %.12f\n", xtape::processor_level(), loss.item<double>(), norm);
}
