// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <xtape/autograd/tensor.hpp>

// Random programs: some inputs, then steps that each apply an operation to earlier values, so that
// subexpressions are shared. What a program computes is differentiated and compared with
// differences; one that fails is made smaller and printed as code.
namespace xtape::test {

using Tensors = std::vector<Tensor>;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  /// Below n.
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(n));
  }
  /// Uniform in [low, high).
  double real(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }

 private:
  std::mt19937_64 engine_;
};

/// What an operation is applied to: up to three tensors, and two whole numbers (dimensions).
struct Call {
  Tensor a, b, c;
  std::int64_t i = 0, j = 0;
};

/// One operation that a step may apply.
struct Operation {
  const char* code;  ///< the expression, of a, b, c, i and j
  int arguments;
  /// Sets i and j, and says whether the tensors suit: shapes, domain, no kink near.
  bool (*choose)(Random& random, Call& call);
  Tensor (*run)(const Call& call);
};
using Operations = std::vector<Operation>;

/// XTAPE_STEP(2, broadcasting, a + b)
#define XTAPE_STEP(count, choose, ...)                                                           \
  {                                                                                              \
#__VA_ARGS__, count, choose, [](const Call& call) -> Tensor {                                  \
      [[maybe_unused]] const auto& [a, b, c, i, j] = call;                                         \
      return __VA_ARGS__;                                                                          \
    } \
  }

/// Those of the library.
const Operations& program_operations();

struct Step {
  const Operation* operation;
  std::vector<int> arguments;  ///< numbers of values: the inputs, then the results of the steps
  std::int64_t i = 0, j = 0;
};

struct Program {
  Tensors inputs;  ///< float64
  std::vector<Step> steps;

  /// The sum of what no step uses, weighted: a scalar that depends on every step.
  Tensor loss(const Tensors& x) const;
  /// Statements that compute it.
  std::string code() const;
};

/// 1 to 3 inputs and 2 to 20 steps.
Program random_program(std::uint64_t seed, const Operations& operations = program_operations());

enum class Outcome {
  right,
  wrong,      ///< the gradient differs from the differences, or there is none
  sharp,      ///< the differences agree with one another for no step: they say nothing
  undefined,  ///< the program itself throws, or is not finite
};
struct Verdict {
  Outcome outcome = Outcome::right;
  std::string text{};
};

/// Compares the derivative along a random direction in reverse mode with central differences; and
/// the derivative of that derivative likewise.
Verdict check(const Program& program);

/// The smallest program found that fails too: with steps left out or made inputs.
Program shrunk(Program program, const std::function<bool(const Program&)>& fails);

}  // namespace xtape::test
