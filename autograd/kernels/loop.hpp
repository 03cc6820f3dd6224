// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "../export.hpp"

namespace xtape::kernels {

inline constexpr int kMaxRank = 16;
inline constexpr int kMaxOperands = 32;

/// A nest of loops over several strided operands of one shape.
struct Loop {
  int rank = 0;
  int operands = 0;
  std::int64_t sizes[kMaxRank];
  std::int64_t strides[kMaxOperands][kMaxRank];  // in elements; 0 where broadcast

  std::int64_t numel() const noexcept {
    std::int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= sizes[i];
    return n;
  }
  /// Orders the dimensions by operand 0's strides, largest first; drops those of size 1; joins
  /// those that every operand walks through without a gap. Rank 0 becomes one dimension of size 1.
  XTAPE_API void simplify() noexcept;
};

/// One memory operand of `run_strips`. A null `data` is an output that nobody wants.
struct Operand {
  std::byte* data;
  const std::int64_t* strides;  // one for each dimension, in elements
  int item_bytes;
};

/// Works on `count` elements: operand i's begin at pointers[i] and advance by steps[i], 0 or 1.
using StripFunction = void (*)(const void* context, std::byte* const* pointers,
                               const std::int64_t* steps, std::int64_t count);

/// Calls `f` on strips that cover the shape once, in parallel above `grain` elements. The first
/// `outputs` operands are dense, written, and of one memory order; the others are read, broadcast
/// (stride 0), strided or reversed.
XTAPE_API void run_strips(std::span<const std::int64_t> sizes, std::span<const Operand> operands,
                          int outputs, StripFunction f, const void* context, std::int64_t grain);

/// The sum of what `f` would write to operand 0, whose `data` is not looked at: added up in float64
/// block by block, in parts of `grain` elements whatever the number of threads, and never stored.
XTAPE_API double sum_strips(std::span<const std::int64_t> sizes, std::span<const Operand> operands,
                            StripFunction f, const void* context, std::int64_t grain);

}  // namespace xtape::kernels
