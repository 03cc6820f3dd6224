// SPDX-License-Identifier: BSD-3-Clause
#include "scan.hpp"

#include <algorithm>
#include <type_traits>

#include "../parallel.hpp"

namespace xtape::kernels {
namespace {

constexpr std::int64_t kTile = 64;  // columns that run side by side
constexpr std::int64_t kGrain = 1 << 15;

template <class T>
using Running = std::conditional_t<std::is_same_v<T, float>, double, T>;

// f(offset of the tile's first element, its columns) over all tiles.
template <class F>
void for_tiles(const Slices3& s, F f) {
  const std::int64_t tiles = (s.inner + kTile - 1) / kTile;
  const std::int64_t work = std::max<std::int64_t>(1, s.count * std::min(s.inner, kTile));
  detail::parallel_for(s.outer * tiles, std::max<std::int64_t>(1, kGrain / work),
                       [&](std::int64_t begin, std::int64_t end) {
                         for (std::int64_t k = begin; k < end; ++k) {
                           const std::int64_t first = k % tiles * kTile;
                           f(k / tiles * s.count * s.inner + first,
                             std::min(kTile, s.inner - first));
                         }
                       });
}

// step(state of a column, offset) for each element in the order of the scan.
template <class State, class F>
void scan(const Slices3& s, bool reverse, State start, F step) {
  for_tiles(s, [&](std::int64_t offset, std::int64_t columns) {
    State states[kTile];
    std::fill_n(states, columns, start);
    for (std::int64_t i = 0; i < s.count; ++i) {
      const std::int64_t row = offset + (reverse ? s.count - 1 - i : i) * s.inner;
      for (std::int64_t j = 0; j < columns; ++j) step(states[j], row + j, i);
    }
  });
}

// Whole numbers wrap around.
template <class T>
T plus(T a, T b) noexcept {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  } else {
    return a + b;
  }
}
template <class T>
T times(T a, T b) noexcept {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  } else {
    return a * b;
  }
}

// f with the C++ type of int64 or a floating dtype.
template <class F>
void dispatch_numbers(DType dtype, F f) {
  if (dtype == int64) return f(detail::Type<std::int64_t>());
  detail::dispatch_floating(dtype, f);
}

}  // namespace

void scan_sum(const Slices3& s, DType dtype, bool reverse, void* target, const void* source) {
  dispatch_numbers(dtype, [&]<class T>(detail::Type<T>) {
    T* y = static_cast<T*>(target);
    const T* x = static_cast<const T*>(source);
    scan(s, reverse, Running<T>(0), [=](Running<T>& sum, std::int64_t at, std::int64_t) {
      sum = plus(sum, static_cast<Running<T>>(x[at]));
      y[at] = static_cast<T>(sum);
    });
  });
}

void scan_product(const Slices3& s, DType dtype, void* target, const void* source) {
  dispatch_numbers(dtype, [&]<class T>(detail::Type<T>) {
    T* y = static_cast<T*>(target);
    const T* x = static_cast<const T*>(source);
    scan(s, false, Running<T>(1), [=](Running<T>& product, std::int64_t at, std::int64_t) {
      product = times(product, static_cast<Running<T>>(x[at]));
      y[at] = static_cast<T>(product);
    });
  });
}

void scan_linear(const Slices3& s, DType dtype, bool reverse, void* y, const void* a,
                 const void* x) {
  detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    T* result = static_cast<T*>(y);
    const T* addend = static_cast<const T*>(a);
    const T* factor = static_cast<const T*>(x);
    scan(s, reverse, Running<T>(0), [=](Running<T>& last, std::int64_t at, std::int64_t i) {
      const auto first = static_cast<Running<T>>(addend[at]);
      last = i == 0 ? first : first + static_cast<Running<T>>(factor[at]) * last;
      result[at] = static_cast<T>(last);
    });
  });
}

void scan_extreme(const Slices3& s, DType dtype, bool largest, void* values, std::int64_t* indices,
                  const void* source) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    T* y = static_cast<T*>(values);
    const T* x = static_cast<const T*>(source);
    struct Best {
      T value;
      std::int64_t place;
    };
    scan(s, false, Best{}, [=](Best& best, std::int64_t at, std::int64_t i) {
      const T v = x[at];
      const bool better = largest ? v >= best.value : v <= best.value;
      if (i == 0 || v != v || (better && best.value == best.value)) best = {v, i};
      y[at] = best.value;
      indices[at] = best.place;
    });
  });
}

}  // namespace xtape::kernels
