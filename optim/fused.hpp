// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// One pass over a parameter, its gradient and what is remembered of it; private to optim/.

#include <cstdint>

#include "../autograd/parallel.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::optim::detail {

inline constexpr std::int64_t kGrain = 16384;

/// f(n, p, g, buffers...) on chunks of raw memory, in parallel where there are several. All tensors
/// are dense, of one memory order and of the parameter's dtype; a buffer that is not used may be
/// undefined. `f` takes pointers that do not overlap: `[=]<class T>(std::int64_t n, T* __restrict
/// p, const T* __restrict g, T* __restrict m)`; it makes numbers of T of its constants first, so
/// that its loop becomes vector code.
template <class F, class... Buffers>
void fused_step(const Tensor& parameter, const Tensor& gradient, F f, const Buffers&... buffers) {
  xtape::detail::dispatch_floating(parameter.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    const auto at = [](const Tensor& x, std::int64_t begin) {
      return x.defined() ? xtape::detail::fresh_data<T>(x) + begin : nullptr;
    };
    const auto chunk = [&](std::int64_t begin, std::int64_t end) {
      const T* g = at(gradient, begin);
      f(end - begin, at(parameter, begin), g, at(buffers, begin)...);
    };
    xtape::detail::parallel_for(parameter.numel(), kGrain, chunk);
  });
}

/// -1, 0 or 1; NaN stays.
template <class T>
T sign_of(T x) noexcept {
  return x > 0 ? T(1) : x < 0 ? T(-1) : x;
}

/// What a gradient is multiplied by, so that a step goes up or down.
template <class Options>
double direction(const Options& o) noexcept {
  return o.maximize ? -1 : 1;
}

}  // namespace xtape::optim::detail
