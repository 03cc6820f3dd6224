// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstring>

#include "../memory.hpp"
#include "lane.hpp"
#include "program.hpp"
#include "program_steps.hpp"

namespace xtape::kernels {
namespace {

using std::int64_t;

// d[i] = f(p[i]...), two vectors at a time: addresses may be equal, so the compiler would not. All
// blocks are whole vectors.
template <class T, class F, class... P>
[[gnu::always_inline]] inline void each(T* d, int64_t n, F f, const P*... p) {
  using L = Lane<T>;
  constexpr int64_t S = L::kSize;
  int64_t i = 0;
  for (; i + 2 * S <= n; i += 2 * S) {
    const L y0 = f(L::load(p + i)...);
    const L y1 = f(L::load(p + i + S)...);
    y0.store(d + i);
    y1.store(d + i + S);
  }
  for (; i < n; i += S) f(L::load(p + i)...).store(d + i);
}

// The same of a long f: one vector at a time.
template <class T, class F, class... P>
[[gnu::always_inline]] inline void each_long(T* d, int64_t n, F f, const P*... p) {
  for (int64_t i = 0; i < n; i += Lane<T>::kSize) f(Lane<T>::load(p + i)...).store(d + i);
}

template <class T, class F, class... P>
[[gnu::always_inline]] inline void each_times(const T* factor, T* d, int64_t n, F f,
                                              const P*... p) {
  if (!factor) return each(d, n, f, p...);
  each(
      d, n, [&](const Lane<T>& z, const auto&... x) { return f(x...) * z; }, factor, p...);
}

// f(x k + l) m + n
template <class T, class F>
[[gnu::always_inline]] inline void each_function(const Step& s, const T* factor, T* d, int64_t n,
                                                 F f, const T* p) {
  using L = Lane<T>;
  const L k(s.k), l(s.l), m(s.m), o(s.n);
  for (int64_t i = 0; i < n; i += L::kSize) {
    L y = f(L::load(p + i) * k + l) * m + o;
    if (factor) y = y * L::load(factor + i);
    y.store(d + i);
  }
}

template <class T>
void run_arithmetic(const Step& s, T* const* slot, int64_t count) {
  using V = const Lane<T>&;
  T* d = slot[s.to];
  const T *a = slot[s.in[0]], *b = slot[s.in[1]], *c = slot[s.in[2]], *e = slot[s.in[3]];
  const T* by = s.factor < 0 ? nullptr : slot[s.factor];
  const Lane<T> k(s.k), l(s.l), m(s.m), n(s.n);
  const auto go = [&](auto f, const auto*... p) { each_times(by, d, count, f, p...); };
  const auto plain = [&](auto f, const auto*... p) { each(d, count, f, p...); };
  switch (s.op) {
    case Op::copy:
      return plain([](V x) { return x; }, a);
    case Op::negative:
      return plain([](V x) { return -x; }, a);
    case Op::add:
      return plain([](V x, V y) { return x + y; }, a, b);
    case Op::subtract:
      return plain([](V x, V y) { return x - y; }, a, b);
    case Op::multiply:
      return go([](V x, V y) { return x * y; }, a, b);
    case Op::divide:
      return go([](V x, V y) { return x / y; }, a, b);
    case Op::add_number:
      return plain([k](V x) { return x + k; }, a);
    case Op::scale:
      return plain([k](V x) { return x * k; }, a);
    case Op::over_number:
      return plain([k](V x) { return x / k; }, a);
    case Op::number_minus:
      return plain([k](V x) { return k - x; }, a);
    case Op::number_over:
      return plain([k](V x) { return k / x; }, a);
    case Op::multiply_add:
      return go([](V x, V y, V z) { return x * y + z; }, a, b, c);
    case Op::multiply_subtract:
      return go([](V x, V y, V z) { return x * y - z; }, a, b, c);
    case Op::minus_product:
      return go([](V x, V y, V z) { return z - x * y; }, a, b, c);
    case Op::product_plus:
      return go([k](V x, V y) { return x * y + k; }, a, b);
    case Op::number_minus_product:
      return go([k](V x, V y) { return k - x * y; }, a, b);
    case Op::scale_add:
      return go([k](V x, V z) { return x * k + z; }, a, b);
    case Op::scale_subtract:
      return go([k](V x, V z) { return x * k - z; }, a, b);
    case Op::minus_scaled:
      return go([k](V x, V z) { return z - x * k; }, a, b);
    case Op::affine:
      return plain([k, l](V x) { return x * k + l; }, a);
    case Op::affine_product:
      return go([=](V x, V y) { return (x * k + l) * (y * m + n); }, a, b);
    case Op::affine_quotient:
      return go([=](V x, V y) { return (x * k + l) / (y * m + n); }, a, b);
    case Op::where_less:
      return go([](V x, V y, V z, V w) { return where(lt(x, y), z, w); }, a, b, c, e);
    default:
      return;
  }
}

template <class T>
void run_condition(const Step& s, T* const* slot, int64_t count) {
  using V = const Lane<T>&;
  const Lane<T> one(1.0), zero(0.0);
  const auto number = [&](auto mask) { return where(mask, one, zero); };
  const auto holds = [&](V x) { return ne(x, zero); };
  T* d = slot[s.to];
  const T *a = slot[s.in[0]], *b = slot[s.in[1]], *c = slot[s.in[2]];
  const auto go = [&](auto f, const auto*... p) { each(d, count, f, p...); };
  switch (s.op) {
    case Op::logical_and:
      return go([](V x, V y) { return x * y; }, a, b);
    case Op::logical_or:
      return go([&](V x, V y) { return where(holds(x), x, y); }, a, b);
    case Op::logical_not:
      return go([&](V x) { return one - x; }, a);
    case Op::where:
      return go([&](V m, V x, V y) { return where(holds(m), x, y); }, a, b, c);
#define XTAPE_X(name) \
  case Op::name:      \
    return go([&](V x, V y) { return number(name(x, y)); }, a, b);
      XTAPE_PROGRAM_COMPARISONS(XTAPE_X)
#undef XTAPE_X
    default:
      return;
  }
}

template <class T>
void run_function(const Step& s, T* const* slot, int64_t count) {
  using V = const Lane<T>&;
  T* d = slot[s.to];
  const T *a = slot[s.in[0]], *b = slot[s.in[1]];
  const T* by = s.factor < 0 ? nullptr : slot[s.factor];
  const auto go = [&](auto f, const auto*... p) { each_long(d, count, f, p...); };
  switch (s.op) {
    case Op::power:
      return go([](V x, V y) { return pow(x, y); }, a, b);
    case Op::power_number:
      return go([&](V x) { return pow(x, s.k); }, a);
    case Op::polygamma:
      return go([&](V x) { return polygamma(static_cast<int>(s.k), x); }, a);
    case Op::atan2:
      return go([](V x, V y) { return atan2(x, y); }, a, b);
    case Op::hypot:
      return go([](V x, V y) { return hypot(x, y); }, a, b);
#define XTAPE_X(name)     \
  case Op::name:          \
    return each_function( \
        s, by, d, count, [](V x) { return name(x); }, a);
      XTAPE_PROGRAM_FUNCTIONS(XTAPE_X)
#undef XTAPE_X
    default:
      return;
  }
}

template <class T>
void run_step(const Step& s, T* const* slot, int64_t count) {
  if (is_function(s.op) || (s.op >= Op::power && s.op <= Op::hypot)) {
    return run_function(s, slot, count);
  }
  if (s.op >= Op::logical_and && s.op <= Op::ne) return run_condition(s, slot, count);
  run_arithmetic(s, slot, count);
}

// One strip: what a block is read from and written to.
template <class T>
class Execution {
 public:
  static constexpr int64_t kSize = Lane<T>::kSize;

  /// `slots` holds p.slots pointers, `memory` p.slots blocks.
  Execution(const Program& p, std::byte* const* pointers, const int64_t* steps, T** slots,
            T* memory, int64_t block)
      : p_(p),
        pointers_(pointers),
        steps_(steps + p.pointers),
        slot_(slots),
        memory_(memory),
        block_(block) {
    for (int i = 0; i < p.slots; ++i) slot_[i] = home(i);
    for (int i = 0; i < p.inputs; ++i) {
      if (steps_[i] == 0) std::fill_n(home(i), block, *input(i));
    }
    const int first = p.inputs + static_cast<int>(p.outputs.size());
    for (std::size_t i = 0; i < p.numbers.size(); ++i) {
      std::fill_n(home(first + static_cast<int>(i)), block, static_cast<T>(p.numbers[i]));
    }
  }

  void run(int64_t begin, int64_t count) {
    const int64_t padded = (count + kSize - 1) / kSize * kSize;
    for (int i = 0; i < p_.inputs; ++i) {
      if (steps_[i]) read(i, begin, count, padded);
    }
    for (std::size_t o = 0; o < p_.outputs.size(); ++o) {
      const int at = p_.inputs + static_cast<int>(o);
      slot_[at] = count == padded && is_direct(p_.outputs[o]) ? output(o) + begin : home(at);
    }
    for (const Step& s : p_.steps) run_step(s, slot_, padded);
    for (std::size_t o = 0; o < p_.outputs.size(); ++o) {
      const int at = p_.inputs + static_cast<int>(o);
      if (slot_[at] != home(at)) continue;
      std::memcpy(output(o) + begin, home(at), static_cast<std::size_t>(count) * sizeof(T));
    }
  }

 private:
  T* home(int i) const { return memory_ + i * block_; }
  const T* input(int i) const { return reinterpret_cast<const T*>(pointers_[p_.pointers + i]); }
  T* output(std::size_t o) const { return reinterpret_cast<T*>(pointers_[p_.outputs[o].pointer]); }

  // Whole vectors where they stand, others filled up with a value that occurs.
  void read(int i, int64_t begin, int64_t count, int64_t padded) {
    const T* x = input(i) + begin;
    if (count == padded) {
      slot_[i] = const_cast<T*>(x);
      return;
    }
    slot_[i] = home(i);
    std::fill_n(home(i) + padded - kSize, kSize, *x);
    std::memcpy(home(i), x, static_cast<std::size_t>(count) * sizeof(T));
  }

  // An output may stand where an input does that is read once more: then it is copied in the end.
  bool is_direct(const Program::Output& o) const {
    if (o.last) return true;
    for (int i = 0; i < p_.inputs; ++i) {
      if (pointers_[o.pointer] == pointers_[p_.pointers + i]) return false;
    }
    return true;
  }

  const Program& p_;
  std::byte* const* pointers_;
  const int64_t* steps_;  // of the inputs
  T** slot_;
  T* memory_;
  int64_t block_;
};

template <class T>
void run(const void* program, std::byte* const* pointers, const int64_t* steps, int64_t count) {
  constexpr int64_t kTogether = 8192 / sizeof(T), kMost = 512, kLeast = 64;
  constexpr int kSlots = 64;  // so many go on the stack
  const Program& p = *static_cast<const Program*>(program);
  // As many elements as let all blocks stay in the first-level cache, with room for what streams
  // through it.
  const int64_t size = Lane<T>::kSize, whole = (count + size - 1) / size * size;
  const int64_t fitting = kTogether / p.slots / kLeast * kLeast;
  const int64_t block = std::min(std::clamp(fitting, kLeast, kMost), whole);
  const auto go = [&](T** slots, T* memory) {
    Execution<T> execution(p, pointers, steps, slots, memory, block);
    for (int64_t at = 0; at < count; at += block) execution.run(at, std::min(block, count - at));
  };
  if (p.slots <= kSlots) {
    alignas(64) T memory[std::max<int64_t>(kTogether, kSlots * kLeast)];
    T* slots[kSlots];
    return go(slots, memory);
  }
  const detail::Scratch<T> memory(static_cast<std::size_t>(p.slots * block));
  const detail::Scratch<T*> slots(static_cast<std::size_t>(p.slots));
  go(slots.data(), memory.data());
}

}  // namespace

void run_program_single(const void* program, std::byte* const* pointers, const int64_t* steps,
                        int64_t count) {
  run<float>(program, pointers, steps, count);
}

void run_program_double(const void* program, std::byte* const* pointers, const int64_t* steps,
                        int64_t count) {
  run<double>(program, pointers, steps, count);
}

}  // namespace xtape::kernels
