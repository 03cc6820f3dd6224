// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// A test of an operation is one row. tests/autograd/ops/activations_test.cpp, say:
//
//   #include "../rows.hpp"
//   namespace {
//   using namespace xtape;
//   using namespace xtape::test;
//
//   const Rows rows({
//       {.name = "softplus",
//        .f = [](const Tensor& x) { return softplus(x); },
//        .reference = [](long double x) { return x > 0 ? x + std::log1p(std::exp(-x))
//                                                      : std::log1p(std::exp(x)); },
//        .inputs = {{real(-4, 4)}}},
//       {.name = "matmul",
//        .f = [](const Tensor& a, const Tensor& b) { return matmul(a, b); },
//        .reference = [](const Array& a, const Array& b) { ... return y; },
//        .inputs = {{real({3, 4}), real({4, 2})}, {real({0, 4}), real({4, 2})}},
//        .errors = {throws<ShapeError>([] { return matmul(zeros({3, 4}), zeros({5, 6})); },
//                                      "inner dimensions differ, [3, 4] @ [5, 6]")}},
//   });
//   }  // namespace
//
// Each row becomes the test case op_<name>: run it by `--run_test=op_softplus`. What is checked
// with no further code, by the kind of the row:
//
// all          values against the reference, for each sample of `inputs`, in float64 (`tolerance`)
//              and float32 (against float64, `tolerance32`); dtype of the results; the same values
//              and gradients from transposed, sliced, reversed and unaligned memory; errors; no
//              node of the tape left behind.
// smooth       gradcheck and gradgradcheck (rtol 1e-5, atol 1e-7); gradients in float32; a gradient
//              for every floating input that is not about zero.
// kinked       the same; `kinks` are the arguments at which it bends: samples keep off them.
// zero_gradient  the gradient is there and zero (floor), or there is none.
// no_gradient  the results never require grad (comparisons, argmax).
// random       `f` is called with the generator set to one seed each time, else as smooth; another
//              seed must give other values. `statistics` looks at the results.
// gauge        results are determined up to a free choice (signs of eigenvectors): values and
//              gradients are those of `invariant(results...)`.
//
// A reference that takes long doubles makes the row pointwise: its arguments broadcast. Then come,
// too: every pattern of broadcasting, empty and 0-d inputs, sizes that take the fast path and leave
// a remainder, in float32 and float64; NaN, infinities, zeros and +-400 in all their combinations
// with values and gradients (differences of the reference); the same bits on one thread and on two.
// `any_shape` asks for 0-d, empty and large inputs for others of one tensor argument.
//
// The reference says what is right at NaN too: x > 0 ? x : 0 is 0 there.
// Functions not declared in tensor.hpp and ops/creation.hpp: include their header.

#include <cmath>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <xtape/autograd/dtype.hpp>
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/gradcheck.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/autograd/tensor.hpp>

namespace xtape::test {

using Tensors = std::vector<Tensor>;

/// Plain row-major numbers: what references work on.
struct Array {
  Shape shape;
  std::vector<long double> values;

  static Array filled(const Shape& shape, long double value) {
    return {shape, std::vector<long double>(static_cast<std::size_t>(shape.numel()), value)};
  }
  /// a(i, j, ...), as many as there are dimensions.
  template <class... I>
  long double& operator()(I... i) {
    return values[offset({static_cast<std::int64_t>(i)...})];
  }
  template <class... I>
  long double operator()(I... i) const {
    return values[offset({static_cast<std::int64_t>(i)...})];
  }
  /// Row-major position of an index.
  std::size_t offset(std::initializer_list<std::int64_t> index) const;
};
using Arrays = std::vector<Array>;

Array to_array(const Tensor& x);
Tensor to_tensor(const Array& a, DType dtype = float64);

enum class Kind { smooth, kinked, zero_gradient, no_gradient, random, gauge };

/// One sample argument. float64 stands for either floating dtype; others are used as they are.
struct Argument {
  Shape shape;
  double low = -2, high = 2;
  DType dtype = float64;
  bool distinct = false;              // equally spaced, shuffled
  std::vector<long double> values{};  // where not empty: these
};
using Sample = std::vector<Argument>;

/// Uniform in [low, high].
inline Argument real(const Shape& shape, double low = -2, double high = 2) {
  return {shape, low, high};
}
inline Argument real(double low, double high) { return {{3, 4}, low, high}; }
/// Numbers no two of which are near: for max, sort, median.
inline Argument distinct(const Shape& shape, double low = -2, double high = 2) {
  return {shape, low, high, float64, true};
}
/// int64 in [low, high).
inline Argument integer(const Shape& shape, std::int64_t low, std::int64_t high) {
  return {shape, static_cast<double>(low), static_cast<double>(high), int64};
}
inline Argument flags(const Shape& shape) { return {shape, 0, 2, boolean}; }
inline Argument given(const Shape& shape, std::vector<long double> values, DType dtype = float64) {
  return {shape, 0, 0, dtype, false, std::move(values)};
}

/// Any callable of tensors (or of a vector of them) to a tensor, a pair or a vector.
class Function {
 public:
  Function() = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Function>) Function(F f)
      : object_(std::make_shared<F>(std::move(f))), call_([](void* object, const Tensors& x) {
          return xtape::detail::call_with(*static_cast<F*>(object), x);
        }) {}
  explicit operator bool() const noexcept { return call_ != nullptr; }
  Tensors operator()(const Tensors& x) const { return call_(object_.get(), x); }

 private:
  std::shared_ptr<void> object_;
  Tensors (*call_)(void*, const Tensors&) = nullptr;
};

namespace detail {

template <std::size_t>
using EachNumber = long double;
template <std::size_t>
using EachArray = const Array&;

// The number of arguments that F takes of the given kind, or -1.
template <class F, template <std::size_t> class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return std::is_invocable_v<F&, T<I>...>;
}
template <class F, template <std::size_t> class T, std::size_t N = 1>
constexpr int arity() {
  if constexpr (N > 8) {
    return -1;
  } else if constexpr (takes<F, T>(std::make_index_sequence<N>{})) {
    return static_cast<int>(N);
  } else {
    return arity<F, T, N + 1>();
  }
}

inline Arrays as_arrays(Array a) { return {std::move(a)}; }
inline Arrays as_arrays(Arrays a) { return a; }

template <class F, std::size_t... I>
long double call_numbers(F& f, const long double* x, std::index_sequence<I...>) {
  return static_cast<long double>(f(x[I]...));
}
template <class F, std::size_t... I>
Arrays call_arrays(F& f, const Arrays& x, std::index_sequence<I...>) {
  return as_arrays(f(x[I]...));
}

}  // namespace detail

/// What the results must be: of long doubles (pointwise), of Arrays (one by one or as a vector), or
/// composed of other operations on tensors.
class Reference {
 public:
  Reference() = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Reference>) Reference(F f)
      : object_(std::make_shared<F>(std::move(f))) {
    constexpr int numbers = detail::arity<F, detail::EachNumber>();
    constexpr int arrays = detail::arity<F, detail::EachArray>();
    if constexpr (numbers > 0) {
      numbers_ = numbers;
      of_numbers_ = [](void* object, const long double* x) {
        return detail::call_numbers(*static_cast<F*>(object), x,
                                    std::make_index_sequence<std::size_t(numbers)>{});
      };
    } else if constexpr (std::is_invocable_v<F&, const Arrays&>) {
      of_arrays_ = [](void* object, const Arrays& x) {
        return detail::as_arrays((*static_cast<F*>(object))(x));
      };
    } else if constexpr (arrays > 0) {
      of_arrays_ = [](void* object, const Arrays& x) {
        return detail::call_arrays(*static_cast<F*>(object), x,
                                   std::make_index_sequence<std::size_t(arrays)>{});
      };
    } else {
      of_tensors_ = [](void* object, const Tensors& x) {
        return xtape::detail::call_with(*static_cast<F*>(object), x);
      };
    }
  }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  /// How many numbers a pointwise one takes; 0 for others.
  int pointwise() const noexcept { return numbers_; }
  long double at(const long double* x) const { return of_numbers_(object_.get(), x); }
  Arrays operator()(const Tensors& x) const;

 private:
  std::shared_ptr<void> object_;
  int numbers_ = 0;
  long double (*of_numbers_)(void*, const long double*) = nullptr;
  Arrays (*of_arrays_)(void*, const Arrays&) = nullptr;
  Tensors (*of_tensors_)(void*, const Tensors&) = nullptr;
};

/// One point of a pointwise operation: its value and derivatives there, right in float32 and in
/// float64 (within the row's tolerances, relative to the value itself): what holds at a kink, far
/// out on a tail.
struct Point {
  std::vector<double> arguments;
  double value;
  std::vector<double> derivatives{};
};

/// Results that another program gave: inputs and outputs, float64 (or as the dtype says).
struct Stored {
  Sample inputs;
  std::vector<Argument> outputs;
};

/// A call that must raise an error.
struct Throws {
  void (*call)();
  bool (*is_expected)(const std::exception& e);
  const char* expected;
  std::string text;  // must appear in what()
};

/// throws<ShapeError>([] { return matmul(a, b); }, "inner dimensions differ")
template <class E, class F>
Throws throws(F, std::string text) {
  static_assert(std::is_empty_v<F>, "the lambda captures nothing");
  static_assert(std::is_base_of_v<Error, E>);
  return {[] { static_cast<void>(F{}()); },
          [](const std::exception& e) { return dynamic_cast<const E*>(&e) != nullptr; },
          typeid(E).name(), std::move(text)};
}

/// Looks at the results of a random operation and returns what is wrong, or nothing.
using Statistics = std::string (*)(const Tensors& results);

/// What a row may leave out, each with the reason in a comment beside it.
enum class Check {
  second_order,     ///< not differentiable twice
  nonzero,          ///< the gradient is small everywhere
  layouts,          ///< no strided inputs
  float32_results,  ///< float32 inputs give other results than float32 ones
  float32_grads,    ///< ill-conditioned in float32
  broadcasting,     ///< pointwise, but of one shape
  nonfinite,        ///< NaN and infinities are not defined
  extremes,         ///< +-400 and the like are not in the domain
  threads,          ///< bits may depend on the number of threads
  undefined,        ///< takes undefined tensors, or `f` looks at its arguments
};

struct Row {
  std::string name{};  ///< that of the operation on the tape
  Kind kind = Kind::smooth;
  Function f{};
  Reference reference{};
  std::vector<Sample> inputs{};
  double tolerance = 1e-13;   ///< |a - b| <= tolerance * max(|b|, rms(b)) in float64
  double tolerance32 = 2e-6;  ///< the same of float32 against float64; gradients four times it
  bool any_shape = false;     ///< takes one tensor of any shape
  std::vector<double> kinks{};
  std::vector<Point> points{};
  std::vector<Stored> stored{};
  Function invariant{};
  Statistics statistics = nullptr;
  std::vector<Throws> errors{};
  std::vector<std::string> covers{};  ///< names of operations that only its gradients record
  std::vector<Check> without{};
};

/// Registers the rows as test cases; made at namespace scope.
class Rows {
 public:
  Rows(std::initializer_list<Row> rows,
       std::source_location where = std::source_location::current());
};

/// Runs all checks of one row; failures are reported to Boost.Test.
void run_row(const Row& row);
/// The same, returning the failures instead: for tests of the table itself.
std::vector<std::string> failures_of(const Row& row);

}  // namespace xtape::test
