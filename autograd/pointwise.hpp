// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <utility>

#include "evaluation.hpp"
#include "export.hpp"
#include "num.hpp"
#include "num_math.hpp"
#include "ops/activations.hpp"
#include "ops/arithmetic.hpp"
#include "ops/logic.hpp"
#include "ops/math.hpp"
#include "tape.hpp"

// Which way a formula is executed (docs/design.md, «One formula, four number types»): x86-64
// without AVX2 has few wide vectors, while the library that is loaded may have 16 floats in one.
#if defined(XTAPE_BUILDING) || defined(__AVX2__) || !defined(__x86_64__)
#define XTAPE_POINTWISE_WAY Lanes
#include "lanes.hpp"
#else
#define XTAPE_POINTWISE_WAY Programs
#include "formula.hpp"
#endif

namespace xtape {
namespace detail {

using DefaultWay = XTAPE_POINTWISE_WAY;
#undef XTAPE_POINTWISE_WAY

template <>
struct Ring<Tensor> {
  XTAPE_API static Tensor number(const Tensor& like, double c);
};

/// The promoted floating dtype of the arguments and the arguments converted to it, unrecorded.
XTAPE_API void convert_arguments(const char* name, std::span<Tensor> arguments,
                                 std::span<const bool> numbers);
XTAPE_API Tensor pointwise_value(const char* name, StripPair f, const void* formula,
                                 std::span<const Tensor> arguments);
/// The sum of its elements, which are never stored.
XTAPE_API Tensor pointwise_sum(const char* name, StripPair f, const void* formula,
                               std::span<const Tensor> arguments);
/// `wanted` has a bit for each output of `f`; the others stay undefined. Outputs have the broadcast
/// shape of the inputs. `reuse` may be overwritten where nobody else sees it.
XTAPE_API void pointwise_outputs(StripPair f, const void* formula, std::span<Tensor> outputs,
                                 unsigned wanted, std::span<const Tensor> inputs, Tensor* reuse);
/// A number 0 in the place of a gradient that never came.
XTAPE_API Tensor zero_number(DType dtype);

// --- closures ---

template <class F, int N, class Way = DefaultWay>
struct SecondClosure {
  F f;
  unsigned outputs;  // which of the gradients were recorded, in order

  void operator()(Backward& t) const {
    Tensor in[2 * N + 1];  // gg, g, x
    for (int i = 0; i <= N; ++i) in[N + i] = t.take_saved(i);
    int k = 0;
    for (int i = 0; i < N; ++i) {
      if ((outputs >> i) & 1u) in[i] = t.g(k++);
    }
    if (t.create_graph()) return record_third(t, in);
    for (int i = 0; i < N; ++i) {
      if (!in[i].defined()) in[i] = zero_number(in[N].dtype());
    }
    unsigned wanted = 0;
    for (int i = 0; i <= N; ++i) wanted |= static_cast<unsigned>(t.needs(i)) << i;
    Tensor out[N + 1];
    const Compiled compiled = Way::template second<F, N>(f, wanted);
    pointwise_outputs(compiled.strips, compiled.context, out, wanted, in, nullptr);
    for (int i = 0; i <= N; ++i) t.add(i, std::move(out[i]));
  }

  // From here on the formula is differentiated on the tape itself.
  void record_third(Backward& t, Tensor* in) const {
    for (int i = 0; i < N; ++i) {
      if (!in[i].defined()) in[i] = zero_number(in[N].dtype());
    }
    second_order<N>(f, in, in[N], in + N + 1, [&](int k, const Tensor& term) {
      if (t.needs(k)) t.add(k, term);
    });
  }
};

template <class F, int N, class Way = DefaultWay>
struct GradientClosure {
  F f;
  const char* name;

  void operator()(Backward& t) const {
    Tensor in[N + 1];  // g, x
    unsigned wanted = 0;
    for (int i = 0; i < N; ++i) {
      in[i + 1] = t.take_saved(i);
      wanted |= static_cast<unsigned>(t.needs(i)) << i;
    }
    const bool recorded = t.create_graph();
    in[0] = recorded ? t.g() : t.take_g();
    Tensor out[N];
    const Compiled compiled = Way::template gradient<F, N>(f, wanted);
    pointwise_outputs(compiled.strips, compiled.context, out, wanted, in,
                      recorded ? nullptr : &in[0]);
    if (recorded) record_second(out, wanted, in);
    for (int i = 0; i < N; ++i) t.add(i, std::move(out[i]));
  }

  void record_second(Tensor* out, unsigned wanted, const Tensor* in) const {
    Outputs outputs({});
    for (int i = 0; i < N; ++i) {
      if (out[i].defined()) outputs.tensors[outputs.count++] = &out[i];
    }
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      const TensorRef inputs[] = {in[I]...};
      record_named(name, outputs, inputs, saves(in[I]...), SecondClosure<F, N, Way>{f, wanted});
    }
    (std::make_index_sequence<N + 1>{});
  }
};

template <class X>
concept PointwiseArgument = Number<X> || std::is_base_of_v<Tensor, X>;

}  // namespace detail

/// A function of one element at a time, made by `pointwise`.
template <class F, class Way = detail::DefaultWay>
class Pointwise {
 public:
  static_assert(std::is_trivially_copyable_v<F>,
                "a pointwise formula captures numbers only, by value");

  constexpr Pointwise(const char* name, F f) noexcept : name_(name), f_(f) {}

  /// Tensors of any floating dtypes (integers count as float32) and numbers, broadcast. Throws
  /// ShapeError where they do not broadcast.
  template <detail::PointwiseArgument... Args>
  Tensor operator()(const Args&... args) const {
    return apply(detail::pointwise_value, args...);
  }

  /// The sum of the results, 0-d, in one pass that stores none of them; float32 is summed in
  /// float64. The gradients are one pass, too.
  template <detail::PointwiseArgument... Args>
  Tensor sum(const Args&... args) const {
    return apply(detail::pointwise_sum, args...);
  }

 private:
  using Compute = Tensor(const char* name, detail::StripPair f, const void* formula,
                         std::span<const Tensor> arguments);

  template <class... Args>
  Tensor apply(Compute compute, const Args&... args) const {
    constexpr int N = sizeof...(Args);
    static_assert(N >= 1 && N <= 8, "a pointwise function takes 1 to 8 arguments");
    const bool numbers[] = {detail::Number<Args>...};
    std::array<Tensor, N> x{as_tensor(args)...};
    detail::convert_arguments(name_, x, numbers);
    const detail::Compiled compiled = Way::template value<F, N>(f_);
    Tensor y = compute(name_, compiled.strips, compiled.context, x);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      const TensorRef inputs[] = {input(args, x[I])...};
      detail::record_named(name_, y, inputs, saves(x[I]...),
                           detail::GradientClosure<F, N, Way>{f_, name_});
    }
    (std::make_index_sequence<N>{});
    return y;
  }

  template <class X>
  static Tensor as_tensor(const X& x) {
    if constexpr (detail::Number<X>) {
      return detail::Ring<Tensor>::number(Tensor(), static_cast<double>(x));
    } else {
      return x;
    }
  }
  // A tensor as it was given has the history, converted it has none.
  template <class X>
  static const Tensor& input(const X& given, const Tensor& converted) {
    if constexpr (detail::Number<X>) {
      return converted;
    } else {
      return given;
    }
  }

  const char* name_;
  F f_;
};

/// Makes an operation of one generic lambda, with gradients of every order:
/// `const auto swish = pointwise("swish", [](auto x) { return x / (1 + exp(-x)); });`
/// In a file compiled for AVX2 or more (`-march=native`, target `xtape::native`) the lambda becomes
/// vector code; on x86-64 without, it is run on numbers that record, once for each call and order
/// (what it captured or reads is what it then holds), and the library runs the program that comes
/// of it. Branches are `where(condition, a, b)`; constants of any number type mix freely; all
/// functions of <xtape/autograd/num_math.hpp> are found without a namespace.
template <class F>
constexpr Pointwise<F> pointwise(detail::OperationName name, F f) {
  return {name.text, f};
}

}  // namespace xtape
