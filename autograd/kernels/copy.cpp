// SPDX-License-Identifier: BSD-3-Clause
#include "copy.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "../parallel.hpp"
#include "loop.hpp"
#include "transpose.hpp"

namespace xtape::kernels {
namespace {

using detail::convert;

constexpr std::int64_t kTile = 16;  // a multiple of a square's side
constexpr std::int64_t kGrain = 1 << 15;

template <class Target, class Source>
void copy_row(Target* t, std::int64_t ts, const Source* s, std::int64_t ss, std::int64_t n) {
  if (ts == 1 && ss == 1) {
    if constexpr (std::is_same_v<Target, Source>) {
      std::memcpy(t, s, static_cast<std::size_t>(n) * sizeof(Target));
    } else {
      for (std::int64_t i = 0; i < n; ++i) t[i] = convert<Target>(s[i]);
    }
  } else {
    for (std::int64_t i = 0; i < n; ++i) t[i * ts] = convert<Target>(s[i * ss]);
  }
}

// A whole tile of a transpose, t[row * t_row + column] = s[column * s_col + row].
template <class T>
void copy_squares(T* t, std::int64_t t_row, const T* s, std::int64_t s_col) {
  constexpr std::int64_t kSide = Square<T>::kSize;
  static_assert(kTile % kSide == 0);
  for (std::int64_t i = 0; i < kTile; i += kSide) {
    for (std::int64_t j = 0; j < kTile; j += kSide) {
      Square<T> square;
      square.load(s + j * s_col + i, s_col);
      square.transpose();
      square.store(t + i * t_row + j, t_row);
    }
  }
}

// The innermost dimension of the target against the one along which the source is dense.
template <class Target, class Source>
void copy_tiles(Target* t, std::int64_t t_row, std::int64_t t_col, const Source* s,
                std::int64_t s_row, std::int64_t s_col, std::int64_t rows, std::int64_t cols) {
  for (std::int64_t i = 0; i < rows; i += kTile) {
    const std::int64_t i_end = std::min(i + kTile, rows);
    for (std::int64_t j = 0; j < cols; j += kTile) {
      const std::int64_t j_end = std::min(j + kTile, cols);
      if constexpr (std::is_same_v<Target, Source> && sizeof(Target) >= 4) {
        if (t_col == 1 && s_row == 1 && i_end - i == kTile && j_end - j == kTile) {
          copy_squares(t + i * t_row + j, t_row, s + j * s_col + i, s_col);
          continue;
        }
      }
      for (std::int64_t a = i; a < i_end; ++a) {
        for (std::int64_t b = j; b < j_end; ++b) {
          t[a * t_row + b * t_col] = convert<Target>(s[a * s_row + b * s_col]);
        }
      }
    }
  }
}

template <class Target, class Source>
void copy_loop(const Loop& loop, Target* target, const Source* source) {
  const std::int64_t* ts = loop.strides[0];
  const std::int64_t* ss = loop.strides[1];
  const int last = loop.rank - 1;
  int across = -1;  // a dimension along which the source is dense while the last is not
  if (ss[last] != 1 && ss[last] != 0) {
    for (int i = 0; i < last; ++i) {
      if (ss[i] == 1 && loop.sizes[i] >= 4) across = i;
    }
  }
  std::int64_t outer = 1;
  for (int i = 0; i < last; ++i) outer *= i == across ? 1 : loop.sizes[i];
  const std::int64_t inner = loop.numel() / outer;
  const auto offsets = [&](std::int64_t k, std::int64_t& t, std::int64_t& s) {
    t = s = 0;
    for (int i = last - 1; i >= 0; --i) {
      if (i == across) continue;
      t += k % loop.sizes[i] * ts[i];
      s += k % loop.sizes[i] * ss[i];
      k /= loop.sizes[i];
    }
  };
  // A single row or tile grid is split along its longest side instead.
  if (outer == 1) {
    const std::int64_t rows = across >= 0 ? loop.sizes[across] : inner;
    const std::int64_t grain =
        across >= 0 ? std::max(kTile, kGrain / loop.sizes[last] / kTile * kTile) : kGrain;
    return detail::parallel_for(rows, grain, [&](std::int64_t b, std::int64_t e) {
      if (across >= 0) {
        copy_tiles(target + b * ts[across], ts[across], ts[last], source + b * ss[across],
                   ss[across], ss[last], e - b, loop.sizes[last]);
      } else {
        copy_row(target + b * ts[last], ts[last], source + b * ss[last], ss[last], e - b);
      }
    });
  }
  detail::parallel_for(outer, std::max<std::int64_t>(1, kGrain / inner),
                       [&](std::int64_t b, std::int64_t e) {
                         for (std::int64_t k = b; k < e; ++k) {
                           std::int64_t t, s;
                           offsets(k, t, s);
                           if (across >= 0) {
                             copy_tiles(target + t, ts[across], ts[last], source + s, ss[across],
                                        ss[last], loop.sizes[across], loop.sizes[last]);
                           } else {
                             copy_row(target + t, ts[last], source + s, ss[last], loop.sizes[last]);
                           }
                         }
                       });
}

Loop make_loop(std::span<const std::int64_t> sizes, const std::int64_t* target_strides,
               const std::int64_t* source_strides) {
  Loop loop;
  loop.rank = static_cast<int>(sizes.size());
  loop.operands = 2;
  std::copy(sizes.begin(), sizes.end(), loop.sizes);
  std::copy_n(target_strides, sizes.size(), loop.strides[0]);
  std::copy_n(source_strides, sizes.size(), loop.strides[1]);
  return loop;
}

template <class T>
void copy_as(const Loop& loop, void* target, const void* source) {
  copy_loop(loop, static_cast<T*>(target), static_cast<const T*>(source));
}

}  // namespace

void copy_items(std::span<const std::int64_t> sizes, int item_bytes, void* target,
                const std::int64_t* target_strides, const void* source,
                const std::int64_t* source_strides) {
  Loop loop = make_loop(sizes, target_strides, source_strides);
  if (loop.numel() == 0) return;
  loop.simplify();
  if (item_bytes == 1) return copy_as<std::uint8_t>(loop, target, source);
  if (item_bytes == 4) return copy_as<std::uint32_t>(loop, target, source);
  copy_as<std::uint64_t>(loop, target, source);
}

void copy_converted(std::span<const std::int64_t> sizes, DType target_type, void* target,
                    const std::int64_t* target_strides, DType source_type, const void* source,
                    const std::int64_t* source_strides) {
  if (target_type == source_type) {
    return copy_items(sizes, static_cast<int>(item_size(target_type)), target, target_strides,
                      source, source_strides);
  }
  Loop loop = make_loop(sizes, target_strides, source_strides);
  if (loop.numel() == 0) return;
  loop.simplify();
  detail::dispatch(target_type, [&]<class T>(detail::Type<T>) {
    detail::dispatch(source_type, [&]<class S>(detail::Type<S>) {
      if constexpr (!std::is_same_v<T, S>) {
        copy_loop(loop, static_cast<T*>(target), static_cast<const S*>(source));
      }
    });
  });
}

}  // namespace xtape::kernels
