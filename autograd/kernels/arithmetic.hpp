// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

#include "../dtype.hpp"
#include "loop.hpp"

namespace xtape::kernels {

enum class Binary : std::uint8_t {
  add,
  sub,
  mul,
  div,
  div_floor,
  div_trunc,
  remainder,  ///< with the sign of the divisor, as Python has it
  fmod,       ///< with the sign of the dividend
  maximum,
  minimum
};
enum class Comparison : std::uint8_t { eq, ne, lt, le, gt, ge };

/// y = a op b on strips of one dtype; div of floating dtypes only, the other divisions not of
/// booleans; integers are not divided by 0. maximum and minimum give
/// NaN where either operand is NaN.
StripFunction binary_strip(Binary op, DType dtype);
/// The same with a boolean result.
StripFunction comparison_strip(Comparison op, DType dtype);
/// sum[i] += x[i]
void add_into(DType dtype, void* sum, const void* x, std::int64_t count);
/// y[i] = condition[i] ? a[i] : b[i]; operands: y, condition (boolean), a, b.
StripFunction where_strip(DType dtype);

}  // namespace xtape::kernels
