// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::optim {

/// A file of TensorBoard's in a folder: `tensorboard --logdir folder` shows what it holds. Each
/// record has checksums, so a reader sees where a file was cut; whole records are readable at any
/// time after `flush`.
class XTAPE_API EventFile {
 public:
  /// Makes the folder and a new file in it. Throws FileError.
  explicit EventFile(const std::string& folder);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  const std::string& path() const noexcept { return path_; }

  /// A point of the curve `tag`; NaN and Inf too. Throws FileError.
  void scalar(const std::string& tag, double value, std::int64_t step);
  /// How the elements are distributed, in 64 bins of equal width; those that are not finite are
  /// left out. Throws FileError; DTypeError unless they are floating numbers.
  void histogram(const std::string& tag, const Tensor& values, std::int64_t step);
  /// Hands what was written to the system. Throws FileError.
  void flush();

 private:
  void write(const std::string& event);

  std::string path_;
  std::string waiting_;  // records not handed over yet
  int descriptor_ = -1;
};

}  // namespace xtape::optim
