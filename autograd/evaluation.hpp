// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <type_traits>
#include <utility>

#include "dtype.hpp"
#include "kernels/loop.hpp"
#include "num.hpp"

// A pointwise formula run on values of any ring (lanes, recorded terms, tensors), alone and with
// its derivatives.
namespace xtape::detail {

/// One formula compiled for float32 and float64.
struct StripPair {
  kernels::StripFunction single, real;
  kernels::StripFunction of(DType dtype) const noexcept { return dtype == float32 ? single : real; }
};

/// A formula in one of its orders, made ready by a way of executing it (`Lanes`, `Programs`).
struct Compiled {
  StripPair strips;
  const void* context;
};

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

/// What flows back through dx_k = g df/dx_k, given gg_k: into g the sum of gg_k df/dx_k, into x_j
/// the sum of gg_k g d2f/dx_k dx_j. For every ring; `out` is untouched where it is zero.
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

}  // namespace xtape::detail
