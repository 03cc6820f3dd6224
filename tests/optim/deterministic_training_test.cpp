// SPDX-License-Identifier: BSD-3-Clause
// Whole training steps: the same bits from 1, 2 and 3 threads in deterministic mode.
#include <boost/test/unit_test.hpp>
#include <vector>

#include <xtape/xtape.hpp>

#include "../nn/nn_test.hpp"

namespace {

using namespace xtape;

constexpr int kSteps = 20;

/// All losses, then all parameters and buffers.
template <class Optimizer, class Loss>
std::vector<double> train(nn::Module& net, Optimizer optimizer, Loss loss) {
  std::vector<double> numbers;
  for (int step = 0; step < kSteps; ++step) {
    optimizer.zero_grad();
    const Tensor y = loss();
    y.backward();
    nn::clip_grad_norm_(net.parameters(), 1);
    optimizer.step();
    numbers.push_back(y.item<double>());
  }
  for (const auto& [name, value] : nn::state_dict(net)) {
    const std::vector<double> more = nn_test::values(value);
    numbers.insert(numbers.end(), more.begin(), more.end());
  }
  return numbers;
}

std::vector<double> mlp() {
  nn::Sequential net(nn::Linear(64, 256), nn::ReLU(), nn::Dropout(0.2), nn::Linear(256, 128),
                     nn::Tanh(), nn::Linear(128, 10));
  const Tensor x = randn({96, 64}), y = randint(0, 10, {96});
  return train(net, optim::Adam(net.parameters(), {.lr = 1e-3}),
               [&] { return nn::cross_entropy(net(x), y); });
}

// The second convolution is large enough for Winograd's form.
std::vector<double> cnn() {
  nn::Sequential net(nn::Conv2d(1, 20, 3, {.padding = 1}), nn::BatchNorm2d(20), nn::ReLU(),
                     nn::MaxPool2d(2), nn::Conv2d(20, 24, 3, {.padding = 1}), nn::BatchNorm2d(24),
                     nn::ReLU(), nn::Flatten(), nn::Linear(24 * 64, 10));
  const Tensor x = randn({26, 1, 16, 16}), y = randint(0, 10, {26});
  return train(net, optim::SGD(net.parameters(), {.lr = 1e-2, .momentum = 0.9}),
               [&] { return nn::cross_entropy(net(x), y); });
}

std::vector<double> lstm() {
  nn::LSTM net(40, 100, {.num_layers = 2, .dropout = 0.1});
  const Tensor x = randn({6, 33, 40}), target = randn({6, 33, 100});
  return train(net, optim::RMSprop(net.parameters(), {.lr = 1e-3}),
               [&] { return nn::mse_loss(net(x, {}).output, target); });
}

std::vector<double> transformer() {
  nn::TransformerEncoder net(
      nn::TransformerEncoderLayer(64, 4,
                                  {.dim_feedforward = 160, .dropout = 0.1, .batch_first = true}),
      2);
  const Tensor x = randn({6, 70, 64}), target = randn({6, 70, 64});
  return train(net, optim::AdamW(net.parameters(), {.lr = 1e-3}),
               [&] { return nn::mse_loss(net(x, nn::EncoderMasks{.is_causal = true}), target); });
}

struct Workload {
  const char* name;
  std::vector<double> (*run)();
};
constexpr Workload kWorkloads[] = {
    {"mlp", mlp}, {"cnn", cnn}, {"lstm", lstm}, {"transformer", transformer}};

}  // namespace

BOOST_AUTO_TEST_SUITE(deterministic_training)

BOOST_AUTO_TEST_CASE(twenty_steps_give_the_same_bits_for_any_number_of_threads) {
  const int before = num_threads();
  use_deterministic_algorithms(true);
  for (const Workload& w : kWorkloads) {
    std::vector<double> runs[3];
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      manual_seed(3);
      runs[threads - 1] = w.run();
    }
    BOOST_TEST((runs[0] == runs[1]), w.name);
    BOOST_TEST((runs[0] == runs[2]), w.name);
  }
  use_deterministic_algorithms(false);
  set_num_threads(before);
}

BOOST_AUTO_TEST_SUITE_END()
