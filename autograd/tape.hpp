// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <span>
#include <type_traits>

#include "export.hpp"
#include "tensor.hpp"

namespace xtape {

/// True where operations of this thread are recorded.
XTAPE_API bool is_grad_enabled() noexcept;

namespace detail {

class XTAPE_API GradModeGuard {
 public:
  explicit GradModeGuard(bool on) noexcept;
  ~GradModeGuard();
  GradModeGuard(const GradModeGuard&) = delete;
  GradModeGuard& operator=(const GradModeGuard&) = delete;

 private:
  bool before_;
};

}  // namespace detail

/// Nothing is recorded in its scope (this thread).
struct NoGrad : detail::GradModeGuard {
  NoGrad() noexcept : GradModeGuard(false) {}
};
/// Recording is on in its scope, inside a NoGrad too.
struct EnableGrad : detail::GradModeGuard {
  EnableGrad() noexcept : GradModeGuard(true) {}
};

namespace detail {
struct Node;
struct Saved;
class Sweep;
}  // namespace detail

/// What a recorded closure sees when gradients flow back through its operation.
class XTAPE_API Backward {
 public:
  // Where there is no such input, output or saved tensor, these throw IndexError.

  /// True where input i's gradient is wanted.
  bool needs(int i) const;
  /// Gradient of output k; undefined where none came (never for an operation of one output).
  const Tensor& g(int k = 0) const { return gradients_[output(k)]; }
  /// Gives g(k) away, so that its memory may be reused by who takes it.
  Tensor take_g(int k = 0) { return std::move(gradients_[output(k)]); }
  /// The i-th of `saves(...)`. Throws GradError where it was overwritten since.
  Tensor saved(int i) const;
  /// The same for its last use: given away where the sweep releases the graph, so that its memory
  /// may be free sooner. Where the closure throws afterwards, the operation counts as released.
  Tensor take_saved(int i);
  /// Adds to the gradient of input i: summed back over broadcast dimensions and converted to its
  /// dtype; an undefined `gradient` adds nothing. Throws ShapeError where it does not fit.
  void add(int i, Tensor gradient);
  /// Shape of input i.
  std::span<const std::int64_t> sizes(int i) const;
  /// True where the gradients' own graph is recorded: use recorded operations only.
  bool create_graph() const noexcept;

 private:
  friend class detail::Sweep;
  Backward(detail::Node& node, detail::Sweep& sweep, Tensor* gradients, int outputs) noexcept
      : node_(node), sweep_(sweep), gradients_(gradients), outputs_(outputs) {}
  int output(int k) const {
    if (k < 0 || k >= outputs_) [[unlikely]]
      no_such("g", k, outputs_);
    return k;
  }
  [[noreturn]] void no_such(const char* what, int i, std::int64_t count) const;
  detail::Saved& checked_saved(int i) const;

  detail::Node& node_;
  detail::Sweep& sweep_;
  Tensor* gradients_;
  int outputs_;
};

namespace detail {

using BackwardFunction = void (*)(const void* closure, Backward& t);

struct Recording {
  const char* name;
  std::span<Tensor* const> outputs;
  std::span<const TensorRef> inputs;
  std::span<const Tensor* const> saved;
  BackwardFunction run;
  std::size_t closure_bytes;
};

/// Puts an operation on the tape; returns where its closure goes, or null where nothing is
/// recorded.
XTAPE_API void* begin_record(const Recording& r);

template <std::size_t N>
struct Saves {
  std::array<const Tensor*, N> tensors;
};

/// Of one operation.
inline constexpr std::size_t kMaxOutputs = 8;

struct Outputs {
  Outputs(Tensor& y) noexcept : tensors{&y}, count(1) {}
  /// Throws ValueError for more than kMaxOutputs.
  Outputs(std::initializer_list<Tensor*> ys) : count(0) {
    if (ys.size() > kMaxOutputs) refuse(ys.size());
    for (Tensor* y : ys) tensors[count++] = y;
  }
  [[noreturn]] XTAPE_API static void refuse(std::size_t count);
  Tensor* tensors[kMaxOutputs];
  std::size_t count;
};

/// A name that lives forever: literals only.
struct OperationName {
  consteval OperationName(const char* s) : text(s) {}
  const char* text;
};

}  // namespace detail

/// Tensors that the closure needs; an undefined one is given back undefined.
template <class... T>
requires(std::is_base_of_v<Tensor, T>&&...) detail::Saves<sizeof...(T)> saves(const T&... tensors)
noexcept { return {{&tensors...}}; }

/// The several outputs of one operation (at most kMaxOutputs): `record("max", outputs(y, i), ...)`.
template <class... T>
detail::Outputs outputs(T&... tensors) {
  static_assert(sizeof...(T) <= detail::kMaxOutputs, "more than kMaxOutputs outputs");
  return detail::Outputs({&tensors...});
}

namespace detail {

template <std::size_t N, class F>
void record_named(const char* name, const Outputs& y, std::span<const TensorRef> inputs,
                  const Saves<N>& saved, F closure) {
  static_assert(std::is_trivially_copyable_v<F> && std::is_trivially_destructible_v<F>,
                "a recorded closure captures numbers and shapes only; tensors go through saves()");
  static_assert(alignof(F) <= alignof(std::max_align_t));
  void* place = begin_record({name,
                              {y.tensors, y.count},
                              inputs,
                              saved.tensors,
                              [](const void* c, Backward& t) { (*static_cast<const F*>(c))(t); },
                              sizeof(F)});
  if (place) ::new (place) F(closure);
}

}  // namespace detail

/// Records the operation that computed `y` from `inputs`. `closure(Backward&)` adds the gradients;
/// it is written with recorded operations, so that gradients of gradients come by themselves, and
/// captures numbers and shapes only.
template <std::size_t N, class F>
void record(detail::OperationName name, detail::Outputs y, TensorList inputs,
            const detail::Saves<N>& saved, F closure) {
  detail::record_named(name.text, y, {inputs.begin(), inputs.size()}, saved, closure);
}

}  // namespace xtape
