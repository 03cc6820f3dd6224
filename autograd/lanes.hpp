// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "evaluation.hpp"
#include "kernels/lane.hpp"
#include "num_math.hpp"

// A pointwise formula compiled for vectors of floats, by the flags of the file that holds it.
namespace xtape::detail {

template <class T, class A>
struct Ring<kernels::Lane<T, A>> {
  static kernels::Lane<T, A> number(const kernels::Lane<T, A>&, double c) { return c; }
};

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

// Flat: one call in the loop, of an operator of Num, costs more than the operator. Not under the
// sanitizers, whose checks in all that is inlined would cost the compiler minutes and gigabytes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define XTAPE_FLAT
#else
#define XTAPE_FLAT [[gnu::flatten]]
#endif

template <class F, int N, class T>
XTAPE_FLAT void value_strip(const void* formula, std::byte* const* pointers,
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

/// dx_k = g df/dx_k: outputs dx_1 ... dx_N, inputs g, x_1 ... x_N.
template <class F, int N, class T>
XTAPE_FLAT void gradient_strip(const void* formula, std::byte* const* pointers,
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

/// Outputs dg, dx_1 ... dx_N; inputs gg_1 ... gg_N, g, x_1 ... x_N.
template <class F, int N, class T>
XTAPE_FLAT void second_strip(const void* formula, std::byte* const* pointers,
                             const std::int64_t* steps, std::int64_t count) {
  const F& f = *static_cast<const F*>(formula);
  using L = kernels::Lane<T>;
  for_lanes<T, N + 1, 2 * N + 1>(pointers, steps, count, [&](const L* in, L* out) {
    for (int k = 0; k <= N; ++k) out[k] = 0.0;
    second_order<N>(f, in, in[N], in + N + 1,
                    [&](int k, const L& term) { out[k] = out[k] + term; });
  });
}

#undef XTAPE_FLAT

/// The way of files compiled for wide vectors.
struct Lanes {
  template <class F, int N>
  static Compiled value(const F& f) {
    return {{value_strip<F, N, float>, value_strip<F, N, double>}, &f};
  }
  template <class F, int N>
  static Compiled gradient(const F& f, unsigned) {
    return {{gradient_strip<F, N, float>, gradient_strip<F, N, double>}, &f};
  }
  template <class F, int N>
  static Compiled second(const F& f, unsigned) {
    return {{second_strip<F, N, float>, second_strip<F, N, double>}, &f};
  }
};

}  // namespace xtape::detail
