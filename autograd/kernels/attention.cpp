// SPDX-License-Identifier: BSD-3-Clause
#include "attention.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "../memory.hpp"
#include "../parallel.hpp"
#include "gemm.hpp"
#include "philox.hpp"
#include "rows.hpp"

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

/// f(begin, part) over the first n of a row of scores. The row's last vector is taken whole, for
/// rows are kKeys long: what is beyond n reads as `fill` and may be written.
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
template <class T, class F>
void each_of_row(std::int64_t n, F&& f) {
  constexpr std::int64_t W = Lane<T>::kSize;
  static_assert(kKeys % W == 0);
  std::int64_t i = 0;
  for (; i + W <= n; i += W) f(i, Part<T>{});
  if (i < n) f(i, Whole<T>{n - i});
}

// One block of queries against blocks of keys.
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

  // Q K^T
  void multiply() const {
    gemm_alone(false, true, b_.queries, b_.keys, a_.width, T(1),
               static_cast<const T*>(at<T>(a_.q, b_.matrix, b_.query)), a_.q.step,
               static_cast<const T*>(at<T>(a_.k, b_.matrix, b_.key)), a_.k.step, T(0), scores_,
               kKeys);
  }
  // Row i times scale plus mask; returns the largest that is no NaN.
  T finish(std::int64_t i) const {
    constexpr std::int64_t W = Lane<T>::kSize;
    T* s = row(i);
    const T* mask = a_.mask.data ? at<T>(a_.mask, b_.matrix, b_.query + i) + b_.key : nullptr;
    const Lane<T> scale(a_.scale);
    const T beyond_end = a_.scale < 0 ? kInfinity<T> : -kInfinity<T>;  // -inf once scaled
    Lane<T> top[2] = {-static_cast<double>(kInfinity<T>), -static_cast<double>(kInfinity<T>)};
    const std::int64_t n = seen(i);
    each_of_row<T>(n, [&](auto j, auto part) {
      Lane<T> v = part.load(s + j, beyond_end) * scale;
      if (mask) v = v + Part<T>{std::min(W, n - j)}.load(mask + j, T(0));
      Lane<T>& t = top[j / W % 2];
      t = where(gt(v, t), v, t);
      part.store(v, s + j);
    });
    T lanes[W];
    where(gt(top[0], top[1]), top[0], top[1]).store(lanes);
    return *std::max_element(lanes, lanes + W);
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
  const Attention& a_;
  const Block& b_;
  T* scores_;
};

template <class T>
void scale_row(T* x, std::int64_t n, double factor) {
  const Lane<T> f(factor);
  each_part<T>(n, [&](auto i, auto part) { part.store(part.load(x + i, T(0)) * f, x + i); });
}

// A block of queries against all keys it sees: sums and maxima are corrected as new keys come.
template <class T>
class ForwardBlock {
 public:
  ForwardBlock(const Attention& a, const Matrices& y, T* log_sum, T* scores)
      : a_(a), y_(y), log_sum_(log_sum), scores_(scores) {}

  void run(std::int64_t matrix, std::int64_t query) {
    Block b{matrix, query, std::min(kQueries, a_.queries - query), 0, 0};
    const std::int64_t end = a_.causal ? std::min(a_.keys, query + b.queries) : a_.keys;
    std::fill_n(top_, b.queries, -kInfinity<T>);
    std::fill_n(sum_, b.queries, 0.0);
    for (std::int64_t i = 0; i < b.queries; ++i) {
      std::fill_n(at<T>(y_, matrix, query + i), a_.value_width, T(0));
    }
    for (b.key = 0; b.key < end; b.key += kKeys) {
      b.keys = std::min(kKeys, end - b.key);
      const Scores<T> scores(a_, b, scores_);
      scores.multiply();
      for (std::int64_t i = 0; i < b.queries; ++i) weigh(b, scores, i);
      gemm_alone(false, false, b.queries, a_.value_width, b.keys, T(1),
                 static_cast<const T*>(scores_), kKeys,
                 static_cast<const T*>(at<T>(a_.v, matrix, b.key)), a_.v.step, T(1),
                 at<T>(y_, matrix, query), y_.step);
    }
    for (std::int64_t i = 0; i < b.queries; ++i) {
      const bool sees = sum_[i] != 0;
      if (sees) scale_row(at<T>(y_, matrix, query + i), a_.value_width, 1 / sum_[i]);
      log_sum_[matrix * a_.queries + query + i] =
          sees ? top_[i] + static_cast<T>(std::log(sum_[i])) : kInfinity<T>;
    }
  }

 private:
  // Scores of query i become weights relative to the largest so far.
  void weigh(const Block& b, const Scores<T>& scores, std::int64_t i) {
    T* s = scores.row(i);
    const std::int64_t n = scores.seen(i);
    T top = std::max(top_[i], scores.finish(i));
    if (top == -kInfinity<T>) {
      if (std::none_of(s, s + n, [](T v) { return std::isnan(v); })) {
        std::fill_n(s, b.keys, T(0));
        return;
      }
      top = T(0);
    }
    const Lane<T> shift(static_cast<double>(top));
    Lane<T> sums[2] = {0.0, 0.0};
    each_of_row<T>(n, [&](auto j, auto part) {
      const Lane<T> e = exp(part.load(s + j, -kInfinity<T>) - shift);
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
  T* log_sum_;
  T* scores_;
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
  BackwardMatrix(const Attention& a, const Matrices& y, const Matrices& g, const T* log_sum,
                 const Gradients& d, T* scores)
      : a_(a), y_(y), g_(g), log_sum_(log_sum), d_(d), p_(scores), ds_(scores + kQueries * kKeys) {}

  void run(std::int64_t matrix) {
    const auto clear = [&](const Matrices& m, std::int64_t rows, std::int64_t width) {
      for (std::int64_t i = 0; i < rows; ++i) std::fill_n(at<T>(m, matrix, i), width, T(0));
    };
    clear(d_.q, a_.queries, a_.width);
    clear(d_.k, a_.keys, a_.width);
    clear(d_.v, a_.keys, a_.value_width);
    for (std::int64_t query = 0; query < a_.queries; query += kQueries) {
      Block b{matrix, query, std::min(kQueries, a_.queries - query), 0, 0};
      for (std::int64_t i = 0; i < b.queries; ++i) {
        const T *g = at<T>(g_, matrix, query + i), *y = at<T>(y_, matrix, query + i);
        along_[i] = sum_parts<T>(a_.value_width, [&](auto j, auto part) {
          return part.load(g + j, T(0)) * part.load(y + j, T(0));
        });
      }
      const std::int64_t end = a_.causal ? std::min(a_.keys, query + b.queries) : a_.keys;
      for (b.key = 0; b.key < end; b.key += kKeys) {
        b.keys = std::min(kKeys, end - b.key);
        add_block(b);
      }
    }
  }

 private:
  void add_block(const Block& b) {
    const Scores<T> scores(a_, b, p_), gradients(a_, b, ds_);
    const T* g = at<T>(g_, b.matrix, b.query);
    scores.multiply();
    gemm_alone(false, true, b.queries, b.keys, a_.value_width, T(1), g, g_.step,
               static_cast<const T*>(at<T>(a_.v, b.matrix, b.key)), a_.v.step, T(0), ds_, kKeys);
    for (std::int64_t i = 0; i < b.queries; ++i) gate(b, scores, gradients, i);
    const T *q = at<T>(a_.q, b.matrix, b.query), *k = at<T>(a_.k, b.matrix, b.key);
    const T *p = p_, *ds = ds_;
    gemm_alone(true, false, b.keys, a_.value_width, b.queries, T(1), p, kKeys, g, g_.step, T(1),
               at<T>(d_.v, b.matrix, b.key), d_.v.step);
    gemm_alone(false, false, b.queries, a_.width, b.keys, T(1), ds, kKeys, k, a_.k.step, T(1),
               at<T>(d_.q, b.matrix, b.query), d_.q.step);
    gemm_alone(true, false, b.keys, a_.width, b.queries, T(1), ds, kKeys, q, a_.q.step, T(1),
               at<T>(d_.k, b.matrix, b.key), d_.k.step);
  }

  // Scores become weights past dropout, gradients of those become gradients of the scores.
  void gate(const Block& b, const Scores<T>& scores, const Scores<T>& gradients, std::int64_t i) {
    T *s = scores.row(i), *d = gradients.row(i);
    const std::int64_t n = scores.seen(i);
    scores.finish(i);
    gradients.drop(i, d);
    const T log_sum = log_sum_[b.matrix * a_.queries + b.query + i];
    const Lane<T> shift(static_cast<double>(log_sum)), along(along_[i]), scale(a_.scale);
    each_of_row<T>(n, [&](auto j, auto part) {
      const Lane<T> p = exp(part.load(s + j, -kInfinity<T>) - shift);
      part.store(p, s + j);
      part.store(p * (part.load(d + j, T(0)) - along) * scale, d + j);
    });
    std::fill_n(s + n, b.keys - n, T(0));
    std::fill_n(d + n, b.keys - n, T(0));
    scores.drop(i, s);
  }

  const Attention& a_;
  const Matrices &y_, &g_;
  const T* log_sum_;
  const Gradients& d_;
  T *p_, *ds_;
  double along_[kQueries];
};

}  // namespace

void attention_forward(const Attention& a, const Matrices& y, void* log_sum) {
  const std::int64_t blocks = (a.queries + kQueries - 1) / kQueries;
  detail::dispatch_floating(a.dtype, [&]<class T>(detail::Type<T>) {
    detail::parallel_for(a.batch * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> scores(kQueries * kKeys);
      ForwardBlock<T> block(a, y, static_cast<T*>(log_sum), scores.data());
      for (std::int64_t t = begin; t < end; ++t) block.run(t / blocks, t % blocks * kQueries);
    });
  });
}

void attention_backward(const Attention& a, const Matrices& y, const Matrices& g,
                        const void* log_sum, const Matrices& dq, const Matrices& dk,
                        const Matrices& dv) {
  const Gradients d{dq, dk, dv};
  detail::dispatch_floating(a.dtype, [&]<class T>(detail::Type<T>) {
    detail::parallel_for(a.batch, 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch<T> scores(2 * kQueries * kKeys);
      BackwardMatrix<T> matrix(a, y, g, static_cast<const T*>(log_sum), d, scores.data());
      for (std::int64_t m = begin; m < end; ++m) matrix.run(m);
    });
  });
}

}  // namespace xtape::kernels
