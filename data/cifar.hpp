// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::data {

/// Pictures in colour and what they show.
struct ColourImages {
  Tensor images;           ///< uint8 [n, 3, 32, 32]: red, green, blue
  Tensor labels;           ///< int64 [n]
  Tensor coarse_labels{};  ///< of CIFAR-100, int64 [n]
};

/// A file of CIFAR-10's binary version: records of a label below 10 and 3072 bytes. Any number of
/// whole records, however many the official files have. Throws FileError.
XTAPE_API ColourImages read_cifar10(const std::string& path);
/// The same of CIFAR-100: a coarse label below 20, a fine one below 100, 3072 bytes.
XTAPE_API ColourImages read_cifar100(const std::string& path);

}  // namespace xtape::data
