// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdint>

#include "evaluation.hpp"
#include "kernels/program.hpp"
#include "num_math.hpp"

// The ring of recorded formulas: a lambda that runs on its values leaves a list of instructions,
// from which the library makes a program for its own instruction set. No vector code here.
namespace xtape::detail {

/// What instruction `at` gives.
struct Term {
  kernels::Recording* recording;
  std::int32_t at;
};
struct TermMask {
  kernels::Recording* recording;
  std::int32_t at;
};

template <>
struct Ring<Term> {
  static Term number(const Term& like, double c) {
    return {like.recording, like.recording->add(kernels::Op::number, -1, -1, -1, c)};
  }
};

inline Term term(kernels::Op op, const Term& x, double number = 0) {
  return {x.recording, x.recording->add(op, x.at, -1, -1, number)};
}
inline Term term(kernels::Op op, const Term& x, const Term& y) {
  return {x.recording, x.recording->add(op, x.at, y.at)};
}

inline Term operator-(const Term& x) { return term(kernels::Op::negative, x); }
inline Term operator+(const Term& x, const Term& y) { return term(kernels::Op::add, x, y); }
inline Term operator-(const Term& x, const Term& y) { return term(kernels::Op::subtract, x, y); }
inline Term operator*(const Term& x, const Term& y) { return term(kernels::Op::multiply, x, y); }
inline Term operator/(const Term& x, const Term& y) { return term(kernels::Op::divide, x, y); }
inline Term operator+(const Term& x, double k) { return term(kernels::Op::add_number, x, k); }
inline Term operator+(double k, const Term& x) { return term(kernels::Op::add_number, x, k); }
inline Term operator-(const Term& x, double k) { return term(kernels::Op::add_number, x, -k); }
inline Term operator-(double k, const Term& x) { return term(kernels::Op::number_minus, x, k); }
inline Term operator*(const Term& x, double k) { return term(kernels::Op::scale, x, k); }
inline Term operator*(double k, const Term& x) { return term(kernels::Op::scale, x, k); }
inline Term operator/(const Term& x, double k) { return term(kernels::Op::over_number, x, k); }
inline Term operator/(double k, const Term& x) { return term(kernels::Op::number_over, x, k); }

#define XTAPE_TERM_FUNCTION(name) \
  inline Term name(const Term& x) { return term(kernels::Op::name, x); }
XTAPE_PROGRAM_FUNCTIONS(XTAPE_TERM_FUNCTION)
#undef XTAPE_TERM_FUNCTION

inline Term atan2(const Term& y, const Term& x) { return term(kernels::Op::atan2, y, x); }
inline Term hypot(const Term& x, const Term& y) { return term(kernels::Op::hypot, x, y); }
inline Term polygamma(int n, const Term& x) { return term(kernels::Op::polygamma, x, n); }
inline Term pow(const Term& x, const Term& y) { return term(kernels::Op::power, x, y); }

/// As that of lanes, by the same multiplications: value and slope share them.
inline Term pow(const Term& x, double k) {
  if (k == 0.5) return sqrt(x);
  if (!(k >= -4 && k <= 8 && k == std::trunc(k))) {
    return term(kernels::Op::power_number, x, k);
  }
  if (k == 0) return Ring<Term>::number(x, 1.0);
  Term base = x, result = x;
  bool first = true;
  for (auto n = static_cast<unsigned>(std::abs(k)); n > 0; n >>= 1) {
    if (n & 1u) {
      result = first ? base : result * base;
      first = false;
    }
    if (n > 1) base = base * base;
  }
  return k < 0 ? 1.0 / result : result;
}

#define XTAPE_TERM_COMPARISON(name)                         \
  inline TermMask name(const Term& x, const Term& y) {      \
    return {x.recording, term(kernels::Op::name, x, y).at}; \
  }
XTAPE_PROGRAM_COMPARISONS(XTAPE_TERM_COMPARISON)
#undef XTAPE_TERM_COMPARISON

inline TermMask logical_and(TermMask x, TermMask y) {
  return {x.recording, x.recording->add(kernels::Op::logical_and, x.at, y.at)};
}
inline TermMask logical_or(TermMask x, TermMask y) {
  return {x.recording, x.recording->add(kernels::Op::logical_or, x.at, y.at)};
}
inline TermMask logical_not(TermMask x) {
  return {x.recording, x.recording->add(kernels::Op::logical_not, x.at)};
}
inline Term where(TermMask c, const Term& x, const Term& y) {
  return {x.recording, x.recording->add(kernels::Op::where, c.at, x.at, y.at)};
}

/// The way of files that have no wide vectors: the formula runs once for each call on `Term`s, so
/// that what it reads is read anew, and the program that comes of it is compiled again only where
/// it differs from that of the last call, of this formula and order, in this thread. Not for
/// destructors of static objects, which run after the thread's own are gone.
struct Programs {
  template <class F, int N>
  static Compiled value(const F& f) {
    kernels::Recording& r = recording<F, N, 0>();
    Term x[N];
    begin(r, x, N);
    const auto y = evaluate(f, x, std::make_integer_sequence<unsigned, N>{});
    if constexpr (Number<std::decay_t<decltype(y)>>) {
      output(Ring<Term>::number(x[0], static_cast<double>(y)), 0);
    } else {
      output(y.value, 0);
    }
    return finish(r, N, 1);
  }

  /// dx_k = g df/dx_k for the k in `wanted`: outputs dx_1 ... dx_N, inputs g, x_1 ... x_N.
  template <class F, int N>
  static Compiled gradient(const F& f, unsigned wanted) {
    kernels::Recording& r = recording<F, N, 1>();
    Term in[N + 1];
    begin(r, in, N + 1);
    const auto y = evaluate_dual(f, in + 1, std::make_integer_sequence<unsigned, N>{});
    constexpr unsigned kMembers = kMembersOf<std::decay_t<decltype(y)>>;
    for_each_argument<N>([&](auto k) {
      constexpr unsigned K = decltype(k)::value;
      if (!((wanted >> K) & 1u)) return;
      if constexpr ((kMembers >> K) & 1u) {
        output(times(in[0], y.template derivative<K>()), K);
      } else {
        output(Ring<Term>::number(in[0], 0.0), K);
      }
    });
    return finish(r, N + 1, N);
  }

  /// Outputs dg, dx_1 ... dx_N; inputs gg_1 ... gg_N, g, x_1 ... x_N.
  template <class F, int N>
  static Compiled second(const F& f, unsigned wanted) {
    kernels::Recording& r = recording<F, N, 2>();
    Term in[2 * N + 1], sum[N + 1] = {};
    begin(r, in, 2 * N + 1);
    second_order<N>(f, in, in[N], in + N + 1, [&](int k, const Term& term) {
      sum[k] = sum[k].recording ? sum[k] + term : term;
    });
    for (int k = 0; k <= N; ++k) {
      if (!((wanted >> k) & 1u)) continue;
      output(sum[k].recording ? sum[k] : Ring<Term>::number(in[0], 0.0), k);
    }
    return finish(r, 2 * N + 1, N + 1);
  }

 private:
  template <class F, int N, int Order>
  static kernels::Recording& recording() {
    static thread_local kernels::Recording r;
    return r;
  }
  static void begin(kernels::Recording& r, Term* inputs, int count) {
    r.begin();
    for (int i = 0; i < count; ++i) {
      inputs[i] = {&r, r.add(kernels::Op::input, -1, -1, -1, i)};
    }
  }
  static void output(const Term& x, int k) { term(kernels::Op::output, x, k); }
  static Compiled finish(kernels::Recording& r, int inputs, int outputs) {
    return {{kernels::run_program_single, kernels::run_program_double},
            &r.program(inputs, outputs)};
  }
};

}  // namespace xtape::detail
