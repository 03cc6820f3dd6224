// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <limits>
#include <type_traits>

#include "lane.hpp"
#include "reduce_loop.hpp"

namespace xtape::kernels {
namespace {

// True where x takes the place of `best`: a NaN always does, and nothing takes its place.
template <bool Largest, class T>
bool beats(T x, T best) noexcept {
  const bool better = Largest ? x > best : x < best;
  if constexpr (std::is_floating_point_v<T>) return better | (x != x);
  return better;
}

template <bool Largest, class T>
constexpr T worst() noexcept {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) {
    return Largest ? -Limits::infinity() : Limits::infinity();
  } else {
    return Largest ? Limits::lowest() : Limits::max();
  }
}

template <bool Largest, class T>
struct Extreme {
  using Source = T;
  using Accumulator = T;
  using Result = T;

  static T start() noexcept { return worst<Largest, T>(); }
  static T join(T a, T b) noexcept { return beats<Largest>(b, a) ? b : a; }
  static T repeat(T a, std::int64_t) noexcept { return a; }
  static T finish(T a) noexcept { return a; }

  static T row(const T* x, std::int64_t n, std::int64_t stride, T) {
    if constexpr (std::is_floating_point_v<T>) {
      if (stride == 1 && n >= Lane<T>::kSize) return dense_row(x, n);
    }
    T best = start();
    for (std::int64_t i = 0; i < n; ++i) best = join(best, x[i * stride]);
    return best;
  }

  using V = Lane<T>;
  [[gnu::always_inline]] static V join_lanes(const V& a, const V& b) {
    return where(logical_or(Largest ? gt(b, a) : lt(b, a), logical_not(eq(b, b))), b, a);
  }
  static T dense_row(const T* x, std::int64_t n) {
    constexpr std::int64_t W = V::kSize;
    // The last vector overlaps the one before: an extreme may be counted twice.
    V a = V::load(x + n - W);
    std::int64_t i = 0;
    if (n >= 4 * W) {
      V b = a, c = a, d = a;
      for (; i + 4 * W <= n; i += 4 * W) {
        a = join_lanes(a, V::load(x + i));
        b = join_lanes(b, V::load(x + i + W));
        c = join_lanes(c, V::load(x + i + 2 * W));
        d = join_lanes(d, V::load(x + i + 3 * W));
      }
      a = join_lanes(join_lanes(a, b), join_lanes(c, d));
    }
    for (; i + W <= n; i += W) a = join_lanes(a, V::load(x + i));
    T lanes[W];
    a.store(lanes);
    T best = lanes[0];
    for (std::int64_t k = 1; k < W; ++k) best = join(best, lanes[k]);
    return best;
  }

  static void columns(T* __restrict acc, const T* __restrict x, std::int64_t rows,
                      std::int64_t row_stride, std::int64_t cols, std::int64_t col_stride,
                      const T*) {
    std::int64_t dense = 0;
    if constexpr (std::is_floating_point_v<T>) {
      if (col_stride == 1) dense = cols - cols % V::kSize;
      for (std::int64_t i = 0; i < rows; i += 4) {
        const T* r = x + i * row_stride;
        const std::int64_t n = std::min<std::int64_t>(4, rows - i);
        for (std::int64_t j = 0; j < dense; j += V::kSize) {
          V best = V::load(acc + j);
          for (std::int64_t k = 0; k < n; ++k)
            best = join_lanes(best, V::load(r + k * row_stride + j));
          best.store(acc + j);
        }
      }
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      const T* r = x + i * row_stride;
      for (std::int64_t j = dense; j < cols; ++j) acc[j] = join(acc[j], r[j * col_stride]);
    }
  }
};

// The first place of the extreme in a dense row.
template <bool Largest, class T>
std::int64_t find_in_row(const T* x, std::int64_t n) {
  const T best = Extreme<Largest, T>::row(x, n, 1, T());
  std::int64_t i = 0;
  if (best != best) {
    while (x[i] == x[i]) ++i;
    return i;
  }
  constexpr std::int64_t kBlock = 64;
  for (; i + kBlock <= n; i += kBlock) {
    int hits = 0;
    for (std::int64_t j = 0; j < kBlock; ++j) hits += x[i + j] == best;
    if (hits) break;
  }
  while (x[i] != best) ++i;
  return i;
}

// Of each column of [count, inner], a tile of columns at a time. Places have the elements' width,
// so that one vector instruction handles as many of both.
template <bool Largest, class T, class Place>
void find_in_columns(const T* x, std::int64_t count, std::int64_t inner, std::int64_t begin,
                     std::int64_t end, std::int64_t* indices, T* values) {
  constexpr std::int64_t kTile = 256;
  T best[kTile];
  Place place[kTile];
  for (std::int64_t tile = begin; tile < end; tile += kTile) {
    const std::int64_t n = std::min(kTile, end - tile);
    std::copy_n(x + tile, n, best);
    std::fill_n(place, n, Place(0));
    for (std::int64_t i = 1; i < count; ++i) {
      const T* row = x + i * inner + tile;
      for (std::int64_t j = 0; j < n; ++j) {
        const T v = row[j];
        const bool better =
            (Largest ? v > best[j] : v < best[j]) | ((v != v) & (best[j] == best[j]));
        best[j] = better ? v : best[j];
        place[j] = better ? static_cast<Place>(i) : place[j];
      }
    }
    for (std::int64_t j = 0; j < n; ++j) indices[tile + j] = static_cast<std::int64_t>(place[j]);
    if (values) std::copy_n(best, n, values + tile);
  }
}

template <bool Largest, class T>
void find(std::int64_t outer, std::int64_t count, std::int64_t inner, std::int64_t* indices,
          T* values, const T* source) {
  if (inner == 1) {
    detail::parallel_for(outer, std::max<std::int64_t>(1, kReduceGrain / count),
                         [&](std::int64_t begin, std::int64_t end) {
                           for (std::int64_t o = begin; o < end; ++o) {
                             const T* row = source + o * count;
                             indices[o] = find_in_row<Largest>(row, count);
                             if (values) values[o] = row[indices[o]];
                           }
                         });
    return;
  }
  using Narrow = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  const bool narrow = count <= std::numeric_limits<Narrow>::max();
  const std::int64_t grain = std::max<std::int64_t>(1, kReduceGrain / (count * inner));
  detail::parallel_for(outer, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      const T* x = source + o * count * inner;
      T* v = values ? values + o * inner : nullptr;
      const std::int64_t columns = std::max<std::int64_t>(256, kReduceGrain / count);
      detail::parallel_for(inner, columns, [&](std::int64_t b, std::int64_t e) {
        if (narrow) {
          find_in_columns<Largest, T, Narrow>(x, count, inner, b, e, indices + o * inner, v);
        } else {
          find_in_columns<Largest, T, std::int64_t>(x, count, inner, b, e, indices + o * inner, v);
        }
      });
    }
  });
}

}  // namespace

void reduce_extreme(const Reduction& r, DType dtype, bool largest, void* target,
                    const void* source) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    auto* y = static_cast<T*>(target);
    const auto* x = static_cast<const T*>(source);
    largest ? reduce(Extreme<true, T>(), r, y, x) : reduce(Extreme<false, T>(), r, y, x);
  });
}

void find_extreme(DType dtype, bool largest, std::int64_t outer, std::int64_t count,
                  std::int64_t inner, std::int64_t* indices, void* values, const void* source) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    auto* y = static_cast<T*>(values);
    const auto* x = static_cast<const T*>(source);
    largest ? find<true>(outer, count, inner, indices, y, x)
            : find<false>(outer, count, inner, indices, y, x);
  });
}

}  // namespace xtape::kernels
