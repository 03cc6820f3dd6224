// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "../export.hpp"

// A formula of one element at a time as a list of instructions, compiled into a short program that
// runs block by block: as fast as vector code, without any in the file that holds the formula.
namespace xtape::kernels {

// clang-format off
#define XTAPE_PROGRAM_FUNCTIONS(X)                                                             \
  X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) X(log1p) X(sqrt) X(rsqrt) X(square)          \
  X(reciprocal) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) X(asinh)  \
  X(acosh) X(atanh) X(erf) X(erfc) X(ndtr) X(erfinv) X(lgamma) X(digamma) X(logit) X(sigmoid)  \
  X(softplus) X(logsigmoid) X(abs) X(sign) X(floor) X(ceil) X(round) X(trunc)
#define XTAPE_PROGRAM_COMPARISONS(X) X(lt) X(le) X(gt) X(ge) X(eq) X(ne)
// clang-format on

/// x, y, z, w are operands, k and l numbers. A condition is 1 or 0.
enum class Op : std::uint32_t {
  // what is recorded
  input,   // number k of the inputs
  output,  // x is output number k
  number,  // k
  negative,
  add,
  subtract,
  multiply,
  divide,
  add_number,    // x + k
  scale,         // x k
  over_number,   // x / k
  number_minus,  // k - x
  number_over,   // k / x
  power,
  power_number,  // x^k
  polygamma,     // the k-th derivative of digamma
  atan2,
  hypot,
  logical_and,
  logical_or,
  logical_not,
  where,
#define XTAPE_X(name) name,
  XTAPE_PROGRAM_COMPARISONS(XTAPE_X) XTAPE_PROGRAM_FUNCTIONS(XTAPE_X)
#undef XTAPE_X
  // what several of them become
  copy,
  multiply_add,          // x y + z
  multiply_subtract,     // x y - z
  minus_product,         // z - x y
  product_plus,          // x y + k
  number_minus_product,  // k - x y
  scale_add,             // x k + z
  scale_subtract,        // x k - z
  minus_scaled,          // z - x k
  affine,                // x k + l
  affine_product,        // (x k + l) (y m + n)
  affine_quotient,       // (x k + l) / (y m + n)
  where_less,            // x < y ? z : w
};

/// Packed, so that two are compared in three steps.
struct Instruction {
  std::uint64_t head = 0, operands = 0, number_bits = 0;

  Op op() const noexcept { return static_cast<Op>(head & 0xffffffffu); }
  /// An earlier instruction, -1 for none.
  std::int32_t a() const noexcept { return static_cast<std::int32_t>(head >> 32); }
  std::int32_t b() const noexcept { return static_cast<std::int32_t>(operands & 0xffffffffu); }
  std::int32_t c() const noexcept { return static_cast<std::int32_t>(operands >> 32); }
  double number() const noexcept { return std::bit_cast<double>(number_bits); }
};

struct Program;

/// Instructions as a formula runs on numbers that record. It is written over those of the last run,
/// which tells at no cost whether the program still holds.
class Recording {
 public:
  constexpr Recording() noexcept = default;
  XTAPE_API ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void begin() noexcept { count_ = 0; }
  std::int32_t add(Op op, std::int32_t a = -1, std::int32_t b = -1, std::int32_t c = -1,
                   double number = 0) {
    if (count_ == capacity_) grow();
    const auto low = [](auto x) { return std::uint64_t{static_cast<std::uint32_t>(x)}; };
    const std::uint64_t head = low(op) | low(a) << 32, operands = low(b) | low(c) << 32;
    const auto bits = std::bit_cast<std::uint64_t>(number);
    Instruction& here = list_[count_];
    if ((here.head ^ head) | (here.operands ^ operands) | (here.number_bits ^ bits)) {
      here = {head, operands, bits};
      changed_ = true;
    }
    return count_++;
  }
  /// Of the instructions since `begin`, for a strip of that many inputs and outputs; it is good
  /// until the next call.
  const Program& program(int inputs, int outputs) {
    if (changed_ || count_ != compiled_) compile(inputs, outputs);
    return *program_;
  }

 private:
  XTAPE_API void grow();
  XTAPE_API void compile(int inputs, int outputs);

  Instruction* list_ = nullptr;
  Program* program_ = nullptr;
  std::int32_t count_ = 0, capacity_ = 0, compiled_ = -1;
  bool changed_ = false;  // since the program was compiled
};

/// Strips (kernels/loop.hpp) whose context is a Program.
XTAPE_API void run_program_single(const void* program, std::byte* const* pointers,
                                  const std::int64_t* steps, std::int64_t count);
XTAPE_API void run_program_double(const void* program, std::byte* const* pointers,
                                  const std::int64_t* steps, std::int64_t count);

}  // namespace xtape::kernels
