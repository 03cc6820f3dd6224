// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstring>
#include <utility>

#include "export.hpp"
#include "kernels/lane.hpp"
#include "kernels/loop.hpp"
#include "num.hpp"
#include "num_math.hpp"
#include "ops/activations.hpp"
#include "ops/arithmetic.hpp"
#include "ops/logic.hpp"
#include "ops/math.hpp"
#include "tape.hpp"

namespace xtape {
namespace detail {

template <class T, class A>
struct Ring<kernels::Lane<T, A>> {
  static kernels::Lane<T, A> number(const kernels::Lane<T, A>&, double c) { return c; }
};
template <>
struct Ring<Tensor> {
  XTAPE_API static Tensor number(const Tensor& like, double c);
};

/// One formula compiled for float32 and float64.
struct StripPair {
  kernels::StripFunction single, real;
  kernels::StripFunction of(DType dtype) const noexcept { return dtype == float32 ? single : real; }
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

// --- strips ---

/// body(in, out) on lanes: `In` lanes read, `Out` lanes written (null outputs are left out).
template <class T, int Out, int In, class Body>
void for_lanes(std::byte* const* pointers, const std::int64_t* steps, std::int64_t count,
               const Body& body) {
  using L = kernels::Lane<T>;
  constexpr std::int64_t kSize = L::kSize;
  alignas(64) T numbers[In][kSize];  // an argument that is one number, repeated
  const T* from[In];
  std::int64_t advance[In];
  T* to[Out];
  for (int k = 0; k < Out; ++k) to[k] = reinterpret_cast<T*>(pointers[k]);
  for (int i = 0; i < In; ++i) {
    from[i] = reinterpret_cast<const T*>(pointers[Out + i]);
    advance[i] = steps[Out + i];
    if (advance[i] == 0) {
      for (T& x : numbers[i]) x = *from[i];
      from[i] = numbers[i];
    }
  }
  alignas(64) T ends[Out + In][kSize];  // of what whole lanes leave
  const std::int64_t rest = count % kSize;
  const auto bytes = static_cast<std::size_t>(rest) * sizeof(T);
  std::int64_t end = count - rest;
  for (bool last = rest == 0;; last = true) {
    // Entered once more for the rest, so that the body is compiled once.
    for (std::int64_t at = 0; at < end; at += kSize) {
      L in[In], out[Out];
      for (int i = 0; i < In; ++i) in[i] = L::load(from[i] + at * advance[i]);
      body(in, out);
      for (int k = 0; k < Out; ++k) {
        if (to[k]) out[k].store(to[k] + at);
      }
    }
    if (last) break;
    for (int i = 0; i < In; ++i) {
      const T* source = from[i] + end * advance[i];
      for (T& x : ends[Out + i]) x = *source;  // a value that occurs, not one that raises a flag
      if (advance[i]) std::memcpy(ends[Out + i], source, bytes);
      from[i] = ends[Out + i];
    }
    for (int k = 0; k < Out; ++k) {
      if (to[k]) to[k] = ends[k];
    }
    end = kSize;
  }
  for (int k = 0; rest && k < Out; ++k) {
    if (to[k]) std::memcpy(pointers[k] + (count - rest) * std::int64_t{sizeof(T)}, ends[k], bytes);
  }
}

template <class F, class V, unsigned... I>
auto evaluate(const F& f, const V* x, std::integer_sequence<unsigned, I...>) {
  return f(constant(x[I])...);
}

/// f on numbers that carry their first derivative, by argument.
template <class F, class V, unsigned... I>
auto evaluate_dual(const F& f, const V* x, std::integer_sequence<unsigned, I...>) {
  return f(Num<V, 1u << I, Constant>{x[I], {Constant{1.0}}}...);
}

/// The same one level up: the values carry a derivative too.
template <class F, class V, unsigned... I>
auto evaluate_second(const F& f, const V* x, std::integer_sequence<unsigned, I...>) {
  return f(Num<Num<V, 1u << I, Constant>, 1u << I, Constant>{
      Num<V, 1u << I, Constant>{x[I], {Constant{1.0}}}, {Constant{1.0}}}...);
}

// Flat: one call in the loop, of an operator of Num, costs more than the operator.
template <class F, int N, class T>
[[gnu::flatten]] void value_strip(const void* formula, std::byte* const* pointers,
                                  const std::int64_t* steps, std::int64_t count) {
  const F& f = *static_cast<const F*>(formula);
  for_lanes<T, 1, N>(pointers, steps, count, [&](const auto* x, auto* y) {
    const auto out = evaluate(f, x, std::make_integer_sequence<unsigned, N>{});
    if constexpr (Number<std::decay_t<decltype(out)>>) {
      y[0] = static_cast<double>(out);
    } else {
      y[0] = out.value;
    }
  });
}

/// f(std::integral_constant<unsigned, k>) for k in [0, N)
template <unsigned N, class F>
void for_each_argument(F&& f) {
  [&]<unsigned... I>(std::integer_sequence<unsigned, I...>) {
    (f(std::integral_constant<unsigned, I>{}), ...);
  }
  (std::make_integer_sequence<unsigned, N>{});
}

/// The arguments that a formula's result depends on; none where it is a plain number.
template <class X>
inline constexpr unsigned kMembersOf = 0;
template <class V, unsigned M, class... D>
inline constexpr unsigned kMembersOf<Num<V, M, D...>> = M;

/// dx_k = g df/dx_k: outputs dx_1 ... dx_N, inputs g, x_1 ... x_N.
template <class F, int N, class T>
[[gnu::flatten]] void gradient_strip(const void* formula, std::byte* const* pointers,
                                     const std::int64_t* steps, std::int64_t count) {
  const F& f = *static_cast<const F*>(formula);
  for_lanes<T, N, N + 1>(pointers, steps, count, [&](const auto* in, auto* out) {
    const auto y = evaluate_dual(f, in + 1, std::make_integer_sequence<unsigned, N>{});
    constexpr unsigned kMembers = kMembersOf<std::decay_t<decltype(y)>>;
    for_each_argument<N>([&](auto k) {
      constexpr unsigned K = decltype(k)::value;
      if constexpr ((kMembers >> K) & 1u) {
        out[K] = times(in[0], y.template derivative<K>());
      } else {
        out[K] = 0.0;
      }
    });
  });
}

/// What flows back through dx_k = g df/dx_k, given gg_k: into g the sum of gg_k df/dx_k, into x_j
/// the sum of gg_k g d2f/dx_k dx_j. For lanes and for tensors; `out` is untouched where it is zero.
template <int N, class F, class V>
void second_order(const F& f, const V* gg, const V& g, const V* x, auto&& add) {
  const auto y = evaluate_second(f, x, std::make_integer_sequence<unsigned, N>{});
  constexpr unsigned kMembers = kMembersOf<std::decay_t<decltype(y)>>;
  for_each_argument<N>([&](auto k) {
    constexpr unsigned K = decltype(k)::value;
    if constexpr ((kMembers >> K) & 1u) {
      const auto& slope = y.template derivative<K>();
      using Slope = std::decay_t<decltype(slope)>;
      if constexpr (std::is_same_v<Slope, Constant>) {
        add(0, times(gg[K], slope));
      } else {
        add(0, gg[K] * slope.value);
        for_each_argument<N>([&](auto j) {
          constexpr unsigned J = decltype(j)::value;
          if constexpr ((Slope::kMembers >> J) & 1u) {
            add(static_cast<int>(J) + 1, times(gg[K] * g, slope.template derivative<J>()));
          }
        });
      }
    }
  });
}

/// Outputs dg, dx_1 ... dx_N; inputs gg_1 ... gg_N, g, x_1 ... x_N.
template <class F, int N, class T>
[[gnu::flatten]] void second_strip(const void* formula, std::byte* const* pointers,
                                   const std::int64_t* steps, std::int64_t count) {
  const F& f = *static_cast<const F*>(formula);
  using L = kernels::Lane<T>;
  for_lanes<T, N + 1, 2 * N + 1>(pointers, steps, count, [&](const L* in, L* out) {
    for (int k = 0; k <= N; ++k) out[k] = 0.0;
    second_order<N>(f, in, in[N], in + N + 1,
                    [&](int k, const L& term) { out[k] = out[k] + term; });
  });
}

// --- closures ---

template <class F, int N>
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
    pointwise_outputs({second_strip<F, N, float>, second_strip<F, N, double>}, &f, out, wanted, in,
                      nullptr);
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

template <class F, int N>
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
    pointwise_outputs({gradient_strip<F, N, float>, gradient_strip<F, N, double>}, &f, out, wanted,
                      in, recorded ? nullptr : &in[0]);
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
      record_named(name, outputs, inputs, saves(in[I]...), SecondClosure<F, N>{f, wanted});
    }
    (std::make_index_sequence<N + 1>{});
  }
};

template <class X>
concept PointwiseArgument = Number<X> || std::is_base_of_v<Tensor, X>;

}  // namespace detail

/// A function of one element at a time, made by `pointwise`.
template <class F>
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
    Tensor y = compute(name_, {detail::value_strip<F, N, float>, detail::value_strip<F, N, double>},
                       &f_, x);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      const TensorRef inputs[] = {input(args, x[I])...};
      detail::record_named(name_, y, inputs, saves(x[I]...),
                           detail::GradientClosure<F, N>{f_, name_});
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
/// The lambda is compiled for lanes of floats, so compile with `-march=native` (target
/// `xtape::native`) for speed. Branches are `where(condition, a, b)`; constants of any number type
/// mix freely; all functions of <xtape/autograd/num_math.hpp> are found without a namespace.
template <class F>
constexpr Pointwise<F> pointwise(detail::OperationName name, F f) {
  return {name.text, f};
}

}  // namespace xtape
