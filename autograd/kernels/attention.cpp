// SPDX-License-Identifier: BSD-3-Clause
#include "attention.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "../memory.hpp"
#include "../parallel.hpp"
#include "block_product.hpp"
#include "philox.hpp"
#include "rows.hpp"
#include "transpose.hpp"

namespace xtape::kernels {
namespace {

using detail::Scratch;

// Scores of a block stay in the second-level cache; both are multiples of a block of random
// numbers.
constexpr std::int64_t kQueries = 64, kKeys = 128;

template <class T>
constexpr T kInfinity = std::numeric_limits<T>::infinity();

template <class T>
T* at(const Matrices& m, std::int64_t matrix, std::int64_t row) {
  return static_cast<T*>(m.data) + m.offsets[matrix] + row * m.step;
}

// A matrix's rows lie far apart in memory: those of the one that this thread takes next are asked
// for while the present one's scores are weighed, a row at a time.
template <class T>
void fetch_row(const Matrices& m, std::int64_t matrix, std::int64_t row, std::int64_t width) {
  constexpr std::int64_t kLine = 64 / sizeof(T);
  const T* x = at<T>(m, matrix, row);
  for (std::int64_t j = 0; j < width; j += kLine) __builtin_prefetch(x + j);
}
template <class T>
void fetch_row_of_inputs(const Attention& a, std::int64_t matrix, std::int64_t row) {
  fetch_row<T>(a.q, matrix, row, a.width);
  if (row >= a.keys) return;
  fetch_row<T>(a.k, matrix, row, a.width);
  fetch_row<T>(a.v, matrix, row, a.value_width);
}

// The last vector of a row of scores, taken whole, for rows are kKeys long: what is beyond the
// first `count` reads as `fill` and may be written.
template <class T>
struct Whole {
  std::int64_t count;

  Lane<T> load(const T* x, T fill) const {
    alignas(64) static constexpr auto kCounted = [] {
      std::array<T, static_cast<std::size_t>(Lane<T>::kSize)> counted{};
      for (std::size_t i = 0; i < counted.size(); ++i) counted[i] = static_cast<T>(i);
      return counted;
    }();
    const Lane<T> inside(static_cast<double>(count)), beyond(static_cast<double>(fill));
    return where(lt(Lane<T>::load(kCounted.data()), inside), Lane<T>::load(x), beyond);
  }
  void store(const Lane<T>& v, T* y) const { v.store(y); }
};
// f(begin, part) over the first n of a row of scores.
template <class T, class F>
void each_of_row(std::int64_t n, F&& f) {
  constexpr std::int64_t W = Lane<T>::kSize;
  static_assert(kKeys % W == 0);
  std::int64_t i = 0;
  for (; i + W <= n; i += W) f(i, Part<T>{});
  if (i < n) f(i, Whole<T>{n - i});
}

// y, whose rows are kKeys apart, = factor x^T; zeros follow up to a whole vector of rows. All rows
// of a square are asked for at once, since they come from far away.
template <class T>
void transpose_rows(const T* x, std::int64_t step, std::int64_t rows, std::int64_t columns,
                    double factor, T* y) {
  constexpr std::int64_t W = Lane<T>::kSize;
  const Lane<T> f(factor);
  for (std::int64_t i = 0; i < rows; i += W) {
    for (std::int64_t j = 0; j < columns; j += W) {
      const Part<T> part{std::min(W, columns - j)};
      Square<T> square;
      const std::int64_t count = std::min(W, rows - i);
#pragma GCC unroll 16
      for (std::int64_t k = 0; k < W; ++k) {
        if (k < count) square.rows[k] = (part.load(x + (i + k) * step + j, T(0)) * f).batch;
      }
      square.transpose();
#pragma GCC unroll 16
      for (std::int64_t k = 0; k < W; ++k) {
        if (k < part.count) Lane<T>(square.rows[k]).store(y + (j + k) * kKeys + i);
      }
    }
  }
}

// The weight of a query's score is exp(score - top) share.
template <class T>
struct Norm {
  T top, share;
};

// One block of queries against one of keys.
struct Block {
  std::int64_t matrix, query, queries, key, keys;
};

template <class T>
class Scores {
 public:
  Scores(const Attention& a, const Block& b, T* scores) : a_(a), b_(b), scores_(scores) {}

  T* row(std::int64_t i) const { return scores_ + i * kKeys; }
  // Keys of the block that query i sees.
  std::int64_t seen(std::int64_t i) const {
    return a_.causal ? std::clamp<std::int64_t>(b_.query + i - b_.key + 1, 0, b_.keys) : b_.keys;
  }
  // The first query of the block that sees key j.
  std::int64_t first_to_see(std::int64_t j) const {
    return a_.causal ? std::clamp<std::int64_t>(b_.key + j - b_.query, 0, b_.queries) : 0;
  }

  // rows columns^T where a query sees the key, given rows of queries and the transposed ones of
  // keys, both `width` long.
  void multiply(const T* rows, std::int64_t step, const T* columns, std::int64_t width) const {
    multiply_block<T>({rows, step, 1, columns, kKeys, scores_, kKeys, false}, b_.queries,
                      [&](std::int64_t, std::int64_t last) {
                        return Reach{0, width, whole_vectors(seen(last))};
                      });
  }
  // y [queries, width] = scores x or more by that, x [keys, width].
  void by_query(const T* x, std::int64_t step, T* y, std::int64_t y_step, std::int64_t width,
                bool adds) const {
    multiply_block<T>({scores_, kKeys, 1, x, step, y, y_step, adds}, b_.queries,
                      [&](std::int64_t, std::int64_t last) {
                        return Reach{0, seen(last), width};
                      });
  }
  // y [keys, width] = scores^T x or more by that, x [queries, width].
  void by_key(const T* x, std::int64_t step, T* y, std::int64_t y_step, std::int64_t width,
              bool adds) const {
    multiply_block<T>({scores_, 1, kKeys, x, step, y, y_step, adds}, b_.keys,
                      [&](std::int64_t first, std::int64_t) {
                        return Reach{first_to_see(first), b_.queries, width};
                      });
  }
  // f(begin, part, scores) over those of query i that count, the mask added.
  template <class F>
  void each(std::int64_t i, F&& f) const {
    const T* s = row(i);
    const T* mask = a_.mask.data ? at<T>(a_.mask, b_.matrix, b_.query + i) + b_.key : nullptr;
    const std::int64_t n = seen(i);
    each_of_row<T>(n, [&](auto j, auto part) {
      Lane<T> v = part.load(s + j, -kInfinity<T>);
      if (mask) v = v + Part<T>{std::min(Lane<T>::kSize, n - j)}.load(mask + j, T(0));
      f(j, part, v);
    });
  }
  // The largest of query i that is no NaN.
  T top(std::int64_t i) const {
    constexpr std::int64_t W = Lane<T>::kSize;
    Lane<T> top[2] = {-static_cast<double>(kInfinity<T>), -static_cast<double>(kInfinity<T>)};
    each(i, [&](auto j, auto, const Lane<T>& v) {
      Lane<T>& t = top[j / W % 2];
      t = where(gt(v, t), v, t);
    });
    T lanes[W];
    where(gt(top[0], top[1]), top[0], top[1]).store(lanes);
    return *std::max_element(lanes, lanes + W);
  }
  bool has_nan(std::int64_t i) const {
    bool found = false;
    each(i, [&](auto, auto, const Lane<T>& v) { found = found || any(ne(v, v)); });
    return found;
  }
  // Row i of what dropout keeps, scaled; in place.
  void drop(std::int64_t i, T* values) const {
    if (a_.keep == 1) return;
    Generator from = a_.random;
    const std::int64_t query = b_.matrix * a_.queries + b_.query + i;
    from.position += static_cast<std::uint64_t>(query * a_.mask_blocks() + b_.key / 4);
    keep_scaled(from, values, values, b_.keys, a_.keep, 1 / a_.keep);
  }

 private:
  static std::int64_t whole_vectors(std::int64_t count) {
    return (count + Lane<T>::kSize - 1) / Lane<T>::kSize * Lane<T>::kSize;
  }

  const Attention& a_;
  const Block& b_;
  T* scores_;
};

template <class T>
void clear_rows(const Matrices& m, std::int64_t matrix, std::int64_t row, std::int64_t rows,
                std::int64_t width) {
  for (std::int64_t i = row; i < row + rows; ++i) std::fill_n(at<T>(m, matrix, i), width, T(0));
}

template <class T>
void scale_row(T* x, std::int64_t n, double factor) {
  const Lane<T> f(factor);
  each_part<T>(n, [&](auto i, auto part) { part.store(part.load(x + i, T(0)) * f, x + i); });
}

// A block of queries against all keys it sees: sums and maxima are corrected as new keys come.
template <class T>
class ForwardBlock {
 public:
  ForwardBlock(const Attention& a, const Matrices& y, Norm<T>* norms, T* scratch)
      : a_(a), y_(y), norms_(norms), scores_(scratch), keys_(scratch + kQueries * kKeys) {}
  static std::int64_t scratch_size(const Attention& a) { return (kQueries + a.width) * kKeys; }

  void run(std::int64_t matrix, std::int64_t query) {
    Block b{matrix, query, std::min(kQueries, a_.queries - query), 0, 0};
    const std::int64_t end = a_.causal ? std::min(a_.keys, query + b.queries) : a_.keys;
    std::fill_n(top_, b.queries, -kInfinity<T>);
    std::fill_n(sum_, b.queries, 0.0);
    if (end == 0) clear_rows<T>(y_, matrix, query, b.queries, a_.value_width);
    for (b.key = 0; b.key < end; b.key += kKeys) {
      b.keys = std::min(kKeys, end - b.key);
      const Scores<T> scores(a_, b, scores_);
      transpose_rows(at<T>(a_.k, matrix, b.key), a_.k.step, b.keys, a_.width, a_.scale, keys_);
      scores.multiply(at<T>(a_.q, matrix, query), a_.q.step, keys_, a_.width);
      for (std::int64_t i = 0; i < b.queries; ++i) weigh(b, scores, i);
      scores.by_query(at<T>(a_.v, matrix, b.key), a_.v.step, at<T>(y_, matrix, query), y_.step,
                      a_.value_width, b.key > 0);
    }
    for (std::int64_t i = 0; i < b.queries; ++i) {
      Norm<T>& norm = norms_[matrix * a_.queries + query + i];
      norm = {kInfinity<T>, T(0)};
      if (sum_[i] == 0) continue;
      norm = {top_[i], static_cast<T>(1 / sum_[i])};
      scale_row(at<T>(y_, matrix, query + i), a_.value_width, 1 / sum_[i]);
    }
  }

 private:
  // Scores of query i become weights relative to the largest so far.
  void weigh(const Block& b, const Scores<T>& scores, std::int64_t i) {
    T* s = scores.row(i);
    const std::int64_t n = scores.seen(i);
    const std::int64_t next = b.matrix + 1;
    if (b.key == 0 && next < a_.batch) fetch_row_of_inputs<T>(a_, next, b.query + i);
    T top = std::max(top_[i], scores.top(i));
    if (top == -kInfinity<T>) {
      if (!scores.has_nan(i)) {
        std::fill_n(s, b.keys, T(0));
        return;
      }
      top = T(0);
    }
    const Lane<T> shift(static_cast<double>(top));
    Lane<T> sums[2] = {0.0, 0.0};
    scores.each(i, [&](auto j, auto part, const Lane<T>& v) {
      const Lane<T> e = exp(v - shift);
      part.store(e, s + j);
      sums[j / Lane<T>::kSize % 2] = sums[j / Lane<T>::kSize % 2] + e;
    });
    const double sum = total(sums[0] + sums[1]);
    std::fill_n(s + n, b.keys - n, T(0));
    if (top != top_[i] && sum_[i] != 0) {
      const double factor = std::exp(static_cast<double>(top_[i]) - static_cast<double>(top));
      scale_row(at<T>(y_, b.matrix, b.query + i), a_.value_width, factor);
      sum_[i] *= factor;
    }
    sum_[i] += sum;
    top_[i] = top;
    scores.drop(i, s);
  }

  const Attention& a_;
  const Matrices& y_;
  Norm<T>* norms_;
  T *scores_, *keys_;  // a block of them, the keys transposed
  T top_[kQueries];
  double sum_[kQueries];
};

struct Gradients {
  Matrices q, k, v;
};

// One matrix of the batch. With weights p, what dropout makes of them p', and D the sum of g y:
// dv = p'^T g, ds = p (g v^T past dropout - D), dq = scale ds k, dk = scale ds^T q.
template <class T>
class BackwardMatrix {
 public:
  BackwardMatrix(const Attention& a, const Matrices& y, const Matrices& g, const Norm<T>* norms,
                 const Gradients& d)
      : a_(a),
        y_(y),
        g_(g),
        norms_(norms),
        d_(d),
        scratch_(size(2 * kQueries + a.width + a.value_width)),
        along_(static_cast<std::size_t>(a.queries)),
        p_(scratch_.data()),
        ds_(p_ + kQueries * kKeys),
        keys_(ds_ + kQueries * kKeys),
        values_(keys_ + a.width * kKeys) {}

  void run(std::int64_t matrix) {
    for (std::int64_t i = 0; i < a_.queries; ++i) {
      const T *g = at<T>(g_, matrix, i), *y = at<T>(y_, matrix, i);
      along_[static_cast<std::size_t>(i)] = sum_parts<T>(a_.value_width, [&](auto j, auto part) {
        return part.load(g + j, T(0)) * part.load(y + j, T(0));
      });
    }
    if (a_.keys == 0) clear_rows<T>(d_.q, matrix, 0, a_.queries, a_.width);
    for (std::int64_t key = 0; key < a_.keys; key += kKeys) {
      add_keys({matrix, 0, 0, key, std::min(kKeys, a_.keys - key)});
    }
  }

 private:
  static std::size_t size(std::int64_t rows) { return static_cast<std::size_t>(rows * kKeys); }

  // A block of keys against all queries that see some of them.
  void add_keys(Block b) {
    static_assert(kKeys % kQueries == 0);
    transpose_rows(at<T>(a_.k, b.matrix, b.key), a_.k.step, b.keys, a_.width, a_.scale, keys_);
    transpose_rows(at<T>(a_.v, b.matrix, b.key), a_.v.step, b.keys, a_.value_width, 1, values_);
    const std::int64_t first = a_.causal ? b.key : 0;
    for (b.query = first; b.query < a_.queries; b.query += kQueries) {
      b.queries = std::min(kQueries, a_.queries - b.query);
      add_block(b, b.query > first);
    }
    if (first < a_.queries) return;
    clear_rows<T>(d_.k, b.matrix, b.key, b.keys, a_.width);
    clear_rows<T>(d_.v, b.matrix, b.key, b.keys, a_.value_width);
  }

  // What was `added_before` stands in the gradients of the block's keys.
  void add_block(const Block& b, bool added_before) {
    const Scores<T> scores(a_, b, p_), gradients(a_, b, ds_);
    const T *q = at<T>(a_.q, b.matrix, b.query), *g = at<T>(g_, b.matrix, b.query);
    scores.multiply(q, a_.q.step, keys_, a_.width);
    gradients.multiply(g, g_.step, values_, a_.value_width);
    for (std::int64_t i = 0; i < b.queries; ++i) gate(b, scores, gradients, i);
    scores.by_key(g, g_.step, at<T>(d_.v, b.matrix, b.key), d_.v.step, a_.value_width,
                  added_before);
    gradients.by_query(at<T>(a_.k, b.matrix, b.key), a_.k.step, at<T>(d_.q, b.matrix, b.query),
                       d_.q.step, a_.width, b.key > 0);
    gradients.by_key(q, a_.q.step, at<T>(d_.k, b.matrix, b.key), d_.k.step, a_.width, added_before);
  }

  // Scores become weights past dropout, gradients of those become gradients of the scores.
  void gate(const Block& b, const Scores<T>& scores, const Scores<T>& gradients, std::int64_t i) {
    T *s = scores.row(i), *d = gradients.row(i);
    const std::int64_t n = scores.seen(i);
    const std::int64_t next = b.matrix + 1;
    if (b.key == 0 && next < a_.batch) {
      fetch_row_of_inputs<T>(a_, next, b.query + i);
      fetch_row<T>(g_, next, b.query + i, a_.value_width);
      fetch_row<T>(y_, next, b.query + i, a_.value_width);
    }
    gradients.drop(i, d);
    const Norm<T>& norm = norms_[b.matrix * a_.queries + b.query + i];
    const Lane<T> top(static_cast<double>(norm.top)), share(static_cast<double>(norm.share));
    const Lane<T> scale(a_.scale);
    const Lane<T> along(along_[static_cast<std::size_t>(b.query + i)]);
    scores.each(i, [&](auto j, auto part, const Lane<T>& v) {
      const Lane<T> p = exp(v - top) * share;
      part.store(p, s + j);
      part.store(p * (part.load(d + j, T(0)) - along) * scale, d + j);
    });
    std::fill_n(s + n, b.keys - n, T(0));
    std::fill_n(d + n, b.keys - n, T(0));
    scores.drop(i, s);
  }

  const Attention& a_;
  const Matrices &y_, &g_;
  const Norm<T>* norms_;
  const Gradients& d_;
  const Scratch<T> scratch_;
  const Scratch<double> along_;
  T *p_, *ds_, *keys_, *values_;  // of a block; keys and values transposed
};

}  // namespace

void attention_forward(const Attention& a, const Matrices& y, void* norms) {
  const std::int64_t blocks = (a.queries + kQueries - 1) / kQueries;
  detail::dispatch_floating(a.dtype, [&]<class T>(detail::Type<T>) {
    detail::parallel_for(a.batch * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> scratch(static_cast<std::size_t>(ForwardBlock<T>::scratch_size(a)));
      ForwardBlock<T> block(a, y, static_cast<Norm<T>*>(norms), scratch.data());
      for (std::int64_t t = begin; t < end; ++t) block.run(t / blocks, t % blocks * kQueries);
    });
  });
}

void attention_backward(const Attention& a, const Matrices& y, const Matrices& g, const void* norms,
                        const Matrices& dq, const Matrices& dk, const Matrices& dv) {
  const Gradients d{dq, dk, dv};
  detail::dispatch_floating(a.dtype, [&]<class T>(detail::Type<T>) {
    detail::parallel_for(a.batch, 1, [&](std::int64_t begin, std::int64_t end) {
      BackwardMatrix<T> matrix(a, y, g, static_cast<const Norm<T>*>(norms), d);
      for (std::int64_t m = begin; m < end; ++m) matrix.run(m);
    });
  });
}

}  // namespace xtape::kernels
