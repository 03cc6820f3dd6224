// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../memory.hpp"

namespace xtape::kernels {

/// How a product or a convolution of float32 takes its operands: as they are, or rounded to
/// bfloat16. Sums and results are float32 in both; float64 is always taken as it is.
enum class Precision : std::uint8_t { full, bfloat16 };

/// The upper half of a float32: its range with 8 bits of mantissa.
struct BFloat16 {
  std::uint16_t bits;
};

/// Whether products of these are faster than those of float32 here: the processor multiplies them
/// by instructions of its own, and oneDNN is there to use them.
bool has_bfloat16();

/// y[i] = x[i] to the nearest, ties to even; NaN stays NaN. To: BFloat16, or float for the same
/// values in float32.
template <class To>
void round_to_bfloat16(std::int64_t count, const float* x, To* y);

/// A row-major matrix rounded, its rows without gaps; on several threads where it is large.
template <class To>
class Rounded {
 public:
  Rounded(std::int64_t rows, std::int64_t columns, const float* x, std::int64_t step);
  const To* data() const { return data_.data(); }
  /// From a row to the next.
  std::int64_t step() const { return columns_; }

 private:
  std::int64_t columns_;
  detail::Scratch<To> data_;
};

}  // namespace xtape::kernels
