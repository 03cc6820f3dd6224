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

// A row is read for its sums in the pass that writes the row before: what waits for a distant cache
// and what computes go on side by side.

template <class T>
Lane<T> load_or(const T* x, std::int64_t i, const Part<T>& part, double otherwise) {
  return x ? part.load(x + i, T(0)) : Lane<T>(otherwise);
}

constexpr auto kNothingElse = [](std::int64_t, const auto&) {};

// Mean and 1 / deviation of a row; `write(i, part)` is called in the same pass. The mean of the
// first vector is taken off, which is at most sqrt(count / lanes) deviations away: little of the
// squares cancels.
template <class T, class F>
void measure_row(const NormRows& n, const T* x, T* mean, T* rstd, F&& write) {
  const std::int64_t first = std::min(n.count, Lane<T>::kSize);
  const T near =
      n.centred ? static_cast<T>(total(Part<T>{first}.load(x, T(0))) / static_cast<double>(first))
                : T(0);
  const Lane<T> shift = lane(near);
  const Sums sums = sum_pairs<T>(n.count, [&](auto i, auto part) {
    const Lane<T> d = part.load(x + i, near) - shift;
    write(i, part);
    return LanePair<T>{d, d * d};
  });
  const auto count = static_cast<double>(n.count);
  const double off = n.centred ? sums.first / count : 0.0;
  if (n.centred) *mean = static_cast<T>(static_cast<double>(near) + off);
  const double variance = std::max(sums.second / count - off * off, 0.0);
  *rstd = static_cast<T>(1 / std::sqrt(variance + n.eps));
}

template <class T>
void norm_some_rows(const NormRows& n, std::int64_t rows, const T* x, const T* weight,
                    const T* bias, T* y, T* mean, T* rstd) {
  const auto measure = [&](std::int64_t r, auto&& write) {
    measure_row(n, x + r * n.count, mean ? mean + r : nullptr, rstd + r, write);
  };
  measure(0, kNothingElse);
  for (std::int64_t r = 0; r < rows; ++r) {
    const Lane<T> middle = lane(mean ? mean[r] : T(0)), factor = lane(rstd[r]);
    const T* from = x + r * n.count;
    T* to = y + r * n.count;
    const auto write = [=](std::int64_t i, const Part<T>& part) {
      Lane<T> v = (part.load(from + i, T(0)) - middle) * factor;
      if (weight) v = v * part.load(weight + i, T(0));
      if (bias) v = v + part.load(bias + i, T(0));
      part.store(v, to + i);
    };
    r + 1 < rows ? measure(r + 1, write) : each_part<T>(n.count, write);
  }
}

template <class T>
void norm_rows_of(const NormRows& n, const T* x, const T* weight, const T* bias, T* y, T* mean,
                  T* rstd) {
  parallel_for(n.rows, rows_of_grain(n.count), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t at = begin * n.count;
    norm_some_rows(n, end - begin, x + at, weight, bias, y + at, mean ? mean + begin : nullptr,
                   rstd + begin);
  });
}

// Sums by column, of the gradients of weight and bias: a vector of the one, then one of the other,
// so that both go to one place and lie at other offsets in their pages than the rows do. A load
// waits for stores before it whose addresses agree in the last 12 bits.
std::int64_t size_of_sums(const NormRows& n, std::int64_t lanes) {
  return (n.count + lanes - 1) / lanes * lanes * 2;
}

// What some rows add to the gradients; dx and `columns` null where nobody wants them. With
// d = g weight and z = (x - mean) rstd: dx = rstd (d - mean of d - z mean of d z).
template <class T>
void gradient_of_rows(const NormRows& n, std::int64_t rows, const T* g, const T* x, const T* weight,
                      const T* mean, const T* rstd, T* dx, T* columns) {
  const auto centre = [&](std::int64_t r) { return mean ? mean[r] : T(0); };
  const auto measure = [&](std::int64_t r, auto&& write) {
    const T *gr = g + r * n.count, *xr = x + r * n.count;
    const T outside = centre(r);
    const Lane<T> middle = lane(outside);
    return sum_pairs<T>(n.count, [&](auto i, auto part) {
      const Lane<T> d = part.load(gr + i, T(0)) * load_or(weight, i, part, 1);
      const Lane<T> deviation = part.load(xr + i, outside) - middle;
      write(i, part);
      return LanePair<T>{d, d * deviation};
    });
  };
  Sums sums = dx ? measure(0, kNothingElse) : Sums{};
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto scale = static_cast<double>(rstd[r]), share = scale / static_cast<double>(n.count);
    const Lane<T> middle = lane(centre(r)), factor = lane(rstd[r]);
    const Lane<T> even(n.centred ? sums.first * share : 0.0);
    const Lane<T> along(sums.second * share * scale * scale);
    const T *gr = g + r * n.count, *xr = x + r * n.count;
    T* to = dx ? dx + r * n.count : nullptr;
    const auto write = [=](std::int64_t i, const Part<T>& part) {
      const Lane<T> d = part.load(gr + i, T(0)), scaled = d * factor;
      const Lane<T> deviation = part.load(xr + i, T(0)) - middle;
      if (to) part.store(scaled * load_or(weight, i, part, 1) - even - deviation * along, to + i);
      if (!columns) return;
      T *of_weight = columns + 2 * i, *of_bias = of_weight + Lane<T>::kSize;
      (Lane<T>::load(of_weight) + scaled * deviation).store(of_weight);
      (Lane<T>::load(of_bias) + d).store(of_bias);
    };
    if (dx && r + 1 < rows) {
      sums = measure(r + 1, write);
    } else {
      each_part<T>(n.count, write);
    }
  }
}

template <class T>
void join_columns(const NormRows& n, std::int64_t chunks, const T* columns, T* dweight, T* dbias) {
  constexpr std::int64_t W = Lane<T>::kSize;
  const std::int64_t size = size_of_sums(n, W);
  each_part<T>(n.count, [&](auto i, auto part) {
    LanePair<T> sums;
    for (std::int64_t c = 0; c < chunks; ++c) {
      const T* from = columns + c * size + 2 * i;
      sums.add({Lane<T>::load(from), Lane<T>::load(from + W)});
    }
    if (dweight) part.store(sums.first, dweight + i);
    if (dbias) part.store(sums.second, dbias + i);
  });
}

template <class T>
void norm_rows_backward_of(const NormRows& n, const T* g, const T* x, const T* weight,
                           const T* mean, const T* rstd, T* dx, T* dweight, T* dbias) {
  const std::int64_t grain =
      std::max(rows_of_grain(n.count), (n.rows + kMostChunks - 1) / kMostChunks);
  const bool sums = dweight || dbias;
  const std::int64_t chunks = sums ? (n.rows + grain - 1) / grain : 0;
  const std::int64_t size = size_of_sums(n, Lane<T>::kSize);
  const Scratch<T> columns(static_cast<std::size_t>(chunks * size));
  parallel_for(n.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    T* of_chunk = sums ? columns.data() + begin / grain * size : nullptr;
    if (sums) std::fill_n(of_chunk, size, T(0));
    const std::int64_t from = begin * n.count;
    gradient_of_rows(n, end - begin, g + from, x + from, weight, mean ? mean + begin : nullptr,
                     rstd + begin, dx ? dx + from : nullptr, of_chunk);
  });
  if (sums) join_columns(n, chunks, columns.data(), dweight, dbias);
}

// --- channels -----------------------------------------------------------------------------------

// Channels are runs of `inner` elements, or lie side by side (inner = 1): then one lane holds
// several. A maker takes `of`, which gives a channel's number or the lane's, and returns what is
// done to the elements at an offset.

// Numbers of one channel everywhere.
template <class T>
struct OfRun {
  std::int64_t channel;
  Lane<T> operator()(const T* values, T fill) const {
    return lane(values ? values[channel] : fill);
  }
  // What a load beyond the end of a run must read, to differ from the channel's number by nothing.
  T beyond_end(const T* values) const { return values[channel]; }
};

// Numbers of the channels from `channel` on.
template <class T>
struct OfColumns {
  std::int64_t channel;
  Part<T> part;
  Lane<T> operator()(const T* values, T fill) const {
    return values ? part.load(values + channel, fill) : lane(fill);
  }
  T beyond_end(const T*) const { return T(0); }  // these lanes are nobody's
};

// Two sums for each channel of what the maker's function gives, a LanePair.
template <class T, class Make>
void sum_runs(const NormChannels& n, Sums* sums, Make&& make) {
  parallel_for(n.channels, rows_of_grain(n.count()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      const auto f = make(OfRun<T>{c});
      for (std::int64_t o = 0; o < n.outer; ++o) {
        const std::int64_t at = (o * n.channels + c) * n.inner;
        const Sums run = sum_pairs<T>(n.inner, [&](auto i, auto part) { return f(part, at + i); });
        sums[c].first += run.first;
        sums[c].second += run.second;
      }
    }
  });
}

// Blocks of rows, each summed in T and joined in double; the same blocks for any number of threads.
template <class T, class Make>
void sum_columns(const NormChannels& n, Sums* sums, Make&& make) {
  constexpr std::int64_t kBlock = 64;  // rows summed in T
  const std::int64_t grain =
      std::max({rows_of_grain(n.channels), kBlock, (n.outer + kMostChunks - 1) / kMostChunks});
  const std::int64_t chunks = (n.outer + grain - 1) / grain;
  const Scratch<Sums> partial(static_cast<std::size_t>(chunks * n.channels));
  std::fill_n(partial.data(), chunks * n.channels, Sums{});
  parallel_for(n.outer, grain, [&](std::int64_t begin, std::int64_t end) {
    Sums* const of_chunk = partial.data() + begin / grain * n.channels;
    for (std::int64_t block = begin; block < end; block += kBlock) {
      const std::int64_t stop = std::min(block + kBlock, end);
      each_part<T>(n.channels, [&](auto c, auto part) {
        const auto f = make(OfColumns<T>{c, part});
        LanePair<T> a, b;
        std::int64_t r = block;
        for (; r + 2 <= stop; r += 2) {
          a.add(f(part, r * n.channels + c));
          b.add(f(part, (r + 1) * n.channels + c));
        }
        if (r < stop) a.add(f(part, r * n.channels + c));
        a.add(b);
        T lanes[2][Lane<T>::kSize];
        a.first.store(lanes[0]);
        a.second.store(lanes[1]);
        for (std::int64_t i = 0; i < part.count; ++i) {
          of_chunk[c + i].first += static_cast<double>(lanes[0][i]);
          of_chunk[c + i].second += static_cast<double>(lanes[1][i]);
        }
      });
    }
  });
  for (std::int64_t k = 0; k < chunks; ++k) {
    for (std::int64_t c = 0; c < n.channels; ++c) {
      sums[c].first += partial[static_cast<std::size_t>(k * n.channels + c)].first;
      sums[c].second += partial[static_cast<std::size_t>(k * n.channels + c)].second;
    }
  }
}

template <class T, class Make>
void sum_channels(const NormChannels& n, Sums* sums, Make&& make) {
  std::fill_n(sums, n.channels, Sums{});
  if (n.inner == 1) {
    sum_columns<T>(n, sums, make);
  } else {
    sum_runs<T>(n, sums, make);
  }
}

// The maker's function for all elements.
template <class T, class Make>
void each_of_channels(const NormChannels& n, Make&& make) {
  if (n.inner == 1) {
    parallel_for(n.outer, rows_of_grain(n.channels), [&](std::int64_t begin, std::int64_t end) {
      each_part<T>(n.channels, [&](auto c, auto part) {
        const auto f = make(OfColumns<T>{c, part});
        for (std::int64_t r = begin; r < end; ++r) f(part, r * n.channels + c);
      });
    });
    return;
  }
  parallel_for(n.outer * n.channels, rows_of_grain(n.inner),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t r = begin; r < end; ++r) {
                   const auto f = make(OfRun<T>{r % n.channels});
                   each_part<T>(n.inner, [&](auto i, auto part) { f(part, r * n.inner + i); });
                 }
               });
}

template <class T>
void statistics_of(const NormChannels& n, const T* x, T* mean, T* variance) {
  const auto channels = static_cast<std::size_t>(n.channels);
  const Scratch<Sums> sums(channels);
  const Scratch<T> samples(channels);
  for (std::size_t c = 0; c < channels; ++c) samples[c] = x[static_cast<std::int64_t>(c) * n.inner];
  sum_channels<T>(n, sums.data(), [&](const auto& of) {
    const Lane<T> sample = of(samples.data(), T(0));
    const T beyond = of.beyond_end(samples.data());
    return [=](const Part<T>& part, std::int64_t at) {
      const Lane<T> d = part.load(x + at, beyond) - sample;
      return LanePair<T>{d, d * d};
    };
  });
  const auto count = static_cast<double>(n.count());
  for (std::size_t c = 0; c < channels; ++c) {
    const double d = sums[c].first / count;
    mean[c] = static_cast<T>(static_cast<double>(samples[c]) + d);
    variance[c] = static_cast<T>(std::max(sums[c].second / count - d * d, 0.0));
  }
}

template <class T>
void norm_channels_of(const NormChannels& n, const T* x, const T* mean, const T* rstd,
                      const T* weight, const T* bias, T* y) {
  // x factor + shift would be one operation less, but loses what x - mean keeps.
  each_of_channels<T>(n, [&](const auto& of) {
    const Lane<T> m = of(mean, T(0)), factor = of(rstd, T(0)) * of(weight, T(1));
    const Lane<T> shift = of(bias, T(0));
    return [=](const Part<T>& part, std::int64_t at) {
      part.store((part.load(x + at, T(0)) - m) * factor + shift, y + at);
    };
  });
}

template <class T>
void norm_channels_backward_of(const NormChannels& n, bool fixed, const T* g, const T* x,
                               const T* mean, const T* rstd, const T* weight, T* sum_g, T* sum_gx,
                               T* dx) {
  const auto channels = static_cast<std::size_t>(n.channels);
  const Scratch<Sums> sums(channels);
  sum_channels<T>(n, sums.data(), [&](const auto& of) {
    const Lane<T> m = of(mean, T(0)), r = of(rstd, T(0));
    return [=](const Part<T>& part, std::int64_t at) {
      const Lane<T> d = part.load(g + at, T(0));
      return LanePair<T>{d, d * ((part.load(x + at, T(0)) - m) * r)};
    };
  });
  for (std::size_t c = 0; c < channels; ++c) {
    sum_g[c] = static_cast<T>(sums[c].first);
    sum_gx[c] = static_cast<T>(sums[c].second);
  }
  if (!dx) return;
  const double share = fixed ? 0.0 : 1 / static_cast<double>(n.count());
  each_of_channels<T>(n, [&](const auto& of) {
    const Lane<T> m = of(mean, T(0)), r = of(rstd, T(0)), factor = r * of(weight, T(1));
    const Lane<T> even = of(sum_g, T(0)) * share, along = of(sum_gx, T(0)) * share * r;
    return [=](const Part<T>& part, std::int64_t at) {
      const Lane<T> d = part.load(g + at, T(0)) - even - (part.load(x + at, T(0)) - m) * along;
      part.store(d * factor, dx + at);
    };
  });
}

}  // namespace

void norm_rows(const NormRows& n, const void* x, const void* weight, const void* bias, void* y,
               void* mean, void* rstd) {
  detail::dispatch_floating(n.dtype, [&]<class T>(detail::Type<T>) {
    norm_rows_of(n, static_cast<const T*>(x), static_cast<const T*>(weight),
                 static_cast<const T*>(bias), static_cast<T*>(y), static_cast<T*>(mean),
                 static_cast<T*>(rstd));
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
