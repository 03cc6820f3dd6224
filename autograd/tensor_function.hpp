// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include "export.hpp"
#include "tensor.hpp"

// How functions that take a function of tensors see it: as one from a vector to a vector.
namespace xtape::detail {

/// A function of tensors, by reference, for the time of a call.
struct TensorFunction {
  void* object;
  std::vector<Tensor> (*call)(void* object, const std::vector<Tensor>& inputs);
};

[[noreturn]] XTAPE_API void bad_arity(std::size_t inputs);

inline std::vector<Tensor> as_vector(Tensor y) {
  std::vector<Tensor> ys;
  ys.push_back(std::move(y));
  return ys;
}
inline std::vector<Tensor> as_vector(std::vector<Tensor> ys) { return ys; }
inline std::vector<Tensor> as_vector(std::pair<Tensor, Tensor> ys) {
  return {std::move(ys.first), std::move(ys.second)};
}

template <std::size_t>
using EachTensor = const Tensor&;

template <class F, std::size_t... I>
constexpr bool takes_tensors(std::index_sequence<I...>) {
  return std::is_invocable_v<F&, EachTensor<I>...>;
}

template <class F, std::size_t... I>
std::vector<Tensor> call_unpacked(F& f, const std::vector<Tensor>& x, std::index_sequence<I...>) {
  return as_vector(f(x[I]...));
}

template <class F>
constexpr bool takes_vector() {
  return std::is_invocable_v<F&, const std::vector<Tensor>&>;
}

/// f(x) or f(x[0], x[1], ...), whichever f takes; up to eight tensors.
template <class F, std::size_t N = 0>
std::vector<Tensor> call_with(F& f, const std::vector<Tensor>& x) {
  if constexpr (takes_vector<F>()) {
    return as_vector(f(x));
  } else if constexpr (N > 8) {
    bad_arity(x.size());
  } else {
    if constexpr (takes_tensors<F>(std::make_index_sequence<N>{})) {
      if (x.size() == N) return call_unpacked(f, x, std::make_index_sequence<N>{});
    }
    return call_with<F, N + 1>(f, x);
  }
}

template <class F>
void* to_object(F& f) noexcept {
  if constexpr (std::is_function_v<F>) {
    return reinterpret_cast<void*>(&f);
  } else {
    return const_cast<void*>(static_cast<const void*>(__builtin_addressof(f)));
  }
}
template <class F>
F& from_object(void* object) noexcept {
  if constexpr (std::is_function_v<F>) {
    return *reinterpret_cast<F*>(object);
  } else {
    return *static_cast<F*>(object);
  }
}

template <class F>
TensorFunction tensor_function(F& f) noexcept {
  return {to_object(f), [](void* object, const std::vector<Tensor>& x) {
            return call_with(from_object<F>(object), x);
          }};
}

/// Of a known number of tensors: nothing else is instantiated.
template <std::size_t N, class F>
TensorFunction tensor_function_of(F& f) noexcept {
  if constexpr (takes_vector<F>()) {
    return tensor_function(f);
  } else {
    return {to_object(f), [](void* object, const std::vector<Tensor>& x) {
              return call_unpacked(from_object<F>(object), x, std::make_index_sequence<N>{});
            }};
  }
}

}  // namespace xtape::detail
