// SPDX-License-Identifier: BSD-3-Clause
// Format: https://www.cs.toronto.edu/~kriz/cifar.html (section "Binary version").
#include "cifar.hpp"

#include <cstdint>
#include <span>
#include <vector>

#include "../autograd/ops/creation.hpp"
#include "file.hpp"

namespace xtape::data {
namespace {

constexpr std::int64_t kPixels = 3 * 32 * 32;

// One label of each record, and what it may be.
struct Label {
  const char* name;
  int classes;
  std::vector<std::int64_t> values{};
};

// Returns the images; fills in the labels, which stand before each of them.
Tensor read_records(const char* operation, const std::string& path, std::span<Label> labels) {
  detail::InputFile file(operation, path);
  const std::uint64_t record = kPixels + labels.size();
  if (file.size() == 0 || file.size() % record != 0) {
    file.fail("expected records of " + std::to_string(record) + " bytes, found " +
              std::to_string(file.size()) + " bytes");
  }
  const auto count = static_cast<std::int64_t>(file.size() / record);
  const Tensor images = xtape::detail::empty(uint8, Shape{count, 3, 32, 32});
  auto* pixels = xtape::detail::fresh_data<std::uint8_t>(images);
  for (std::int64_t i = 0; i < count; ++i, pixels += kPixels) {
    for (Label& label : labels) {
      std::uint8_t value = 0;
      file.read(&value, 1);
      if (value >= label.classes) {
        file.fail("record " + std::to_string(i) + ": expected a " + label.name + " below " +
                  std::to_string(label.classes) + ", found " + std::to_string(value));
      }
      label.values.push_back(value);
    }
    file.read(pixels, kPixels);
  }
  return images;
}

Tensor tensor_of(const Label& label) {
  return from_values(std::span<const std::int64_t>(label.values),
                     {static_cast<std::int64_t>(label.values.size())});
}

}  // namespace

ColourImages read_cifar10(const std::string& path) {
  Label labels[] = {{"label", 10}};
  const Tensor images = read_records("read_cifar10", path, labels);
  return {images, tensor_of(labels[0])};
}

ColourImages read_cifar100(const std::string& path) {
  Label labels[] = {{"coarse label", 20}, {"fine label", 100}};
  const Tensor images = read_records("read_cifar100", path, labels);
  return {images, tensor_of(labels[1]), tensor_of(labels[0])};
}

}  // namespace xtape::data
