// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "../autograd/export.hpp"
#include "../autograd/inspect.hpp"
#include "table.hpp"

namespace xtape::data {

struct TapePictureOptions {
  std::string title{};
};

/// A picture of what was recorded on the way to a tensor, written as SVG:
/// `TapePicture(tape(loss)).save("tape.svg")`. A box for each operation, in the colour of its
/// module and just above the first that needs it, says what it makes and what it keeps for its
/// gradient; a dot on it is a leaf that it uses. Boxes are ordered by their neighbours, K. Sugiyama
/// et al., "Methods for visual understanding of hierarchical system structures", 1981.
class XTAPE_API TapePicture {
 public:
  /// Throws ValueError on a tape without an operation, and on more than 2000, which nobody can
  /// read: `Tape::dot()` has no such bound.
  explicit TapePicture(const Tape& tape, TapePictureOptions options = {});

  /// The SVG document; its text is UTF-8.
  std::string svg() const;
  /// A row for each entry of the tape, leaves too: entry, operation, module, results, inputs (the
  /// entries that made them, "-" for a constant), saved_bytes.
  Table table() const;
  /// Writes the picture and beside it the table: "tape.svg" and "tape.csv". Each file appears whole
  /// or not at all. Throws FileError.
  void save(const std::string& path) const;

 private:
  Tape tape_;
  TapePictureOptions options_;
};

}  // namespace xtape::data
