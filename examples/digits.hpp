// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "common.hpp"

// The digits that several examples learn.
namespace example {

struct DigitSets {
  xtape::data::Digits train, test;
};

/// MNIST's files from --data-dir, or so many built-in digits; at most --limit of each.
inline DigitSets load_digits(Run& run, std::int64_t train_count, std::int64_t test_count) {
  const Flags& flags = run.flags;
  const auto limited = [&](std::int64_t n) { return flags.limit ? std::min(n, flags.limit) : n; };
  const auto read = [&](const std::string& part) -> xtape::data::Digits {
    const std::string images_path = find_data(flags, "mnist", part + "-images-idx3-ubyte");
    const std::string labels_path = find_data(flags, "mnist", part + "-labels-idx1-ubyte");
    const auto images = xtape::data::read_idx(images_path);
    const auto labels = xtape::data::read_idx(labels_path);
    if (images.dim() != 3 || images.size(0) == 0 || images.size(1) != 28 || images.size(2) != 28) {
      throw std::runtime_error(images_path + ": expected [n, 28, 28], got " + images.description());
    }
    if (labels.shape() != xtape::Shape{images.size(0)}) {
      throw std::runtime_error(labels_path + ": expected one label for each of " +
                               std::to_string(images.size(0)) + " images, got " +
                               labels.description());
    }
    const std::int64_t n = limited(images.size(0));
    return {(narrow(images, 0, 0, n).to(xtape::float32) / 255).reshape({n, 1, 28, 28}),
            narrow(labels, 0, 0, n).to(xtape::int64)};
  };
  const bool built_in = flags.data_dir.empty();
  DigitSets sets = built_in ? DigitSets{xtape::data::generate_digits(limited(train_count), 1),
                                        xtape::data::generate_digits(limited(test_count), 2)}
                            : DigitSets{read("train"), read("t10k")};
  run.say(std::to_string(sets.train.labels.size(0)) + (built_in ? " built-in" : "") +
          " digits to learn, " + std::to_string(sets.test.labels.size(0)) + " to test");
  return sets;
}

/// Mean loss and share of right answers.
inline Values evaluate(xtape::nn::Module& net, const xtape::data::Digits& digits) {
  const xtape::NoGrad no_grad;
  net.eval();
  xtape::data::DataLoader loader(xtape::data::TensorDataset(digits.images, digits.labels),
                                 {.batch_size = 500});
  double loss = 0, right = 0;
  for (const auto& [x, y] : loader) {
    const xtape::Tensor scores = net(x);
    loss += xtape::nn::cross_entropy(scores, y, {.reduction = xtape::nn::Reduction::sum})
                .item<double>();
    right += sum(eq(argmax(scores, 1), y)).item<double>();
  }
  const auto count = static_cast<double>(digits.labels.numel());
  return {{"test_loss", loss / count}, {"test_accuracy", right / count}};
}

/// Learns as mnist_mlp does step by step, and tests after each pass; --resume goes on.
inline void learn_digits(Run& run, xtape::nn::Module& net, const DigitSets& digits) {
  const Flags& flags = run.flags;
  xtape::optim::Adam optimizer(net.parameters(), {.lr = flags.lr});
  xtape::data::DataLoader loader(
      xtape::data::TensorDataset(digits.train.images, digits.train.labels),
      {.batch_size = flags.batch_size, .shuffle = true, .seed = flags.seed});
  run.resume(net, optimizer, {.loader = &loader});
  const auto steps = static_cast<double>(flags.epochs * loader.size());
  while (run.next_epoch(loader.size())) {
    net.train();
    for (const auto& [x, y] : loader) {
      optimizer.set_lr(flags.lr * (1 - run.steps_done() / steps));
      optimizer.zero_grad();
      const xtape::Tensor loss = xtape::nn::cross_entropy(net(x), y);
      loss.backward();
      optimizer.step();
      if (!run.step(loss.item<double>(), x.size(0))) break;
    }
    if (run.epoch_done()) run.end_epoch(evaluate(net, digits.test));
  }
  if (flags.epochs == 0) run.end_epoch(evaluate(net, digits.test));
}

}  // namespace example
