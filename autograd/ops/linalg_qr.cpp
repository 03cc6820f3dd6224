// SPDX-License-Identifier: BSD-3-Clause
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
#include "matmul.hpp"
#include "matrices.hpp"
#include "shape.hpp"

// The QR factorisation.
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

}  // namespace xtape
