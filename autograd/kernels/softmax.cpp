// SPDX-License-Identifier: BSD-3-Clause
#include "softmax.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../parallel.hpp"
#include "rows.hpp"

namespace xtape::kernels {
namespace {

constexpr std::int64_t kGrain = 1 << 13;  // elements; each costs an exponential

template <class T>
constexpr T kInfinity = std::numeric_limits<T>::infinity();

// The larger one, or a NaN. (The compiler thinks it too long to be inlined, and is wrong.)
template <class V>
[[gnu::always_inline]] inline V larger(const V& a, const V& b) {
  return where(logical_or(gt(b, a), logical_not(eq(b, b))), b, a);
}

template <class T>
T row_maximum(const T* x, std::int64_t n) {
  using V = Lane<T>;
  constexpr std::int64_t W = V::kSize;
  V a(-static_cast<double>(kInfinity<T>)), b = a, c = a, d = a;
  std::int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
    a = larger(a, V::load(x + i));
    b = larger(b, V::load(x + i + W));
    c = larger(c, V::load(x + i + 2 * W));
    d = larger(d, V::load(x + i + 3 * W));
  }
  a = larger(larger(a, b), larger(c, d));
  for (; i < n; i += W) {
    a = larger(a, Part<T>{std::min(W, n - i)}.load(x + i, -kInfinity<T>));
  }
  T lanes[W];
  a.store(lanes);
  T y = lanes[0];
  for (const T v : lanes) y = v > y || v != v ? v : y;
  return y;
}

template <class T>
void forward_row(const T* x, T* y, std::int64_t n, bool logarithm) {
  using V = Lane<T>;
  const V largest(static_cast<double>(row_maximum(x, n)));
  const double sum = sum_parts<T>(n, [&](std::int64_t i, Part<T> part) {
    const V e = exp(part.load(x + i, -kInfinity<T>) - largest);
    if (!logarithm) part.store(e, y + i);
    return e;
  });
  if (logarithm) {
    const V log_sum(std::log(sum));
    each_part<T>(n, [&](std::int64_t i, Part<T> part) {
      part.store(part.load(x + i, T(0)) - largest - log_sum, y + i);
    });
  } else {
    const V factor(1 / sum);
    each_part<T>(n, [&](std::int64_t i, Part<T> part) {
      part.store(part.load(y + i, T(0)) * factor, y + i);
    });
  }
}

template <class T>
void backward_row(const T* g, const T* y, T* gradient, std::int64_t n, bool logarithm) {
  using V = Lane<T>;
  const V sum(sum_parts<T>(n, [&](std::int64_t i, Part<T> part) {
    const V v = part.load(g + i, T(0));
    return logarithm ? v : v * part.load(y + i, T(0));
  }));
  each_part<T>(n, [&](std::int64_t i, Part<T> part) {
    const V a = part.load(g + i, T(0)), b = part.load(y + i, T(0));
    part.store(logarithm ? a - exp(b) * sum : b * (a - sum), gradient + i);
  });
}

constexpr int kVectors = 4;             // side by side
constexpr std::int64_t kShortRow = 32;  // rows up to it are taken as columns

// The same for some columns next to each other, `step` elements from row to row.
template <class T>
struct Columns {
  using V = Lane<T>;
  static constexpr std::int64_t W = V::kSize;
  static constexpr std::int64_t kMost = kVectors * W;
  std::int64_t n, step, width;
  int vectors;
  Part<T> last;

  Columns(std::int64_t count, std::int64_t row_step, std::int64_t columns)
      : n(count),
        step(row_step),
        width(columns),
        vectors(static_cast<int>((columns + W - 1) / W)),
        last{columns - (vectors - 1) * W} {}

  Part<T> part(int v) const { return v + 1 < vectors ? Part<T>() : last; }
  V load(const T* x, std::int64_t k, int v) const {
    return part(v).load(x + k * step + v * W, T(0));
  }
  void store(const V& a, T* y, std::int64_t k, int v) const {
    part(v).store(a, y + k * step + v * W);
  }
  // f(row, vector) for all rows, the vectors of a row one after the other.
  template <class F>
  void each(std::int64_t begin, F&& f) const {
    for (std::int64_t k = begin; k < n; ++k) {
      for (int v = 0; v < vectors; ++v) f(k, v);
    }
  }

  void maximum(const T* x, V* best) const {
    for (int v = 0; v < vectors; ++v) best[v] = load(x, 0, v);
    each(1, [&](std::int64_t k, int v) { best[v] = larger(best[v], load(x, k, v)); });
  }
  void log_sum_exp(const T* x, const V* largest, V* log_sum) const {
    for (int v = 0; v < vectors; ++v) log_sum[v] = 0.0;
    each(0,
         [&](std::int64_t k, int v) { log_sum[v] = log_sum[v] + exp(load(x, k, v) - largest[v]); });
    for (int v = 0; v < vectors; ++v) log_sum[v] = log(log_sum[v]);
  }
  void forward(const T* x, T* y, bool logarithm) const {
    V largest[kVectors], sum[kVectors];
    maximum(x, largest);
    if (logarithm) {
      log_sum_exp(x, largest, sum);
      return each(
          0, [&](std::int64_t k, int v) { store(load(x, k, v) - largest[v] - sum[v], y, k, v); });
    }
    for (int v = 0; v < vectors; ++v) sum[v] = 0.0;
    each(0, [&](std::int64_t k, int v) {
      const V e = exp(load(x, k, v) - largest[v]);
      store(e, y, k, v);
      sum[v] = sum[v] + e;
    });
    for (int v = 0; v < vectors; ++v) sum[v] = 1.0 / sum[v];
    each(0, [&](std::int64_t k, int v) { store(load(y, k, v) * sum[v], y, k, v); });
  }
  void backward(const T* g, const T* y, T* gradient, bool logarithm) const {
    V sum[kVectors];
    for (int v = 0; v < vectors; ++v) sum[v] = 0.0;
    each(0, [&](std::int64_t k, int v) {
      sum[v] = sum[v] + (logarithm ? load(g, k, v) : load(g, k, v) * load(y, k, v));
    });
    each(0, [&](std::int64_t k, int v) {
      const V a = load(g, k, v), b = load(y, k, v);
      store(logarithm ? a - exp(b) * sum[v] : b * (a - sum[v]), gradient, k, v);
    });
  }
};

// The memory of an operation: what is read and written slice by slice; null where there is none.
template <class T>
struct Operands {
  const T* in[2];
  T* out;

  Operands at(std::int64_t i) const {
    return {{in[0] + i, in[1] ? in[1] + i : nullptr}, out ? out + i : nullptr};
  }
};

// Short rows, several at a time, turned into columns and back.
template <class T, class Column>
void each_block(const Slices& s, const Operands<T>& all, Column&& column) {
  constexpr std::int64_t kRows = Columns<T>::kMost;
  const std::int64_t n = s.count;
  detail::parallel_for(
      (s.outer + kRows - 1) / kRows, std::max<std::int64_t>(1, kGrain / (kRows * n)),
      [&](std::int64_t begin, std::int64_t end) {
        T in[2][kShortRow * kRows], out[kShortRow * kRows];
        for (std::int64_t b = begin; b < end; ++b) {
          const std::int64_t first = b * kRows, rows = std::min(kRows, s.outer - first);
          for (int o = 0; o < 2 && all.in[o]; ++o) {
            const T* from = all.in[o] + first * n;
            for (std::int64_t k = 0; k < n; ++k) {
              for (std::int64_t r = 0; r < rows; ++r) in[o][k * kRows + r] = from[r * n + k];
            }
          }
          column(Columns<T>(n, kRows, rows), Operands<T>{{in[0], in[1]}, out}, first);
          T* to = all.out ? all.out + first * n : nullptr;
          for (std::int64_t k = 0; to && k < n; ++k) {
            for (std::int64_t r = 0; r < rows; ++r) to[r * n + k] = out[k * kRows + r];
          }
        }
      });
}

// row(operands, position) where the slices are rows, else column(Columns, operands, position) for
// several at a time; `position` counts in [outer, inner].
template <class T, class Row, class Column>
void each_slice(const Slices& s, const Operands<T>& all, Row&& row, Column&& column) {
  if (s.outer * s.inner == 0 || s.count == 0) return;
  if (s.inner == 1 && s.count <= kShortRow && s.outer >= 4) return each_block(s, all, column);
  if (s.inner == 1) {
    return detail::parallel_for(s.outer, std::max<std::int64_t>(1, kGrain / s.count),
                                [&](std::int64_t begin, std::int64_t end) {
                                  for (std::int64_t o = begin; o < end; ++o)
                                    row(all.at(o * s.count), o);
                                });
  }
  constexpr std::int64_t kMost = Columns<T>::kMost;
  const std::int64_t grids = (s.inner + kMost - 1) / kMost;
  detail::parallel_for(s.outer * grids, std::max<std::int64_t>(1, kGrain / (kMost * s.count)),
                       [&](std::int64_t begin, std::int64_t end) {
                         for (std::int64_t k = begin; k < end; ++k) {
                           const std::int64_t o = k / grids, j = (k - o * grids) * kMost;
                           column(Columns<T>(s.count, s.inner, std::min(kMost, s.inner - j)),
                                  all.at(o * s.count * s.inner + j), o * s.inner + j);
                         }
                       });
}

}  // namespace

void softmax(const Slices& s, DType dtype, bool logarithm, void* y, const void* x) {
  detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    each_slice(
        s, Operands<T>{{static_cast<const T*>(x), nullptr}, static_cast<T*>(y)},
        [&](const Operands<T>& o, std::int64_t) {
          forward_row(o.in[0], o.out, s.count, logarithm);
        },
        [&](const Columns<T>& columns, const Operands<T>& o, std::int64_t) {
          columns.forward(o.in[0], o.out, logarithm);
        });
  });
}

void softmax_backward(const Slices& s, DType dtype, bool logarithm, void* gradient, const void* g,
                      const void* y) {
  detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    each_slice(
        s,
        Operands<T>{{static_cast<const T*>(g), static_cast<const T*>(y)},
                    static_cast<T*>(gradient)},
        [&](const Operands<T>& o, std::int64_t) {
          backward_row(o.in[0], o.in[1], o.out, s.count, logarithm);
        },
        [&](const Columns<T>& columns, const Operands<T>& o, std::int64_t) {
          columns.backward(o.in[0], o.in[1], o.out, logarithm);
        });
  });
}

namespace {

// The parts of a position's loss: log sum e^(x - largest) + largest - target . x
template <class T>
T loss_of(const Labels& labels, std::int64_t position, const T* x, std::int64_t count,
          std::int64_t step, T largest, T log_sum) {
  const std::int64_t label = labels.label[position];
  if (label == labels.ignored) return T(0);
  const T at_label = largest - x[label * step];
  if (labels.smoothing == 0) return at_label + log_sum;
  double mean = 0;
  for (std::int64_t k = 0; k < count; ++k) mean += static_cast<double>(largest - x[k * step]);
  mean /= static_cast<double>(count);
  return static_cast<T>((1 - labels.smoothing) * static_cast<double>(at_label) +
                        labels.smoothing * mean) +
         log_sum;
}

template <class T>
void gradient_row(const Labels& labels, std::int64_t position, const T* x, T* gradient,
                  std::int64_t n, T g, T largest, T log_sum) {
  using V = Lane<T>;
  const std::int64_t label = labels.label[position];
  if (label == labels.ignored) {
    std::fill_n(gradient, n, T(0));
    return;
  }
  const V factor(static_cast<double>(g)), top(static_cast<double>(largest));
  const V sum(static_cast<double>(log_sum));
  const double even = labels.smoothing / static_cast<double>(n);
  each_part<T>(n, [&](std::int64_t i, Part<T> part) {
    part.store((exp(part.load(x + i, T(0)) - top - sum) - even) * factor, gradient + i);
  });
  gradient[label] -= static_cast<T>(1 - labels.smoothing) * g;
}

template <class T>
void gradient_columns(const Columns<T>& columns, const Labels& labels, std::int64_t position,
                      const T* x, T* gradient, const T* g, const T* largest, const T* log_sum) {
  using V = Lane<T>;
  constexpr std::int64_t W = V::kSize;
  T factors[Columns<T>::kMost] = {};
  for (std::int64_t j = 0; j < columns.width; ++j) {
    if (labels.label[position + j] != labels.ignored) factors[j] = g[j];
  }
  V factor[kVectors], top[kVectors], sum[kVectors];
  for (int v = 0; v < columns.vectors; ++v) {
    factor[v] = V::load(factors + v * W);
    top[v] = columns.part(v).load(largest + v * W, T(0));
    sum[v] = columns.part(v).load(log_sum + v * W, T(0));
  }
  const V zero(0.0);
  const double even = labels.smoothing / static_cast<double>(columns.n);
  columns.each(0, [&](std::int64_t k, int v) {
    const V a = (exp(columns.load(x, k, v) - top[v] - sum[v]) - even) * factor[v];
    columns.store(where(eq(factor[v], zero), zero, a), gradient, k, v);
  });
  for (std::int64_t j = 0; j < columns.width; ++j) {
    const std::int64_t label = labels.label[position + j];
    if (label == labels.ignored) continue;
    gradient[label * columns.step + j] -= static_cast<T>(1 - labels.smoothing) * g[j];
  }
}

}  // namespace

void cross_entropy(const Slices& s, DType dtype, const Labels& labels, void* losses, void* largest,
                   void* log_sum, const void* x) {
  detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    using V = Lane<T>;
    auto* loss = static_cast<T*>(losses);
    auto* top = static_cast<T*>(largest);
    auto* sum = static_cast<T*>(log_sum);
    each_slice(
        s, Operands<T>{{static_cast<const T*>(x), nullptr}, nullptr},
        [&](const Operands<T>& o, std::int64_t p) {
          const T* row = o.in[0];
          top[p] = row_maximum(row, s.count);
          const V shift(static_cast<double>(top[p]));
          sum[p] = static_cast<T>(std::log(sum_parts<T>(s.count, [&](std::int64_t k, Part<T> part) {
            return exp(part.load(row + k, -kInfinity<T>) - shift);
          })));
          loss[p] = loss_of(labels, p, row, s.count, 1, top[p], sum[p]);
        },
        [&](const Columns<T>& columns, const Operands<T>& o, std::int64_t p) {
          V shift[kVectors], sums[kVectors];
          columns.maximum(o.in[0], shift);
          columns.log_sum_exp(o.in[0], shift, sums);
          for (int v = 0; v < columns.vectors; ++v) {
            columns.part(v).store(shift[v], top + p + v * V::kSize);
            columns.part(v).store(sums[v], sum + p + v * V::kSize);
          }
          for (std::int64_t j = 0; j < columns.width; ++j) {
            loss[p + j] =
                loss_of(labels, p + j, o.in[0] + j, s.count, columns.step, top[p + j], sum[p + j]);
          }
        });
  });
}

void cross_entropy_backward(const Slices& s, DType dtype, const Labels& labels, void* gradient,
                            const void* g, const void* largest, const void* log_sum,
                            const void* x) {
  detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    const auto* factor = static_cast<const T*>(g);
    const auto* top = static_cast<const T*>(largest);
    const auto* sum = static_cast<const T*>(log_sum);
    each_slice(
        s, Operands<T>{{static_cast<const T*>(x), nullptr}, static_cast<T*>(gradient)},
        [&](const Operands<T>& o, std::int64_t p) {
          gradient_row(labels, p, o.in[0], o.out, s.count, factor[p], top[p], sum[p]);
        },
        [&](const Columns<T>& columns, const Operands<T>& o, std::int64_t p) {
          gradient_columns(columns, labels, p, o.in[0], o.out, factor + p, top + p, sum + p);
        });
  });
}

}  // namespace xtape::kernels
