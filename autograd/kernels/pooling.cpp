// SPDX-License-Identifier: BSD-3-Clause
#include "pooling.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "../parallel.hpp"
#include "rows.hpp"

namespace xtape::kernels {
namespace {

// Outputs are worked on by lines of up to kLine that lie side by side in memory: channels where
// memory is channels-last, columns elsewhere. A line's state stays in registers and L1.
constexpr std::int64_t kLine = 64;
static_assert(kLine % Lane<float>::kSize == 0 && kLine % Lane<double>::kSize == 0);

// An integer as wide as T, so that compare and select run on vectors of one width.
template <class T>
using Position = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

// Output k of a line is y[y_at + k * y_step] and stands in column `column + k * column_step`.
struct Line {
  std::int64_t batch, channel, row, column;
  std::int64_t size;
  bool over_channels;

  std::int64_t at(const Strides4& s) const {
    return batch * s[0] + channel * s[1] + row * s[2] + column * s[3];
  }
  std::int64_t step(const Strides4& s) const { return over_channels ? s[1] : s[3]; }
};

// The taps of a window along one axis that lie inside: first <= p < last.
struct Taps {
  std::int64_t first, last;

  Taps(std::int64_t start, std::int64_t kernel, std::int64_t dilation, std::int64_t in) {
    const auto ceil_div = [&](std::int64_t n) {
      if (n <= 0 || dilation == 1) return std::max<std::int64_t>(0, n);
      return (n + dilation - 1) / dilation;
    };
    first = std::min(kernel, ceil_div(-start));
    last = std::clamp(ceil_div(in - start), first, kernel);
  }
};

// Calls f(position, begin, end, at, step) for each position of the window: for outputs k of the
// line in [begin, end) the element of x is x[at + k * step]; outside of that there is none.
template <class F>
inline void each_tap(const PoolingShape& s, const Line& line, const Strides4& xs, F f) {
  const std::int64_t top = line.row * s.stride_height - s.pad_top;
  const std::int64_t left = line.column * s.stride_width - s.pad_left;
  const std::int64_t base = line.batch * xs[0] + line.channel * xs[1];
  const Taps rows(top, s.kernel_height, s.dilation_height, s.in_height);
  for (std::int64_t p = rows.first; p < rows.last; ++p) {
    const std::int64_t row = base + (top + p * s.dilation_height) * xs[2];
    if (line.over_channels) {
      const Taps columns(left, s.kernel_width, s.dilation_width, s.in_width);
      for (std::int64_t q = columns.first; q < columns.last; ++q) {
        f(p * s.kernel_width + q, std::int64_t{0}, line.size,
          row + (left + q * s.dilation_width) * xs[3], xs[1]);
      }
    } else {
      for (std::int64_t q = 0; q < s.kernel_width; ++q) {
        const std::int64_t start = left + q * s.dilation_width;
        const Taps valid(start, line.size, s.stride_width, s.in_width);
        f(p * s.kernel_width + q, valid.first, valid.last, row + start * xs[3],
          s.stride_width * xs[3]);
      }
    }
  }
}

// Runs body(k, offset of k) for k in [begin, end); a step of 1 or 2 known to the compiler is vector
// code.
template <class Body>
inline void each_offset(std::int64_t begin, std::int64_t end, std::int64_t step, Body body) {
  if (step == 1) {
    for (std::int64_t k = begin; k < end; ++k) body(k, k);
  } else if (step == 2) {
    for (std::int64_t k = begin; k < end; ++k) body(k, 2 * k);
  } else {
    for (std::int64_t k = begin; k < end; ++k) body(k, step * k);
  }
}

template <class T, class U>
inline void load_line(const Line& line, const T* from, const Strides4& strides, U* to) {
  const T* first = from + line.at(strides);
  each_offset(0, line.size, line.step(strides),
              [=](std::int64_t k, std::int64_t at) { to[k] = static_cast<U>(first[at]); });
}

template <class T, class U>
inline void store_line(const Line& line, const U* from, T* to, const Strides4& strides) {
  T* first = to + line.at(strides);
  each_offset(0, line.size, line.step(strides),
              [=](std::int64_t k, std::int64_t at) { first[at] = static_cast<T>(from[k]); });
}

// Images are split into blocks of channels, so that no two threads write the same element of gx.
// Calls before(batch, first channel, channels) and then each(line) for the lines of a block.
template <class Before, class Each>
void each_line(const PoolingShape& s, const Strides4& xs, const Strides4& ys, Before before,
               Each each) {
  const bool over_channels = s.channels >= 8 && xs[1] == 1 && ys[1] == 1;
  const std::int64_t block = over_channels ? kLine : 1;
  const std::int64_t blocks = (s.channels + block - 1) / block;
  const std::int64_t places = s.out_height * s.out_width;
  const std::int64_t grain =
      std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(1, places * block));
  detail::parallel_for(s.batch * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t unit = begin; unit < end; ++unit) {
      Line line{unit / blocks, unit % blocks * block, 0, 0, 0, over_channels};
      const std::int64_t channels = std::min(block, s.channels - line.channel);
      before(line.batch, line.channel, channels);
      const std::int64_t column_step = over_channels ? 1 : kLine;
      for (line.row = 0; line.row < s.out_height; ++line.row) {
        for (line.column = 0; line.column < s.out_width; line.column += column_step) {
          line.size = over_channels ? channels : std::min(kLine, s.out_width - line.column);
          each(line);
        }
      }
    }
  });
}

constexpr auto kNothingBefore = [](std::int64_t, std::int64_t, std::int64_t) {};

template <class T>
void clear_block(const PoolingShape& s, T* gx, const Strides4& xs, std::int64_t batch,
                 std::int64_t channel, std::int64_t channels) {
  for (std::int64_t h = 0; h < s.in_height; ++h) {
    for (std::int64_t w = 0; w < s.in_width; ++w) {
      T* first = gx + batch * xs[0] + channel * xs[1] + h * xs[2] + w * xs[3];
      each_offset(0, channels, xs[1], [=](std::int64_t, std::int64_t at) { first[at] = T(0); });
    }
  }
}

// Windows that neither overlap nor leave a gap write each element of gx once: no clearing.
bool windows_tile(const PoolingShape& s) {
  return s.dilation_height == 1 && s.dilation_width == 1 && s.stride_height == s.kernel_height &&
         s.stride_width == s.kernel_width &&
         s.out_height * s.stride_height - s.pad_top >= s.in_height &&
         s.out_width * s.stride_width - s.pad_left >= s.in_width;
}

// gx from lines: prepare(line) once per line, then value(position, k) is what output k sends to
// its element at `position`.
template <class T, class Prepare, class Value>
void spread(const PoolingShape& s, const Strides4& ys, T* gx, const Strides4& xs, Prepare prepare,
            Value value) {
  const auto run = [&](auto before, auto write) {
    each_line(s, xs, ys, before, [&](const Line& line) {
      auto state = prepare(line);
      each_tap(s, line, xs,
               [&](std::int64_t position, std::int64_t begin, std::int64_t end, std::int64_t at,
                   std::int64_t step) {
                 T* first = gx + at;
                 each_offset(begin, end, step, [&](std::int64_t k, std::int64_t offset) {
                   write(first[offset], value(state, position, k));
                 });
               });
    });
  };
  if (windows_tile(s)) {
    run(kNothingBefore, [](T& target, T x) { target = x; });
  } else {
    run([&](std::int64_t b, std::int64_t c, std::int64_t n) { clear_block(s, gx, xs, b, c, n); },
        [](T& target, T x) { target += x; });
  }
}

// Elements of the window at `index` along one axis, clipped as PyTorch clips them.
std::int64_t extent(std::int64_t index, std::int64_t stride, std::int64_t kernel, std::int64_t pad,
                    std::int64_t in, bool count_include_pad) {
  const std::int64_t begin = index * stride - pad;
  const std::int64_t end = std::min(begin + kernel, in + pad);
  return count_include_pad
             ? end - begin
             : std::max<std::int64_t>(0, std::min(end, in) - std::max<std::int64_t>(begin, 0));
}

template <class T>
void divisors(const PoolingShape& s, const AverageDivisor& d, const Line& line, T* result) {
  if (d.divisor_override != 0) {
    std::fill_n(result, line.size, static_cast<T>(d.divisor_override));
    return;
  }
  const auto height = extent(line.row, s.stride_height, s.kernel_height, s.pad_top, s.in_height,
                             d.count_include_pad);
  const auto count = [&](std::int64_t column) {
    const auto width =
        extent(column, s.stride_width, s.kernel_width, s.pad_left, s.in_width, d.count_include_pad);
    return static_cast<T>(std::max<std::int64_t>(1, height * width));
  };
  if (line.over_channels) {
    std::fill_n(result, line.size, count(line.column));
  } else {
    for (std::int64_t k = 0; k < line.size; ++k) result[k] = count(line.column + k);
  }
}

// The maxima of channels side by side from `first` on, N vectors of them, and where they are; these
// stay in registers from the first tap to the last. T holds positions that fit into bytes exactly.
template <std::int64_t N, class T>
void maxima(const PoolingShape& s, const Line& line, const T* x, const Strides4& xs,
            std::int64_t first, Part<T> part, T* best, Position<T>* places) {
  using V = Lane<T>;
  V value[N], position[N];
#pragma GCC unroll 4
  for (std::int64_t v = 0; v < N; ++v) {
    value[v] = V(-std::numeric_limits<double>::infinity());
    position[v] = V(-1.0);
  }
  each_tap(s, line, xs,
           [&](std::int64_t tap, std::int64_t, std::int64_t, std::int64_t at, std::int64_t) {
             const V here(static_cast<double>(tap));
#pragma GCC unroll 4
             for (std::int64_t v = 0; v < N; ++v) {
               const V a = part.load(x + at + first + v * V::kSize, T(0));
               // The first element counts even where it is -inf, so that it gets the gradient.
               const auto take =
                   logical_or(logical_or(gt(a, value[v]), ne(a, a)), lt(position[v], V(0.0)));
               value[v] = where(take, a, value[v]);
               position[v] = where(take, here, position[v]);
             }
           });
#pragma GCC unroll 4
  for (std::int64_t v = 0; v < N; ++v) {
    value[v].store(best + first + v * V::kSize);
    T lanes[V::kSize];
    position[v].store(lanes);
    Position<T>* const to = places + first + v * V::kSize;
    for (std::int64_t i = 0; i < V::kSize; ++i) to[i] = static_cast<Position<T>>(lanes[i]);
  }
}

template <class T>
void maxima_of_channels(const PoolingShape& s, const Line& line, const T* x, const Strides4& xs,
                        T* best, Position<T>* where) {
  constexpr std::int64_t W = Lane<T>::kSize;
  std::int64_t k = 0;
  for (; k + 4 * W <= line.size; k += 4 * W) maxima<4>(s, line, x, xs, k, Part<T>{}, best, where);
  for (; k < line.size; k += W) {
    maxima<1>(s, line, x, xs, k, Part<T>{std::min(W, line.size - k)}, best, where);
  }
}

// The same of any line.
template <class T>
void maxima_of_line(const PoolingShape& s, const Line& line, const T* x, const Strides4& xs,
                    T* best, Position<T>* where) {
  std::fill_n(best, line.size, -std::numeric_limits<T>::infinity());
  std::fill_n(where, line.size, Position<T>(-1));
  each_tap(s, line, xs,
           [&](std::int64_t position, std::int64_t begin, std::int64_t end, std::int64_t at,
               std::int64_t step) {
             const T* first = x + at;
             const auto here = static_cast<Position<T>>(position);
             each_offset(begin, end, step, [&](std::int64_t k, std::int64_t offset) {
               const T value = first[offset];
               const bool take = (value > best[k]) | (value != value) | (where[k] < 0);
               best[k] = take ? value : best[k];
               where[k] = take ? here : where[k];
             });
           });
}

PoolingShape without_dilation(PoolingShape s) {
  s.dilation_height = s.dilation_width = 1;
  return s;
}

}  // namespace

template <class T, class Index>
void max_pool_forward(const PoolingShape& s, const T* x, const Strides4& xs, T* y,
                      const Strides4& ys, Index* indices, const Strides4& index_strides) {
  each_line(s, xs, ys, kNothingBefore, [&](const Line& line) {
    T best[kLine];
    Position<T> where[kLine];
    if (sizeof(Index) == 1 && line.over_channels) {
      maxima_of_channels(s, line, x, xs, best, where);
    } else {
      maxima_of_line(s, line, x, xs, best, where);
    }
    store_line(line, best, y, ys);
    store_line(line, where, indices, index_strides);
  });
}

template <class T, class Index>
void max_pool_backward(const PoolingShape& s, const T* gy, const Strides4& gy_strides,
                       const Index* indices, const Strides4& index_strides, T* gx,
                       const Strides4& gx_strides) {
  struct State {
    T g[kLine];
    Position<T> where[kLine];
  };
  const auto prepare = [&](const Line& line) {
    State state;
    load_line(line, gy, gy_strides, state.g);
    load_line(line, indices, index_strides, state.where);
    return state;
  };
  spread(s, gy_strides, gx, gx_strides, prepare,
         [](const State& state, std::int64_t position, std::int64_t k) {
           return state.where[k] == static_cast<Position<T>>(position) ? state.g[k] : T(0);
         });
}

template <class T, class Index>
void max_pool_gather(const PoolingShape& s, const T* x, const Strides4& xs, const Index* indices,
                     const Strides4& index_strides, T* y, const Strides4& ys) {
  each_line(s, xs, ys, kNothingBefore, [&](const Line& line) {
    T result[kLine] = {};
    Position<T> where[kLine];
    load_line(line, indices, index_strides, where);
    each_tap(s, line, xs,
             [&](std::int64_t position, std::int64_t begin, std::int64_t end, std::int64_t at,
                 std::int64_t step) {
               const T* first = x + at;
               const auto here = static_cast<Position<T>>(position);
               each_offset(begin, end, step, [&](std::int64_t k, std::int64_t offset) {
                 const T value = first[offset];
                 result[k] = where[k] == here ? value : result[k];
               });
             });
    store_line(line, result, y, ys);
  });
}

template <class T>
void average_pool_forward(const PoolingShape& shape, AverageDivisor divisor, const T* x,
                          const Strides4& xs, T* y, const Strides4& ys) {
  const PoolingShape s = without_dilation(shape);
  each_line(s, xs, ys, kNothingBefore, [&](const Line& line) {
    T sum[kLine] = {}, count[kLine];
    each_tap(s, line, xs,
             [&](std::int64_t, std::int64_t begin, std::int64_t end, std::int64_t at,
                 std::int64_t step) {
               const T* first = x + at;
               each_offset(begin, end, step,
                           [&](std::int64_t k, std::int64_t offset) { sum[k] += first[offset]; });
             });
    divisors(s, divisor, line, count);
    for (std::int64_t k = 0; k < line.size; ++k) sum[k] /= count[k];
    store_line(line, sum, y, ys);
  });
}

template <class T>
void average_pool_backward(const PoolingShape& shape, AverageDivisor divisor, const T* gy,
                           const Strides4& gy_strides, T* gx, const Strides4& gx_strides) {
  struct State {
    T g[kLine];
  };
  const PoolingShape s = without_dilation(shape);
  const auto prepare = [&](const Line& line) {
    State state;
    T count[kLine];
    load_line(line, gy, gy_strides, state.g);
    divisors(s, divisor, line, count);
    for (std::int64_t k = 0; k < line.size; ++k) state.g[k] /= count[k];
    return state;
  };
  spread(s, gy_strides, gx, gx_strides, prepare,
         [](const State& state, std::int64_t, std::int64_t k) { return state.g[k]; });
}

#define XTAPE_INSTANTIATE_INDEX(T, Index)                                                          \
  template XTAPE_API void max_pool_forward<T, Index>(const PoolingShape&, const T*,                \
                                                     const Strides4&, T*, const Strides4&, Index*, \
                                                     const Strides4&);                             \
  template XTAPE_API void max_pool_backward<T, Index>(const PoolingShape&, const T*,               \
                                                      const Strides4&, const Index*,               \
                                                      const Strides4&, T*, const Strides4&);       \
  template XTAPE_API void max_pool_gather<T, Index>(const PoolingShape&, const T*,                 \
                                                    const Strides4&, const Index*,                 \
                                                    const Strides4&, T*, const Strides4&);
#define XTAPE_INSTANTIATE(T)                                                                      \
  XTAPE_INSTANTIATE_INDEX(T, std::uint8_t)                                                        \
  XTAPE_INSTANTIATE_INDEX(T, std::int32_t)                                                        \
  template XTAPE_API void average_pool_forward<T>(const PoolingShape&, AverageDivisor, const T*,  \
                                                  const Strides4&, T*, const Strides4&);          \
  template XTAPE_API void average_pool_backward<T>(const PoolingShape&, AverageDivisor, const T*, \
                                                   const Strides4&, T*, const Strides4&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE
#undef XTAPE_INSTANTIATE_INDEX

}  // namespace xtape::kernels
