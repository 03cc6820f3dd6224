// SPDX-License-Identifier: BSD-3-Clause
#include "norm.hpp"

#include <algorithm>
#include <cmath>

#include "../memory.hpp"
#include "../parallel.hpp"
#include "rows.hpp"

namespace xtape::kernels {
namespace {

using detail::parallel_for;
using detail::Scratch;

constexpr std::int64_t kGrain = 1 << 14;  // elements
constexpr std::int64_t kMostChunks = 64;  // partial sums of column gradients

std::int64_t rows_of_grain(std::int64_t row) {
  return std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(row, 1));
}

template <class T>
Lane<T> lane(T x) {
  return Lane<T>(static_cast<double>(x));
}

// --- rows ---------------------------------------------------------------------------------------

// The deviations are summed as such: no difference of large squares.
template <class T>
void norm_row(const NormRows& n, const T* x, const T* weight, const T* bias, T* y, T* mean,
              T* rstd) {
  const auto count = static_cast<double>(n.count);
  double centre = 0;
  if (n.centred) {
    centre =
        sum_parts<T>(n.count, [&](auto i, auto part) { return part.load(x + i, T(0)); }) / count;
    *mean = static_cast<T>(centre);
  }
  const T shift = static_cast<T>(centre);
  const Lane<T> middle = lane(shift);
  const double squares = sum_parts<T>(n.count, [&](auto i, auto part) {
    const Lane<T> d = part.load(x + i, shift) - middle;
    return d * d;
  });
  *rstd = static_cast<T>(1 / std::sqrt(squares / count + n.eps));
  const Lane<T> factor = lane(*rstd);
  each_part<T>(n.count, [&](auto i, auto part) {
    Lane<T> v = (part.load(x + i, T(0)) - middle) * factor;
    if (weight) v = v * part.load(weight + i, T(0));
    if (bias) v = v + part.load(bias + i, T(0));
    part.store(v, y + i);
  });
}

// With d = g weight and z = (x - mean) rstd: rstd (d - mean of d - z mean of d z).
template <class T>
void norm_row_gradient(const NormRows& n, const T* g, const T* x, const T* weight, T mean, T rstd,
                       T* dx) {
  const Lane<T> middle = lane(mean), factor = lane(rstd);
  const auto scaled = [&](std::int64_t i, const Part<T>& part) {
    const Lane<T> d = part.load(g + i, T(0));
    return weight ? d * part.load(weight + i, T(0)) : d;
  };
  const auto z = [&](std::int64_t i, const Part<T>& part) {
    return (part.load(x + i, mean) - middle) * factor;
  };
  const auto count = static_cast<double>(n.count);
  const double along =
      sum_parts<T>(n.count, [&](auto i, auto part) { return scaled(i, part) * z(i, part); }) /
      count;
  const double sum = !n.centred ? 0 : sum_parts<T>(n.count, [&](auto i, auto part) {
                                        return scaled(i, part);
                                      }) / count;
  const Lane<T> a(along), b(sum);
  each_part<T>(n.count, [&](auto i, auto part) {
    part.store((scaled(i, part) - b - z(i, part) * a) * factor, dx + i);
  });
}

template <class T>
void add_column_gradients(const NormRows& n, const T* g, const T* x, T mean, T rstd, T* dweight,
                          T* dbias) {
  const Lane<T> middle = lane(mean), factor = lane(rstd);
  each_part<T>(n.count, [&](auto i, auto part) {
    const Lane<T> d = part.load(g + i, T(0));
    if (dbias) part.store(part.load(dbias + i, T(0)) + d, dbias + i);
    if (!dweight) return;
    const Lane<T> z = (part.load(x + i, T(0)) - middle) * factor;
    part.store(part.load(dweight + i, T(0)) + d * z, dweight + i);
  });
}

// y[j] = sum of parts[i][j]
template <class T>
void join_parts(const T* parts, std::int64_t rows, std::int64_t count, T* y) {
  std::copy_n(parts, count, y);
  for (std::int64_t r = 1; r < rows; ++r) {
    each_part<T>(count, [&](auto i, auto part) {
      part.store(part.load(y + i, T(0)) + part.load(parts + r * count + i, T(0)), y + i);
    });
  }
}

template <class T>
void norm_rows_backward_of(const NormRows& n, const T* g, const T* x, const T* weight,
                           const T* mean, const T* rstd, T* dx, T* dweight, T* dbias) {
  const std::int64_t grain =
      std::max(rows_of_grain(n.count), (n.rows + kMostChunks - 1) / kMostChunks);
  const std::int64_t chunks = (n.rows + grain - 1) / grain;
  const auto partial = static_cast<std::size_t>(chunks * n.count);
  const Scratch<T> weights(dweight ? partial : 0), biases(dbias ? partial : 0);
  parallel_for(n.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t at = begin / grain * n.count;
    T* w = dweight ? weights.data() + at : nullptr;
    T* b = dbias ? biases.data() + at : nullptr;
    if (w) std::fill_n(w, n.count, T(0));
    if (b) std::fill_n(b, n.count, T(0));
    for (std::int64_t r = begin; r < end; ++r) {
      const T *gr = g + r * n.count, *xr = x + r * n.count;
      const T m = mean ? mean[r] : T(0);
      if (dx) norm_row_gradient(n, gr, xr, weight, m, rstd[r], dx + r * n.count);
      if (w || b) add_column_gradients(n, gr, xr, m, rstd[r], w, b);
    }
  });
  if (dweight) join_parts(weights.data(), chunks, n.count, dweight);
  if (dbias) join_parts(biases.data(), chunks, n.count, dbias);
}

// --- channels -----------------------------------------------------------------------------------

// Two sums for each channel of what f(channel, values of x, values of g) gives: F returns a pair of
// lanes.
template <class T>
struct Pair {
  Lane<T> first{0.0}, second{0.0};
};

// Channels that are runs of `inner` elements: f(channel, offset, part).
template <class T, class F>
void sum_runs(const NormChannels& n, double* first, double* second, F&& f) {
  parallel_for(n.channels, rows_of_grain(n.count()), [&](std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t kBlock = 64 * Lane<T>::kSize;
    for (std::int64_t c = begin; c < end; ++c) {
      double a = 0, b = 0;
      for (std::int64_t o = 0; o < n.outer; ++o) {
        const std::int64_t at = (o * n.channels + c) * n.inner;
        for (std::int64_t block = 0; block < n.inner; block += kBlock) {
          Pair<T> sums;
          each_part<T>(std::min(kBlock, n.inner - block), [&](auto i, auto part) {
            const Pair<T> v = f(part, at + block + i, c, false);
            sums.first = sums.first + v.first;
            sums.second = sums.second + v.second;
          });
          a += total(sums.first);
          b += total(sums.second);
        }
      }
      first[c] = a;
      second[c] = b;
    }
  });
}

// Channels side by side: blocks of rows, each summed in T and joined in double.
template <class T, class F>
void sum_columns(const NormChannels& n, double* first, double* second, F&& f) {
  constexpr std::int64_t kBlock = 64;  // rows summed in T
  const std::int64_t grain = std::max(std::max(rows_of_grain(n.channels), kBlock),
                                      (n.outer + kMostChunks - 1) / kMostChunks);
  const std::int64_t chunks = (n.outer + grain - 1) / grain;
  const Scratch<double> sums(static_cast<std::size_t>(chunks * n.channels * 2));
  parallel_for(n.outer, grain, [&](std::int64_t begin, std::int64_t end) {
    double* const a = sums.data() + begin / grain * n.channels * 2;
    double* const b = a + n.channels;
    std::fill_n(a, 2 * n.channels, 0.0);
    for (std::int64_t block = begin; block < end; block += kBlock) {
      const std::int64_t stop = std::min(block + kBlock, end);
      each_part<T>(n.channels, [&](auto c, auto part) {
        Pair<T> sum;
        for (std::int64_t r = block; r < stop; ++r) {
          const Pair<T> v = f(part, r * n.channels + c, c, true);
          sum.first = sum.first + v.first;
          sum.second = sum.second + v.second;
        }
        T lanes[2][Lane<T>::kSize];
        sum.first.store(lanes[0]);
        sum.second.store(lanes[1]);
        for (std::int64_t i = 0; i < part.count; ++i) {
          a[c + i] += static_cast<double>(lanes[0][i]);
          b[c + i] += static_cast<double>(lanes[1][i]);
        }
      });
    }
  });
  std::fill_n(first, n.channels, 0.0);
  std::fill_n(second, n.channels, 0.0);
  for (std::int64_t k = 0; k < chunks; ++k) {
    const double* const a = sums.data() + k * n.channels * 2;
    for (std::int64_t c = 0; c < n.channels; ++c) {
      first[c] += a[c];
      second[c] += a[n.channels + c];
    }
  }
}

// Numbers of a channel: one for a run of it, a lane of them where channels lie side by side.
template <class T>
Lane<T> of_channel(const Part<T>& part, const T* values, std::int64_t channel, bool columns,
                   T fill) {
  if (!values) return lane(fill);
  return columns ? part.load(values + channel, fill) : lane(values[channel]);
}

template <class T, class F>
void sum_channels(const NormChannels& n, double* first, double* second, F&& f) {
  if (n.inner == 1) {
    sum_columns<T>(n, first, second, f);
  } else {
    sum_runs<T>(n, first, second, f);
  }
}

// f(part, offset, channel, columns) for all elements.
template <class T, class F>
void each_of_channels(const NormChannels& n, F&& f) {
  if (n.inner == 1) {
    parallel_for(n.outer, rows_of_grain(n.channels), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        each_part<T>(n.channels, [&](auto c, auto part) { f(part, r * n.channels + c, c, true); });
      }
    });
    return;
  }
  parallel_for(
      n.outer * n.channels, rows_of_grain(n.inner), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r) {
          each_part<T>(n.inner,
                       [&](auto i, auto part) { f(part, r * n.inner + i, r % n.channels, false); });
        }
      });
}

template <class T>
void statistics_of(const NormChannels& n, const T* x, T* mean, T* variance) {
  const auto channels = static_cast<std::size_t>(n.channels);
  const Scratch<double> sums(channels), squares(channels);
  const Scratch<T> sample(channels);
  for (std::int64_t c = 0; c < n.channels; ++c) sample.data()[c] = x[c * n.inner];
  sum_channels<T>(n, sums.data(), squares.data(),
                  [&](const Part<T>& part, std::int64_t at, std::int64_t c, bool columns) {
                    // What is beyond the end of a run must count nothing.
                    const T fill = columns ? T(0) : sample.data()[c];
                    const Lane<T> d =
                        part.load(x + at, fill) - of_channel(part, sample.data(), c, columns, T(0));
                    return Pair<T>{d, d * d};
                  });
  const auto count = static_cast<double>(n.count());
  for (std::size_t c = 0; c < channels; ++c) {
    const double d = sums[c] / count;
    mean[c] = static_cast<T>(static_cast<double>(sample[c]) + d);
    variance[c] = static_cast<T>(std::max(squares[c] / count - d * d, 0.0));
  }
}

template <class T>
void norm_channels_of(const NormChannels& n, const T* x, const T* mean, const T* rstd,
                      const T* weight, const T* bias, T* y) {
  // x factor + shift would be one operation less, but loses what x - mean keeps.
  each_of_channels<T>(n, [&](const Part<T>& part, std::int64_t at, std::int64_t c, bool columns) {
    const auto of = [&](const T* v, T fill) { return of_channel(part, v, c, columns, fill); };
    part.store((part.load(x + at, T(0)) - of(mean, T(0))) * (of(rstd, T(0)) * of(weight, T(1))) +
                   of(bias, T(0)),
               y + at);
  });
}

template <class T>
void norm_channels_backward_of(const NormChannels& n, bool fixed, const T* g, const T* x,
                               const T* mean, const T* rstd, const T* weight, T* sum_g, T* sum_gx,
                               T* dx) {
  const auto channels = static_cast<std::size_t>(n.channels);
  const Scratch<double> first(channels), second(channels);
  const auto z = [&](const Part<T>& part, std::int64_t at, std::int64_t c, bool columns) {
    return (part.load(x + at, T(0)) - of_channel(part, mean, c, columns, T(0))) *
           of_channel(part, rstd, c, columns, T(0));
  };
  sum_channels<T>(n, first.data(), second.data(),
                  [&](const Part<T>& part, std::int64_t at, std::int64_t c, bool columns) {
                    const Lane<T> d = part.load(g + at, T(0));
                    return Pair<T>{d, d * z(part, at, c, columns)};
                  });
  for (std::size_t c = 0; c < channels; ++c) {
    sum_g[c] = static_cast<T>(first[c]);
    sum_gx[c] = static_cast<T>(second[c]);
  }
  if (!dx) return;
  const Lane<T> share(fixed ? 0.0 : 1 / static_cast<double>(n.count()));
  each_of_channels<T>(n, [&](const Part<T>& part, std::int64_t at, std::int64_t c, bool columns) {
    const auto of = [&](const T* v, T fill) { return of_channel(part, v, c, columns, fill); };
    Lane<T> d = part.load(g + at, T(0));
    if (!fixed) {
      d = d - of(sum_g, T(0)) * share - z(part, at, c, columns) * (of(sum_gx, T(0)) * share);
    }
    part.store(d * (of(rstd, T(0)) * of(weight, T(1))), dx + at);
  });
}

}  // namespace

void norm_rows(const NormRows& n, const void* x, const void* weight, const void* bias, void* y,
               void* mean, void* rstd) {
  detail::dispatch_floating(n.dtype, [&]<class T>(detail::Type<T>) {
    parallel_for(n.rows, rows_of_grain(n.count), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        norm_row(n, static_cast<const T*>(x) + r * n.count, static_cast<const T*>(weight),
                 static_cast<const T*>(bias), static_cast<T*>(y) + r * n.count,
                 mean ? static_cast<T*>(mean) + r : nullptr, static_cast<T*>(rstd) + r);
      }
    });
  });
}

void norm_rows_backward(const NormRows& n, const void* g, const void* x, const void* weight,
                        const void* mean, const void* rstd, void* dx, void* dweight, void* dbias) {
  detail::dispatch_floating(n.dtype, [&]<class T>(detail::Type<T>) {
    norm_rows_backward_of(n, static_cast<const T*>(g), static_cast<const T*>(x),
                          static_cast<const T*>(weight), static_cast<const T*>(mean),
                          static_cast<const T*>(rstd), static_cast<T*>(dx),
                          static_cast<T*>(dweight), static_cast<T*>(dbias));
  });
}

void channel_statistics(const NormChannels& n, const void* x, void* mean, void* variance) {
  detail::dispatch_floating(n.dtype, [&]<class T>(detail::Type<T>) {
    statistics_of(n, static_cast<const T*>(x), static_cast<T*>(mean), static_cast<T*>(variance));
  });
}

void norm_channels(const NormChannels& n, const void* x, const void* mean, const void* rstd,
                   const void* weight, const void* bias, void* y) {
  detail::dispatch_floating(n.dtype, [&]<class T>(detail::Type<T>) {
    norm_channels_of(n, static_cast<const T*>(x), static_cast<const T*>(mean),
                     static_cast<const T*>(rstd), static_cast<const T*>(weight),
                     static_cast<const T*>(bias), static_cast<T*>(y));
  });
}

void norm_channels_backward(const NormChannels& n, bool fixed, const void* g, const void* x,
                            const void* mean, const void* rstd, const void* weight, void* sum_g,
                            void* sum_gx, void* dx) {
  detail::dispatch_floating(n.dtype, [&]<class T>(detail::Type<T>) {
    norm_channels_backward_of(n, fixed, static_cast<const T*>(g), static_cast<const T*>(x),
                              static_cast<const T*>(mean), static_cast<const T*>(rstd),
                              static_cast<const T*>(weight), static_cast<T*>(sum_g),
                              static_cast<T*>(sum_gx), static_cast<T*>(dx));
  });
}

}  // namespace xtape::kernels
