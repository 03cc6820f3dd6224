// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "program.hpp"

// The compiled form of a formula. Private to kernels/.
namespace xtape::kernels {

/// x + kNothing is x, for x = -0 too.
inline constexpr double kNothing = -0.0;

constexpr bool is_function(Op op) noexcept { return op >= Op::exp && op <= Op::trunc; }

/// slot[to] = op(slot[in[0]], ...) slot[factor], over a block of elements. A function is
/// f(x k + l) m + n.
struct Step {
  Op op;
  std::int32_t to, in[4], factor;  // factor < 0: none
  double k, l, m, n;
};

/// Slots hold a block each: inputs, outputs, numbers, registers, in this order.
struct Program {
  struct Output {
    std::int32_t pointer;  // which of the strip's
    bool last;             // nothing reads an input after it is written
  };
  std::int32_t inputs = 0, slots = 0;
  std::int32_t pointers = 0;  // outputs of the strip, wanted or not: those of the inputs follow
  std::vector<Output> outputs;
  std::vector<double> numbers;
  std::vector<Step> steps;
};

}  // namespace xtape::kernels
