// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <initializer_list>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/sorting.hpp>
#include <xtape/autograd/tensor.hpp>

// What PyTorch gave for operations, as tests/reference/ops/generate.py stored it. A case is a line
// there and one in the table here, under the same name:
//
//   const StoredCases cases("reductions.safetensors", {
//       {"sum", XTAPE_CALL(sum(a))},
//       {"sum.dims", XTAPE_CALL(sum(a, {0, -1}))},
//   });
//
// Values and gradients of all its samples agree in float64 to 1e-10 and in float32 to 1e-5, of
// max(|value|, rms of the tensor); whole numbers and booleans are equal. Each file becomes the test
// case stored_<file>; a case that stands on one side only is a failure.
namespace xtape::test {

using Tensors = std::vector<Tensor>;

/// The inputs of a sample, in their order.
struct Arguments {
  Tensor a, b, c;
};

inline Tensors results(const Tensor& y) { return {y}; }
inline Tensors results(const Tensors& y) { return y; }
inline Tensors results(const ValuesAndIndices& y) { return {y.values, y.indices}; }
inline Tensors results(const VarianceAndMean& y) { return {y.var, y.mean}; }
inline Tensors results(const DeviationAndMean& y) { return {y.std, y.mean}; }
inline Tensors results(const UniqueValues& y) { return {y.values, y.inverse, y.counts}; }

/// A function of the inputs a, b, c.
#define XTAPE_CALL(...)                                 \
  [](const Arguments& arguments) {                      \
    [[maybe_unused]] const auto& [a, b, c] = arguments; \
    return results(__VA_ARGS__);                        \
  }

struct StoredCase {
  const char* name;
  Tensors (*call)(const Arguments& arguments);
};

/// Registers a test case for a file; made at namespace scope.
class StoredCases {
 public:
  StoredCases(const char* file, std::initializer_list<StoredCase> cases,
              std::source_location where = std::source_location::current());
};

}  // namespace xtape::test
