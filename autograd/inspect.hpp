// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dtype.hpp"
#include "export.hpp"
#include "shape.hpp"
#include "tensor.hpp"

// Looking at what is recorded.
namespace xtape {

/// A result of a recorded operation.
struct TapeOutput {
  DType dtype;
  Shape shape;
};

/// One recorded operation, or a leaf that collects a gradient (named "leaf").
struct TapeEntry {
  /// An input that is not recorded.
  static constexpr std::size_t kConstant = static_cast<std::size_t>(-1);

  std::string operation;
  std::string module;  ///< "Net.conv2 (Conv2d)"; empty where it was recorded outside of modules
  std::vector<TapeOutput> outputs;
  std::vector<std::size_t> inputs;  ///< places of the producers in the tape, or kConstant
  /// Bytes that it keeps for its gradient: storage that an older entry keeps, or that belongs to a
  /// leaf, is not counted again.
  std::int64_t saved_bytes = 0;
  bool is_leaf = false;
  bool is_released = false;  ///< an earlier backward took what it had saved
};

/// What was recorded on the way to a tensor, oldest first: a snapshot, which keeps nothing alive.
class XTAPE_API Tape {
 public:
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }
  std::size_t size() const noexcept { return entries_.size(); }
  const TapeEntry& operator[](std::size_t i) const noexcept { return entries_[i]; }

  /// One line for each entry: number, operation, results, inputs, bytes saved, module.
  std::string table() const;
  /// The graph in the language of Graphviz: `dot -Tsvg`. Modules are boxes around their operations.
  std::string dot() const;
  /// Bytes saved for backward, by operation and by module, largest first; then what is live and
  /// what was the peak in the whole process.
  std::string memory_report() const;

 private:
  friend Tape tape(const Tensor& y);
  std::vector<TapeEntry> entries_;
};

/// The tape that leads to `y`; empty where it has no history.
XTAPE_API Tape tape(const Tensor& y);

}  // namespace xtape
