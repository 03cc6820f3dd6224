// SPDX-License-Identifier: BSD-3-Clause
// Handwritten digits by a net of three linear layers. Reads MNIST's files from --data-dir, or
// learns on built-in digits.
#include <xtape/xtape.hpp>

#include "digits.hpp"

namespace nn = xtape::nn;
namespace optim = xtape::optim;
namespace data = xtape::data;
using xtape::Tensor;

struct Net : nn::Module {
  nn::Linear a{784, 512}, b{512, 256}, c{256, 10};
  XTAPE_PARTS(a, b, c)
  Tensor forward(const Tensor& x) override { return c(relu(b(relu(a(x.flatten(1)))))); }
};

void train(example::Run& run) {
  const auto [train_set, test_set] = example::load_digits(run, 12000, 2000);
  Net net;
  optim::Adam optimizer(net.parameters(), {.lr = run.flags.lr});
  data::DataLoader loader(
      data::TensorDataset(train_set.images, train_set.labels),
      {.batch_size = run.flags.batch_size, .shuffle = true, .seed = run.flags.seed});
  run.resume(net, optimizer, {.loader = &loader});

  const auto steps = static_cast<double>(run.flags.epochs * loader.size());
  while (run.next_epoch(loader.size())) {
    net.train();
    for (const auto& [x, y] : loader) {
      // The learning rate goes down to 0 in a straight line.
      optimizer.set_lr(run.flags.lr * (1 - run.steps_done() / steps));
      optimizer.zero_grad();
      const Tensor loss = nn::cross_entropy(net(x), y);
      loss.backward();
      optimizer.step();
      if (!run.step(loss.item<double>(), x.size(0))) break;
    }
    if (run.epoch_done()) run.end_epoch(example::evaluate(net, test_set));
  }
  if (run.flags.epochs == 0) run.end_epoch(example::evaluate(net, test_set));
  run.finish(net);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "mnist_mlp",
                       .purpose = "Learns handwritten digits with linear layers",
                       .epochs = 5,
                       .batch_size = 128,
                       .lr = 1e-3},
                      train);
}
