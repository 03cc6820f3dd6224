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

}  // namespace example
