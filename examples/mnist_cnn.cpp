// SPDX-License-Identifier: BSD-3-Clause
// Handwritten digits by a convolutional net. Reads MNIST's files from --data-dir, or learns
// on built-in digits. `mpirun -np 2 mnist_cnn --distributed` trains it in two processes, what each
// has of a step being --batch-size samples.
#include <xtape/xtape.hpp>
#ifdef XTAPE_EXAMPLE_MPI
#include <xtape/optim/mpi_process_group.hpp>
#endif

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "digits.hpp"

namespace nn = xtape::nn;
namespace optim = xtape::optim;
namespace data = xtape::data;
using xtape::Tensor;

struct Net : nn::Module {
  nn::Conv2d conv1{1, 32, 3}, conv2{32, 64, 3};
  nn::Dropout drop1{0.25}, drop2{0.5};
  nn::Linear dense1{64 * 12 * 12, 128}, dense2{128, 10};
  XTAPE_PARTS(conv1, conv2, drop1, dense1, drop2, dense2)
  Tensor forward(const Tensor& x) override {
    Tensor h = relu(conv1((x - 0.13) / 0.31));  // mean and deviation of MNIST's pixels
    h = max_pool2d(relu(conv2(h)), 2);          // [N, 64, 12, 12]
    return dense2(drop2(relu(dense1(drop1(h).flatten(1)))));
  }
};

void train(example::Run& run) {
  const xtape::Autocast autocast(run.flags.bf16);
  const auto [train_set, test_set] = example::load_digits(run, 6000, 2000);
  Net net;
  if (run.flags.no_dropout) net.drop1.p = net.drop2.p = 0;
  optim::Adam optimizer(net.parameters(), {.lr = run.flags.lr});
  // Each process takes its part of the same shuffled samples.
  const data::RandomSampler all(train_set.labels.numel(), {.seed = run.flags.seed});
  data::DataLoader loader(data::TensorDataset(train_set.images, train_set.labels),
                          {.batch_size = run.flags.batch_size,
                           .sampler = xtape::Shared<data::DistributedSampler>::make(
                               all, run.rank(), run.flags.processes)});
  run.resume(net, optimizer, {.loader = &loader});
  std::optional<optim::GradientAverager> averager;
  if (run.group) averager.emplace(*run.group, net);

  const auto steps = static_cast<double>(run.flags.epochs * loader.size());
  while (run.next_epoch(loader.size())) {
    net.train();
    for (const auto& [x, y] : loader) {
      // The learning rate goes straight up, then straight down.
      const double done = (run.steps_done() + 0.5) / steps;
      optimizer.set_lr(run.flags.lr * std::min(done / 0.15, (1 - done) / 0.85));
      optimizer.zero_grad();
      const Tensor loss = nn::cross_entropy(net(x), y);
      loss.backward();
      if (averager) averager->wait();
      optimizer.step();
      if (!run.step(loss.item<double>(), x.size(0))) break;
    }
    if (run.epoch_done()) run.end_epoch(example::evaluate(net, test_set));
  }
  if (run.flags.epochs == 0) run.end_epoch(example::evaluate(net, test_set));
  run.finish(net);
}

void add_flags(CLI::App& app, example::Flags& flags) {
  app.add_flag("--distributed", flags.distributed, "Train together with all processes of mpirun");
  app.add_flag("--no-dropout", flags.no_dropout, "Train without dropout");
  app.add_flag("--bf16", flags.bf16, "Multiply and convolve numbers rounded to bfloat16");
}

xtape::Owned<optim::ProcessGroup> processes() {
#ifdef XTAPE_EXAMPLE_MPI
  return xtape::Owned<optim::MpiProcessGroup>::make();
#else
  throw std::runtime_error("--distributed: built without MPI (configure with -DXTAPE_MPI=ON)");
#endif
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "mnist_cnn",
                       .purpose = "Learns handwritten digits with a convolutional net",
                       .epochs = 3,
                       .batch_size = 64,
                       .lr = 2e-3,
                       .add_flags = add_flags,
                       .processes = processes},
                      train);
}
