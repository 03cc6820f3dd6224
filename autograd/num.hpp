// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <tuple>
#include <type_traits>
#include <utility>

// The number type that a pointwise formula sees: a value of a ring V (a lane of floats, a term of a
// program, a recorded tensor, or again a Num) and its derivatives with respect to the arguments in
// the set M, one type each. A derivative that is known to be constant is a Constant, one that is
// known to be zero does not exist: neither costs anything. Derivatives are exact (forward mode);
// nesting gives higher orders.
namespace xtape::detail {

template <class N>
concept Number = std::is_arithmetic_v<N>;

/// A derivative that is the same number everywhere.
struct Constant {
  double value;
};

template <class V, unsigned M, class... D>
struct Num {
  static_assert(std::popcount(M) == sizeof...(D));
  static constexpr unsigned kMembers = M;

  V value;
  [[no_unique_address]] std::tuple<D...> derivatives;

  template <unsigned Bit>
  const auto& derivative() const {
    return std::get<static_cast<std::size_t>(std::popcount(M & ((1u << Bit) - 1)))>(derivatives);
  }
};

/// A value that does not depend on the arguments, whatever it was computed from.
template <class V>
Num<V, 0> constant(V value) {
  return {std::move(value), {}};
}

// --- numbers of a ring ---

/// Makes the number c of the kind of `like`; specialised for each ring.
template <class V>
struct Ring {
  static V number(const V& like, double c);
};

template <class V, unsigned M, class... D>
struct Ring<Num<V, M, D...>> {
  static Num<V, 0> number(const Num<V, M, D...>& like, double c) {
    return {Ring<V>::number(like.value, c), {}};
  }
};

template <class V>
auto number_like(const V& like, double c) {
  return Ring<V>::number(like, c);
}
/// A derivative as a number of the ring of `like`.
template <class V, class X>
auto in_ring(const V& like, const X& x) {
  if constexpr (std::is_same_v<X, Constant>) {
    return number_like(like, x.value);
  } else {
    return x;
  }
}

// --- derivatives: a ring's values and Constants ---

inline Constant plus(Constant a, Constant b) { return {a.value + b.value}; }
inline Constant minus(Constant a, Constant b) { return {a.value - b.value}; }
inline Constant negative(Constant a) { return {-a.value}; }
template <class V, class W>
auto plus(const V& a, const W& b) {
  if constexpr (std::is_same_v<V, Constant>) {
    return b + a.value;
  } else if constexpr (std::is_same_v<W, Constant>) {
    return a + b.value;
  } else {
    return a + b;
  }
}
template <class V, class W>
auto minus(const V& a, const W& b) {
  if constexpr (std::is_same_v<V, Constant>) {
    return a.value - b;
  } else if constexpr (std::is_same_v<W, Constant>) {
    return a - b.value;
  } else {
    return a - b;
  }
}
template <class V>
auto negative(const V& a) {
  return -a;
}
/// v d for a value v of the ring; a derivative of 1 needs no product.
template <class V>
V times(const V& v, Constant d) {
  return d.value == 1.0 ? v : v * d.value;
}
template <class V, class W>
auto times(const V& v, const W& d) {
  return v * d;
}

// --- how derivatives combine ---

/// y = f(x) with dy/dx = slope().
template <class V, unsigned M, class... D, class Y, class Slope>
auto chain(const Num<V, M, D...>& x, Y y, Slope slope) {
  if constexpr (M == 0) {
    return constant(std::move(y));
  } else {
    return std::apply(
        [&, s = slope()](const auto&... d) {
          return Num<Y, M, decltype(times(s, d))...>{std::move(y), {times(s, d)...}};
        },
        x.derivatives);
  }
}

/// The same where f is linear: each derivative goes through `map`.
template <class V, unsigned M, class... D, class Y, class Map>
auto mapped(const Num<V, M, D...>& x, Y y, Map map) {
  return std::apply(
      [&](const auto&... d) {
        return Num<Y, M, decltype(map(d))...>{std::move(y), {map(d)...}};
      },
      x.derivatives);
}

/// y of a and b; a member's derivative is both(da, db), left(da) or right(db) by who has it.
template <class A, class B, class Y, class Both, class Left, class Right>
auto combine(const A& a, const B& b, Y y, Both both, Left left, Right right) {
  constexpr unsigned kA = A::kMembers, kB = B::kMembers, kAll = kA | kB;
  const auto member = [&]<unsigned Bit>(std::integral_constant<unsigned, Bit>) {
    if constexpr (((kA >> Bit) & 1u) && ((kB >> Bit) & 1u)) {
      return std::make_tuple(both(a.template derivative<Bit>(), b.template derivative<Bit>()));
    } else if constexpr ((kA >> Bit) & 1u) {
      return std::make_tuple(left(a.template derivative<Bit>()));
    } else if constexpr ((kB >> Bit) & 1u) {
      return std::make_tuple(right(b.template derivative<Bit>()));
    } else {
      return std::tuple<>();
    }
  };
  auto all = [&]<unsigned... Bit>(std::integer_sequence<unsigned, Bit...>) {
    return std::tuple_cat(member(std::integral_constant<unsigned, Bit>{})...);
  }
  (std::make_integer_sequence<unsigned, static_cast<unsigned>(std::bit_width(kAll))>{});
  return std::apply(
      [&]<class... D>(D&... d) {
        return Num<Y, kAll, D...>{std::move(y), {std::move(d)...}};
      },
      all);
}

// --- arithmetic ---

#define XTAPE_NUM class V, unsigned M, class... D
#define XTAPE_NUM_2 class W, unsigned N, class... E

inline constexpr auto kSame = [](const auto& d) { return d; };
inline constexpr auto kNegative = [](const auto& d) { return negative(d); };

template <XTAPE_NUM, XTAPE_NUM_2>
auto operator+(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  return combine(
      a, b, a.value + b.value, [](const auto& p, const auto& q) { return plus(p, q); }, kSame,
      kSame);
}

template <XTAPE_NUM, XTAPE_NUM_2>
auto operator-(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  return combine(
      a, b, a.value - b.value, [](const auto& p, const auto& q) { return minus(p, q); }, kSame,
      kNegative);
}

template <XTAPE_NUM, XTAPE_NUM_2>
auto operator*(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  return combine(
      a, b, a.value * b.value,
      [&](const auto& p, const auto& q) { return plus(times(b.value, p), times(a.value, q)); },
      [&](const auto& p) { return times(b.value, p); },
      [&](const auto& q) { return times(a.value, q); });
}

template <XTAPE_NUM, XTAPE_NUM_2>
auto operator/(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  const auto y = a.value / b.value;
  const auto over = [&](const auto& p) {
    if constexpr (std::is_same_v<std::decay_t<decltype(p)>, Constant>) {
      return p.value / b.value;
    } else {
      return p / b.value;
    }
  };
  return combine(
      a, b, y, [&](const auto& p, const auto& q) { return over(minus(p, times(y, q))); }, over,
      [&](const auto& q) { return negative(over(times(y, q))); });
}

template <XTAPE_NUM>
auto operator-(const Num<V, M, D...>& x) {
  return mapped(x, -x.value, kNegative);
}
template <XTAPE_NUM>
auto operator+(const Num<V, M, D...>& x) {
  return x;
}

template <XTAPE_NUM, Number C>
auto operator+(const Num<V, M, D...>& x, C c) {
  return mapped(x, x.value + static_cast<double>(c), kSame);
}
template <XTAPE_NUM, Number C>
auto operator+(C c, const Num<V, M, D...>& x) {
  return x + c;
}
template <XTAPE_NUM, Number C>
auto operator-(const Num<V, M, D...>& x, C c) {
  return mapped(x, x.value - static_cast<double>(c), kSame);
}
template <XTAPE_NUM, Number C>
auto operator-(C c, const Num<V, M, D...>& x) {
  return mapped(x, static_cast<double>(c) - x.value, kNegative);
}
template <XTAPE_NUM, Number C>
auto operator*(const Num<V, M, D...>& x, C c) {
  const auto k = static_cast<double>(c);
  return mapped(x, x.value * k, [k](const auto& d) {
    if constexpr (std::is_same_v<std::decay_t<decltype(d)>, Constant>) {
      return Constant{d.value * k};
    } else {
      return d * k;
    }
  });
}
template <XTAPE_NUM, Number C>
auto operator*(C c, const Num<V, M, D...>& x) {
  return x * c;
}
template <XTAPE_NUM, Number C>
auto operator/(const Num<V, M, D...>& x, C c) {
  const auto k = static_cast<double>(c);
  return mapped(x, x.value / k, [k](const auto& d) {
    if constexpr (std::is_same_v<std::decay_t<decltype(d)>, Constant>) {
      return Constant{d.value / k};
    } else {
      return d / k;
    }
  });
}
template <XTAPE_NUM, Number C>
auto operator/(C c, const Num<V, M, D...>& x) {
  const auto y = static_cast<double>(c) / x.value;
  return chain(x, y, [&] { return -(y / x.value); });
}

// --- comparisons, choice ---

/// What a comparison of Nums gives: for `where`, `&&`, `||` and `!` only.
template <class C>
struct Condition {
  C mask;

  template <class X = C>
  explicit operator bool() const {
    static_assert(!std::is_same_v<X, X>,
                  "a pointwise formula runs on many elements at once: `if` and `?:` cannot choose "
                  "for each of them; write where(condition, a, b)");
    return false;
  }
};

#define XTAPE_NUM_COMPARISON(op, name)                                          \
  template <XTAPE_NUM, XTAPE_NUM_2>                                             \
  auto name(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {               \
    return name(a.value, b.value);                                              \
  }                                                                             \
  template <XTAPE_NUM, XTAPE_NUM_2>                                             \
  auto operator op(const Num<V, M, D...>& a, const Num<W, N, E...>& b) {        \
    return Condition<decltype(name(a.value, b.value))>{name(a.value, b.value)}; \
  }                                                                             \
  template <XTAPE_NUM, Number C>                                                \
  auto operator op(const Num<V, M, D...>& a, C c) {                             \
    return a op constant(number_like(a.value, static_cast<double>(c)));         \
  }                                                                             \
  template <XTAPE_NUM, Number C>                                                \
  auto operator op(C c, const Num<V, M, D...>& b) {                             \
    return constant(number_like(b.value, static_cast<double>(c))) op b;         \
  }
XTAPE_NUM_COMPARISON(<, lt)
XTAPE_NUM_COMPARISON(<=, le)
XTAPE_NUM_COMPARISON(>, gt)
XTAPE_NUM_COMPARISON(>=, ge)
XTAPE_NUM_COMPARISON(==, eq)
XTAPE_NUM_COMPARISON(!=, ne)
#undef XTAPE_NUM_COMPARISON

template <class C>
Condition<C> operator&&(const Condition<C>& a, const Condition<C>& b) {
  return {logical_and(a.mask, b.mask)};
}
template <class C>
Condition<C> operator||(const Condition<C>& a, const Condition<C>& b) {
  return {logical_or(a.mask, b.mask)};
}
template <class C>
Condition<C> operator!(const Condition<C>& a) {
  return {logical_not(a.mask)};
}

/// A ring's mask chooses between Nums too: that is how nested ones choose.
template <class C, XTAPE_NUM, XTAPE_NUM_2>
auto where(const C& mask, const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  const auto pick = [&](const auto& p, const auto& q) {
    return where(mask, in_ring(a.value, p), in_ring(a.value, q));
  };
  return combine(
      a, b, where(mask, a.value, b.value), pick,
      [&](const auto& p) { return pick(p, Constant{0.0}); },
      [&](const auto& q) { return pick(Constant{0.0}, q); });
}
template <class C, XTAPE_NUM, XTAPE_NUM_2>
auto where(const Condition<C>& c, const Num<V, M, D...>& a, const Num<W, N, E...>& b) {
  return where(c.mask, a, b);
}
template <class C, XTAPE_NUM, Number K>
auto where(const Condition<C>& c, const Num<V, M, D...>& a, K b) {
  return where(c.mask, a, constant(number_like(a.value, static_cast<double>(b))));
}
template <class C, XTAPE_NUM, Number K>
auto where(const Condition<C>& c, K a, const Num<V, M, D...>& b) {
  return where(c.mask, constant(number_like(b.value, static_cast<double>(a))), b);
}

}  // namespace xtape::detail
