// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "../autocast.hpp"
#include "../error.hpp"
#include "../kernels/lapack.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "diagonal.hpp"
#include "indexing.hpp"
#include "joining.hpp"
#include "linalg.hpp"
#include "math.hpp"
#include "matmul.hpp"
#include "matrices.hpp"
#include "reductions.hpp"
#include "shape.hpp"

// What a QR factorisation gives: itself and least squares.
namespace xtape {
namespace {

using detail::transposed;

// Of x with no more columns than rows, to that many columns of q.
QAndR tall_qr(const Tensor& x, std::int64_t columns) {
  const std::int64_t m = x.size(-2), n = x.size(-1);
  const Shape batch = detail::batch_of(x);
  const Tensor a = detail::copy_contiguous(x);
  Tensor q = detail::empty(x.dtype(), detail::of_matrices(batch, m, columns));
  Tensor r = detail::empty(x.dtype(), detail::of_matrices(batch, columns, n));
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(n);
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    T* from = detail::fresh_data<T>(a);
    T* to_q = detail::fresh_data<T>(q);
    T* to_r = detail::fresh_data<T>(r);
    detail::for_each_matrix(batch.numel(), work, [&](std::int64_t i) {
      kernels::qr(m, n, columns, from + i * m * n, to_q + i * m * columns, to_r + i * columns * n);
    });
  });
  // S. F. Walter, L. Lehmann (2018), "Algorithmic differentiation of linear algebra functions with
  // application in optimum experimental design": (g_q + q sym(triu(g_r r^T - q^T g_q))) r^-T, sym
  // the symmetric matrix with that upper triangle.
  record("qr", outputs(q, r), {x}, saves(q, r), [](Backward& t) {
    const Tensor q = t.saved(0), r = t.saved(1), gq = t.g(0), gr = t.g(1);
    if (q.size(-1) > r.size(-1)) {
      throw GradError("qr: no gradient where it is complete and has more rows than columns, q is " +
                      to_string(q.sizes()) + " and r " + to_string(r.sizes()));
    }
    detail::check_diagonals("qr", r, "has dependent columns: no gradient there");
    Tensor inner = gr.defined() ? matmul(gr, transposed(r)) : Tensor();
    if (gq.defined()) {
      const Tensor turned = matmul(transposed(q), gq);
      inner = inner.defined() ? inner - turned : -turned;
    }
    Tensor g = matmul(q, triu(inner) + transposed(triu(inner, 1)));
    if (gq.defined()) g = gq + g;
    t.add(0, solve_triangular(transposed(r), g, {.upper = false, .left = false}));
  });
  return {q, r};
}

// Throws where the diagonal of r has an element that is 0 to rounding.
void check_full_rank(const Tensor& a, const Tensor& r) {
  const std::int64_t n = r.size(-1), count = n == 0 ? 0 : detail::batch_of(r).numel();
  const auto larger = static_cast<double>(std::max(a.size(-2), a.size(-1)));
  const Tensor dense = detail::copy_contiguous(r);
  detail::dispatch_floating(r.dtype(), [&]<class T>(detail::Type<T>) {
    for (std::int64_t i = 0; i < count; ++i) {
      const T* x = dense.data<T>() + i * n * n;
      double largest = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        largest = std::max(largest, std::abs(static_cast<double>(x[j * n + j])));
      }
      const double limit = largest * larger * std::numeric_limits<T>::epsilon();
      for (std::int64_t j = 0; j < n; ++j) {
        if (std::abs(x[j * n + j]) <= limit) {
          detail::refuse_matrix("lstsq", detail::batch_of(r), i, "is not of full rank");
        }
      }
    }
  });
}

}  // namespace

QAndR qr(const Tensor& x, QrMode mode) {
  const Autocast off(false);
  detail::check_matrices("qr", x);
  const std::int64_t m = x.size(-2), n = x.size(-1);
  if (n <= m) return tall_qr(x, mode == QrMode::complete ? m : n);
  // The first columns determine q, by which the others are turned.
  QAndR y = tall_qr(narrow(x, -1, 0, m), m);
  y.r = cat({y.r, matmul(transposed(y.q), narrow(x, -1, m, n - m))}, -1);
  return y;
}

LeastSquares lstsq(const Tensor& a, const Tensor& b) {
  const Autocast off(false);
  detail::check_matrices("lstsq", a);
  detail::check_floating("lstsq", b);
  detail::check_same_dtype("lstsq", a, b);
  const bool vector = detail::is_vector(a, b);
  const Tensor right = vector ? unsqueeze(b, -1) : b;
  detail::check_matrices("lstsq", right);
  if (right.size(-2) != a.size(-2)) {
    throw ShapeError("lstsq: sizes of the matrix and of the right side differ, " +
                     to_string(a.sizes()) + " and " + to_string(b.sizes()));
  }
  static_cast<void>(detail::broadcast("lstsq", detail::batch_of(a), detail::batch_of(right)));
  const bool tall = a.size(-2) >= a.size(-1);
  const QAndR f = qr(tall ? a : transposed(a));
  check_full_rank(a, f.r);
  LeastSquares y{{}, zeros({0}, a.dtype())};
  if (tall) {
    y.solution = solve_triangular(f.r, matmul(transposed(f.q), right), {.upper = true});
  } else {
    y.solution = matmul(f.q, solve_triangular(transposed(f.r), right, {.upper = false}));
  }
  if (a.size(-2) > a.size(-1)) y.residuals = sum(square(matmul(a, y.solution) - right), {-2});
  if (vector) {
    y.solution = squeeze(y.solution, -1);
    if (y.residuals.dim() > 0 && a.size(-2) > a.size(-1)) y.residuals = squeeze(y.residuals, -1);
  }
  return y;
}

}  // namespace xtape
