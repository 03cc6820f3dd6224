// SPDX-License-Identifier: BSD-3-Clause
#include "reduce.hpp"

#include <array>
#include <cmath>
#include <type_traits>

#include "lane.hpp"
#include "reduce_loop.hpp"

namespace xtape::kernels {
namespace {

// What is summed, of an element and a number that belongs to its sum.
struct Identity {
  template <class V>
  V operator()(const V& x, const V&) const {
    return x;
  }
};
struct Square {
  template <class V>
  V operator()(const V& x, const V&) const {
    return x * x;
  }
};
struct Difference {
  template <class V>
  V operator()(const V& x, const V& c) const {
    return x - c;
  }
};
struct SquaredDifference {
  template <class V>
  V operator()(const V& x, const V& c) const {
    const V d = x - c;
    return d * d;
  }
};
struct ExpDifference {
  template <class V>
  V operator()(const V& x, const V& c) const {
    using std::exp;
    return exp(x - c);
  }
};

// What becomes of a finished sum.
struct Divide {
  double by = 1;
  double operator()(double a) const { return by == 1 ? a : a / by; }
};
struct Root {
  double by = 1;
  double operator()(double a) const { return std::sqrt(by == 1 ? a : a / by); }
};
struct Logarithm {
  double operator()(double a) const { return std::log(a); }
};

// Sums of floating numbers: short float sums in several lanes, joined in double.
template <class T, class Map, class End = Divide>
struct FloatingSum {
  using Source = T;
  using Accumulator = double;
  using Result = T;
  using V = Lane<T>;
  static constexpr std::int64_t W = V::kSize;
  static constexpr std::int64_t kBlock = 32 * 4 * W;  // elements between joins

  static constexpr std::int64_t kGroup = 32;  // rows of columns between joins

  End ending{};

  static double start() noexcept { return 0; }
  static double join(double a, double b) noexcept { return a + b; }
  static double repeat(double a, std::int64_t n) noexcept {
    return n == 1 ? a : a * static_cast<double>(n);
  }
  T finish(double a) const noexcept { return static_cast<T>(ending(a)); }

  static double total(const V& v) noexcept {
    T lanes[W];
    v.store(lanes);
    for (std::int64_t half = W / 2; half > 0; half /= 2) {
      for (std::int64_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    }
    return static_cast<double>(lanes[0]);
  }

  // What the last `count` elements before `end`, less than a vector, add to its lanes; the vector
  // begins before them.
  static V last_addends(const T* end, std::int64_t count, const V& c) {
    static constexpr auto kUsed = [] {
      std::array<T, 2 * W> used{};
      std::fill(used.begin() + W, used.end(), T(1));
      return used;
    }();
    const V used = V::load(kUsed.data() + count);
    return where(gt(used, V(0.0)), Map()(V::load(end - W), c), V(0.0));
  }

  double row(const T* x, std::int64_t n, std::int64_t stride, T c) const {
    if (stride != 1 || n < W) return strided_row(x, n, stride, c);
    const Map map;
    const V cv(c);
    double sum = 0;
    std::int64_t i = 0;
    while (n - i >= 4 * W) {
      V a(0.0), b(0.0), d(0.0), e(0.0);
      const std::int64_t end = std::min(n, i + kBlock) - 4 * W;
      for (; i <= end; i += 4 * W) {
        a = a + map(V::load(x + i), cv);
        b = b + map(V::load(x + i + W), cv);
        d = d + map(V::load(x + i + 2 * W), cv);
        e = e + map(V::load(x + i + 3 * W), cv);
      }
      sum += total((a + b) + (d + e));
    }
    if (i == n) return sum;
    V a(0.0);
    for (; n - i >= W; i += W) a = a + map(V::load(x + i), cv);
    if (i < n) a = a + last_addends(x + n, n - i, cv);
    return sum + total(a);
  }

  static double strided_row(const T* x, std::int64_t n, std::int64_t stride, T c) {
    const Map map;
    double sum[4] = {};
    std::int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
      for (int k = 0; k < 4; ++k) sum[k] += static_cast<double>(map(x[(i + k) * stride], c));
    }
    for (; i < n; ++i) sum[0] += static_cast<double>(map(x[i * stride], c));
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }

  void columns(double* acc, const T* x, std::int64_t rows, std::int64_t row_stride,
               std::int64_t cols, std::int64_t col_stride, const T* c) const {
    if (col_stride != 1) return strided_columns(acc, x, rows, row_stride, cols, col_stride, c);
    if (cols <= 64 && row_stride == cols && rows >= 128) {
      return narrow_columns(acc, x, rows, cols, c);
    }
    // Groups of rows are summed in float, and go to the double sums together.
    T group[kReduceTile];
    for (std::int64_t i = 0; i < rows; i += kGroup) {
      const T* from = x + i * row_stride;
      const std::int64_t end = std::min(kGroup, rows - i);
      std::int64_t k = 0;
      for (; k + 8 <= end; k += 8)
        add_rows<8>(group, k == 0, from + k * row_stride, row_stride, cols, c);
      for (; k < end; ++k) add_rows<1>(group, k == 0, from + k * row_stride, row_stride, cols, c);
      for (std::int64_t j = 0; j < cols; ++j) acc[j] += static_cast<double>(group[j]);
    }
  }

  template <int N>
  [[gnu::always_inline]] static V add_tree(const T* x, std::int64_t row_stride, const V& c) {
    if constexpr (N == 1) {
      return Map()(V::load(x), c);
    } else {
      return add_tree<N / 2>(x, row_stride, c) +
             add_tree<N / 2>(x + N / 2 * row_stride, row_stride, c);
    }
  }

  // N rows, added to each other as a tree and then to `group`, or put there if it is new.
  template <int N>
  static void add_rows(T* __restrict group, bool is_new, const T* x, std::int64_t row_stride,
                       std::int64_t cols, const T* c) {
    const Map map;
    std::int64_t j = 0;
    for (; j + W <= cols; j += W) {
      const V cv = c ? V::load(c + j) : V(0.0);
      const V sum = add_tree<N>(x + j, row_stride, cv);
      (is_new ? sum : V::load(group + j) + sum).store(group + j);
    }
    for (; j < cols; ++j) {
      const T cj = c ? c[j] : T(0);
      T sum = is_new ? T(0) : group[j];
      for (int k = 0; k < N; ++k) sum += map(x[k * row_stride + j], cj);
      group[j] = sum;
    }
  }

  // Few dense columns: several rows are seen as one wide row.
  void narrow_columns(double* acc, const T* x, std::int64_t rows, std::int64_t cols,
                      const T* c) const {
    constexpr std::int64_t kWide = 128;
    const std::int64_t factor = rows >= 8 * (kWide / cols) ? kWide / cols : 2;
    const std::int64_t wide = factor * cols;
    double sums[kWide] = {};
    T numbers[kWide];
    for (std::int64_t j = 0; c && j < wide; ++j) numbers[j] = c[j % cols];
    const std::int64_t wide_rows = rows / factor, rest = wide_rows * factor;
    columns(sums, x, wide_rows, wide, wide, 1, c ? numbers : nullptr);
    if (rest < rows) columns(sums, x + rest * cols, rows - rest, cols, cols, 1, c);
    for (std::int64_t k = 0; k < factor; ++k) {
      for (std::int64_t j = 0; j < cols; ++j) acc[j] += sums[k * cols + j];
    }
  }

  static void strided_columns(double* acc, const T* x, std::int64_t rows, std::int64_t row_stride,
                              std::int64_t cols, std::int64_t col_stride, const T* c) {
    const Map map;
    if (row_stride < col_stride) {
      for (std::int64_t j = 0; j < cols; ++j) {
        double sum = 0;
        for (std::int64_t i = 0; i < rows; ++i) {
          sum += static_cast<double>(map(x[i * row_stride + j * col_stride], c ? c[j] : T(0)));
        }
        acc[j] += sum;
      }
      return;
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < cols; ++j) {
        acc[j] += static_cast<double>(map(x[i * row_stride + j * col_stride], c ? c[j] : T(0)));
      }
    }
  }
};

// A reduction given by what joins two accumulators, left to the compiler to vectorise.
template <class Derived, class S, class A, class R>
struct PlainReduction {
  using Source = S;
  using Accumulator = A;
  using Result = R;

  static A row(const S* x, std::int64_t n, std::int64_t stride, R) {
    A acc[4] = {Derived::start(), Derived::start(), Derived::start(), Derived::start()};
    std::int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
      for (int k = 0; k < 4; ++k) {
        acc[k] = Derived::join(acc[k], Derived::read(x[(i + k) * stride]));
      }
    }
    for (; i < n; ++i) acc[0] = Derived::join(acc[0], Derived::read(x[i * stride]));
    return Derived::join(Derived::join(acc[0], acc[1]), Derived::join(acc[2], acc[3]));
  }
  static void columns(A* __restrict acc, const S* __restrict x, std::int64_t rows,
                      std::int64_t row_stride, std::int64_t cols, std::int64_t col_stride,
                      const R*) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const S* r = x + i * row_stride;
      if (col_stride == 1) {
        for (std::int64_t j = 0; j < cols; ++j) acc[j] = Derived::join(acc[j], Derived::read(r[j]));
      } else {
        for (std::int64_t j = 0; j < cols; ++j) {
          acc[j] = Derived::join(acc[j], Derived::read(r[j * col_stride]));
        }
      }
    }
  }
  static A read(S x) { return static_cast<A>(x); }
  static R finish(A a) { return static_cast<R>(a); }
  static A repeat(A a, std::int64_t) { return a; }
};

template <class T>
struct IntegerSum : PlainReduction<IntegerSum<T>, T, std::int64_t, std::int64_t> {
  static std::int64_t start() { return 0; }
  // Wraps around, as in NumPy and PyTorch.
  static std::int64_t join(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
  static std::int64_t repeat(std::int64_t a, std::int64_t n) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(n));
  }
};

}  // namespace

void reduce_sum(const Reduction& r, DType dtype, void* target, const void* source) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    const auto* x = static_cast<const T*>(source);
    if constexpr (std::is_floating_point_v<T>) {
      reduce(FloatingSum<T, Identity>(), r, static_cast<T*>(target), x);
    } else {
      reduce(IntegerSum<T>(), r, static_cast<std::int64_t*>(target), x);
    }
  });
}

namespace {

template <class Map, class End>
void reduce_floating(const Reduction& r, DType dtype, void* target, const void* source, End end,
                     const void* numbers = nullptr) {
  detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    reduce(FloatingSum<T, Map, End>{end}, r, static_cast<T*>(target), static_cast<const T*>(source),
           static_cast<const T*>(numbers));
  });
}

}  // namespace

void reduce_mean(const Reduction& r, DType dtype, void* target, const void* source, double count) {
  reduce_floating<Identity>(r, dtype, target, source, Divide{count});
}

void reduce_norm(const Reduction& r, DType dtype, void* target, const void* source) {
  reduce_floating<Square>(r, dtype, target, source, Root{});
}

void reduce_mean_difference(const Reduction& r, DType dtype, void* target, const void* source,
                            const void* origins, double count) {
  reduce_floating<Difference>(r, dtype, target, source, Divide{count}, origins);
}

void reduce_variance(const Reduction& r, DType dtype, void* target, const void* source,
                     const void* means, double count, bool root) {
  if (root) {
    reduce_floating<SquaredDifference>(r, dtype, target, source, Root{count}, means);
  } else {
    reduce_floating<SquaredDifference>(r, dtype, target, source, Divide{count}, means);
  }
}

void reduce_log_sum_exp(const Reduction& r, DType dtype, void* target, const void* source,
                        const void* shifts) {
  reduce_floating<ExpDifference>(r, dtype, target, source, Logarithm{}, shifts);
}

namespace {

template <class T>
struct FloatingProduct : PlainReduction<FloatingProduct<T>, T, double, T> {
  static double start() { return 1; }
  static double join(double a, double b) { return a * b; }
  static double repeat(double a, std::int64_t n) {
    return n == 1 ? a : std::pow(a, static_cast<double>(n));
  }
};

template <class T>
struct IntegerProduct : PlainReduction<IntegerProduct<T>, T, std::int64_t, std::int64_t> {
  static std::int64_t start() { return 1; }
  static std::int64_t join(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
  static std::int64_t repeat(std::int64_t a, std::int64_t n) {
    std::int64_t y = 1;
    for (; n > 0; n >>= 1, a = join(a, a)) {
      if (n & 1) y = join(y, a);
    }
    return y;
  }
};

// How many elements of a dense row are 0.
template <class T>
std::int64_t count_zeros(const T* x, std::int64_t n) {
  std::int64_t zeros = 0;
  for (std::int64_t i = 0; i < n; ++i) zeros += x[i] == T(0);
  return zeros;
}

template <class T>
struct All : PlainReduction<All<T>, T, bool, bool> {
  using Base = PlainReduction<All<T>, T, bool, bool>;
  static bool row(const T* x, std::int64_t n, std::int64_t stride, bool c) {
    return stride == 1 ? count_zeros(x, n) == 0 : Base::row(x, n, stride, c);
  }
  static bool start() { return true; }
  static bool join(bool a, bool b) { return a & b; }
  static bool read(T x) { return x != T(0); }
};

template <class T>
struct Any : PlainReduction<Any<T>, T, bool, bool> {
  using Base = PlainReduction<Any<T>, T, bool, bool>;
  static bool row(const T* x, std::int64_t n, std::int64_t stride, bool c) {
    return stride == 1 ? count_zeros(x, n) < n : Base::row(x, n, stride, c);
  }
  static bool start() { return false; }
  static bool join(bool a, bool b) { return a | b; }
  static bool read(T x) { return x != T(0); }
};

}  // namespace

void reduce_product(const Reduction& r, DType dtype, void* target, const void* source) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    const auto* x = static_cast<const T*>(source);
    if constexpr (std::is_floating_point_v<T>) {
      reduce(FloatingProduct<T>(), r, static_cast<T*>(target), x);
    } else {
      reduce(IntegerProduct<T>(), r, static_cast<std::int64_t*>(target), x);
    }
  });
}

void reduce_all(const Reduction& r, DType dtype, bool* target, const void* source) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    reduce(All<T>(), r, target, static_cast<const T*>(source));
  });
}

void reduce_any(const Reduction& r, DType dtype, bool* target, const void* source) {
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    reduce(Any<T>(), r, target, static_cast<const T*>(source));
  });
}

}  // namespace xtape::kernels
