// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "../autocast.hpp"
#include "../error.hpp"
#include "../kernels/lapack.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "linalg.hpp"
#include "matmul.hpp"
#include "matrices.hpp"
#include "shape.hpp"

// What an LU factorisation gives: solutions, inverses, determinants.
namespace xtape {
namespace {

const Tensor undefined;
constexpr const char* kNoGradient = "is singular: the determinant has no gradient there";

using detail::transposed;

double cube(std::int64_t n) {
  return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
}

struct Factors {
  Tensor lu;      // [..., n, n]
  Tensor pivots;  // [..., n]

  explicit Factors(const Tensor& a) : lu(detail::copy_contiguous(a)) {
    const std::int64_t n = a.size(-1);
    pivots = detail::empty(int64, a.sizes().first(a.sizes().size() - 1));
    std::int64_t* p = detail::fresh_data<std::int64_t>(pivots);
    detail::dispatch_floating(a.dtype(), [&]<class T>(detail::Type<T>) {
      T* data = detail::fresh_data<T>(lu);
      detail::for_each_matrix(n == 0 ? 0 : detail::batch_of(a).numel(), cube(n),
                              [&](std::int64_t i) { kernels::lu(n, data + i * n * n, p + i * n); });
    });
    detail::computed("lu", lu, a);
  }
  Factors(Tensor saved_lu, Tensor saved_pivots)
      : lu(std::move(saved_lu)), pivots(std::move(saved_pivots)) {}

  // a^-1 b, or a^-T b; not recorded.
  Tensor solved(const Tensor& b, bool transposed) const {
    const Shape batch = detail::broadcast("solve", detail::batch_of(lu), detail::batch_of(b));
    const std::int64_t n = b.size(-2), k = b.size(-1);
    Tensor x = detail::broadcast_matrices(b, detail::of_matrices(batch, n, k));
    const double work = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(k);
    detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
      const T* from = lu.data<T>();
      const std::int64_t* p = pivots.data<std::int64_t>();
      T* to = detail::fresh_data<T>(x);
      detail::for_each_matrix(x.numel() == 0 ? 0 : batch.numel(), work, [&](std::int64_t i) {
        kernels::lu_solve(transposed, n, k, from + detail::matrix_offset(lu, batch, i),
                          p + detail::matrix_offset(pivots, batch, i, 1), to + i * n * k);
      });
    });
    return x;
  }
};

// The one solution that is recorded: a is factorised once for it and for gradients of every order.
Tensor solve_by(const Tensor& a, const Factors& factors, const Tensor& b, bool of_transposed) {
  Tensor x = factors.solved(b, of_transposed);
  record("solve", x, {a, b},
         saves(a, factors.lu, factors.pivots, a.requires_grad() ? x : undefined),
         [of_transposed](Backward& t) {
           const Tensor gb = solve_by(t.saved(0), {t.saved(1), t.saved(2)}, t.g(), !of_transposed);
           if (t.needs(0)) {
             const Tensor y = t.saved(3);
             t.add(0, -(of_transposed ? matmul(y, transposed(gb)) : matmul(gb, transposed(y))));
           }
           if (t.needs(1)) t.add(1, gb);
         });
  return x;
}

// a^-T, recorded.
Tensor inverse_transposed(const Tensor& a, const Factors& factors) {
  return solve_by(a, factors, eye(a.size(-1), -1, a.dtype()), true);
}

Tensor as_matrices(const Tensor& x) { return unsqueeze(unsqueeze(x, -1), -1); }

bool is_odd(const std::int64_t* pivots, std::int64_t n) {
  bool odd = false;
  for (std::int64_t i = 0; i < n; ++i) odd ^= pivots[i] != i;
  return odd;
}

}  // namespace

Tensor solve(const Tensor& a, const Tensor& b, bool left) {
  const Autocast off(false);
  detail::check_square("solve", a);
  detail::check_floating("solve", b);
  detail::check_same_dtype("solve", a, b);
  const bool vector = left && detail::is_vector(a, b);
  const Tensor right = vector ? unsqueeze(b, -1) : b;
  detail::check_matrices("solve", right);
  if (right.size(left ? -2 : -1) != a.size(-1)) {
    throw ShapeError("solve: sizes of the matrix and of the right side differ, " +
                     to_string(a.sizes()) + " and " + to_string(b.sizes()));
  }
  static_cast<void>(detail::broadcast("solve", detail::batch_of(a), detail::batch_of(right)));
  const Factors factors(a);
  detail::check_diagonals("solve", factors.lu);
  if (!left) return transposed(solve_by(a, factors, transposed(right), true));  // a^T x^T = b^T
  const Tensor x = solve_by(a, factors, right, false);
  return vector ? squeeze(x, -1) : x;
}

Tensor inv(const Tensor& x) {
  const Autocast off(false);
  detail::check_square("inv", x);
  const Factors factors(x);
  detail::check_diagonals("inv", factors.lu);
  Tensor y = factors.solved(eye(x.size(-1), -1, x.dtype()), false);
  record("inv", y, {x}, saves(y), [](Backward& t) {
    const Tensor adjoint = transposed(t.saved(0));
    t.add(0, -matmul(matmul(adjoint, t.g()), adjoint));
  });
  return y;
}

Tensor det(const Tensor& x) {
  const Autocast off(false);
  detail::check_square("det", x);
  const Factors factors(x);
  const Shape batch = detail::batch_of(x);
  const std::int64_t n = x.size(-1);
  Tensor y = detail::empty(x.dtype(), batch);
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    const T* lu = factors.lu.data<T>();
    const std::int64_t* pivots = factors.pivots.data<std::int64_t>();
    for (std::int64_t i = 0; i < y.numel(); ++i) {
      double product = is_odd(pivots + i * n, n) ? -1 : 1;
      for (std::int64_t j = 0; j < n; ++j) product *= lu[(i * n + j) * n + j];
      detail::fresh_data<T>(y)[i] = static_cast<T>(product);
    }
  });
  record("det", y, {x}, saves(x, factors.lu, factors.pivots, y), [](Backward& t) {
    const Factors saved(t.saved(1), t.saved(2));
    detail::check_diagonals("det", saved.lu, kNoGradient);
    t.add(0, as_matrices(t.g() * t.saved(3)) * inverse_transposed(t.saved(0), saved));
  });
  return y;
}

SignAndLogAbsDet slogdet(const Tensor& x) {
  const Autocast off(false);
  detail::check_square("slogdet", x);
  const Factors factors(x);
  const Shape batch = detail::batch_of(x);
  const std::int64_t n = x.size(-1);
  SignAndLogAbsDet y{detail::empty(x.dtype(), batch), detail::empty(x.dtype(), batch)};
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    const T* lu = factors.lu.data<T>();
    const std::int64_t* pivots = factors.pivots.data<std::int64_t>();
    for (std::int64_t i = 0; i < y.sign.numel(); ++i) {
      double sign = is_odd(pivots + i * n, n) ? -1 : 1, sum = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        const double d = lu[(i * n + j) * n + j];
        if (d == 0) {  // whatever stands further down
          sign = 0;
          sum = -std::numeric_limits<double>::infinity();
          break;
        }
        sign = std::isnan(d) ? d : d < 0 ? -sign : sign;
        sum += std::log(std::abs(d));
      }
      detail::fresh_data<T>(y.sign)[i] = static_cast<T>(sign);
      detail::fresh_data<T>(y.logabsdet)[i] = static_cast<T>(sum);
    }
  });
  record("slogdet", y.logabsdet, {x}, saves(x, factors.lu, factors.pivots), [](Backward& t) {
    const Factors saved(t.saved(1), t.saved(2));
    detail::check_diagonals("slogdet", saved.lu, kNoGradient);
    t.add(0, as_matrices(t.g()) * inverse_transposed(t.saved(0), saved));
  });
  return y;
}

Tensor logdet(const Tensor& x) {
  detail::check_square("logdet", x);
  const SignAndLogAbsDet y = slogdet(x);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return where(y.sign < 0, scalar_tensor(nan, x.dtype()), y.logabsdet);
}

}  // namespace xtape
