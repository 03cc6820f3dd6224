// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "export.hpp"

namespace xtape {

/// In its scope (this thread) matrix products, convolutions and recurrent layers of float32 tensors
/// take their operands rounded to bfloat16: float32's range, 8 bits of mantissa, ties to even. Sums
/// and results are float32, so that nothing else changes: no loss scaling, no other dtype. What is
/// recorded in the scope is differentiated in the same way, wherever the sweep runs, at any order.
/// Nothing is rounded of float64, in mv, dot, attention, linear algebra by LAPACK, affine_grid, and
/// 3x3 convolutions that are faster in float32 (by Winograd, see docs/performance.md). Faster where
/// is_supported(); elsewhere the same rounded operands are multiplied in float32.
class XTAPE_API Autocast {
 public:
  /// `enabled` false: operands as they are, inside another scope too.
  explicit Autocast(bool enabled = true) noexcept;
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

  /// Whether this processor multiplies bfloat16 by instructions of its own (AVX-512 BF16).
  static bool is_supported();

 private:
  bool before_;
};

/// True in the scope of an Autocast (this thread).
XTAPE_API bool is_autocast_enabled() noexcept;

}  // namespace xtape
