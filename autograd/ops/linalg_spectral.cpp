// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <atomic>
#include <limits>

#include "../autocast.hpp"
#include "../error.hpp"
#include "../kernels/lapack.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "diagonal.hpp"
#include "indexing.hpp"
#include "linalg.hpp"
#include "matmul.hpp"
#include "matrices.hpp"
#include "shape.hpp"

// Eigenvalues of symmetric matrices, singular values of all.
namespace xtape {
namespace {

using detail::transposed;
using kernels::SingularVectors;

constexpr const char* kNotFinite = "is not finite, or the iteration does not converge";

bool is_recorded(const Tensor& x) { return is_grad_enabled() && x.requires_grad(); }

double cube(std::int64_t n) {
  return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
}

// f(i) for every matrix; the first one for which it is false is refused.
template <class F>
void for_each_finite_matrix(const char* operation, const Shape& batch, double work, F f) {
  const std::int64_t count = batch.numel();
  std::atomic<std::int64_t> failed = count;
  detail::for_each_matrix(count, work, [&](std::int64_t i) {
    if (f(i)) return;
    std::int64_t first = failed;
    while (i < first && !failed.compare_exchange_weak(first, i)) {}
  });
  if (failed < count) detail::refuse_matrix(operation, batch, failed, kNotFinite);
}

// Throws where two neighbours of the sorted x [..., n] are equal.
void check_distinct(const char* operation, const Tensor& x, const char* is) {
  const std::int64_t n = x.size(-1), count = n == 0 ? 0 : x.numel() / n;
  const Tensor dense = detail::copy_contiguous(x);
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    for (std::int64_t i = 0; i < count; ++i) {
      const T* row = dense.data<T>() + i * n;
      if (std::adjacent_find(row, row + n) == row + n) continue;
      detail::refuse_matrix(operation, Shape(x.sizes().first(x.sizes().size() - 1)), i, is);
    }
  });
}

// x [..., n] at [j] and [i] of y[i][j].
Tensor as_row(const Tensor& x) { return unsqueeze(x, -2); }
Tensor as_column(const Tensor& x) { return unsqueeze(x, -1); }

// y with infinity on its diagonal: nothing comes through when it divides.
Tensor without_diagonal(const Tensor& y) {
  return masked_fill(y, eye(y.size(-1), -1, boolean), std::numeric_limits<double>::infinity());
}

EigenvaluesAndVectors eigh_of(const Tensor& x, bool upper, bool with_vectors) {
  const Autocast off(false);
  detail::check_square("eigh", x);
  const std::int64_t n = x.size(-1);
  const Shape batch = detail::batch_of(x);
  const Tensor rows = detail::copy_contiguous(upper ? transposed(x.detach()) : x);
  Shape shape = batch;
  shape.push_back(n);
  Tensor w = detail::empty(x.dtype(), shape);
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    T* a = detail::fresh_data<T>(rows);
    T* values = detail::fresh_data<T>(w);
    for_each_finite_matrix("eigh", batch, 4 * cube(n), [&](std::int64_t i) {
      return kernels::eigh(with_vectors, n, a + i * n * n, values + i * n);
    });
  });
  if (!with_vectors) {
    detail::computed("eigvalsh", w, x);
    return {w, {}};
  }
  Tensor v = transposed(rows);
  // M. Giles (2008), "Collected matrix derivative results": v (diag(g_w) + (v^T g_v) / gaps) v^T,
  // its symmetric part.
  record("eigh", outputs(w, v), {x}, saves(w, v), [](Backward& t) {
    const Tensor w = t.saved(0), v = t.saved(1);
    Tensor inner;
    if (t.g(1).defined()) {
      check_distinct("eigh", w, "has equal eigenvalues: their vectors have no gradient");
      const Tensor gaps = without_diagonal(as_row(w) - as_column(w));
      const Tensor turns = 0.5 * matmul(transposed(v), t.g(1)) / gaps;
      inner = turns + transposed(turns);
    }
    if (t.g(0).defined()) {
      const Tensor stretch = diag_embed(t.g(0));
      inner = inner.defined() ? inner + stretch : stretch;
    }
    t.add(0, matmul(matmul(v, inner), transposed(v)));
  });
  return {w, v};
}

// By LAPACK, not recorded; without vectors u and vh stay undefined.
SingularValuesAndVectors decompose(const Tensor& x, SingularVectors vectors) {
  const std::int64_t m = x.size(-2), n = x.size(-1), k = std::min(m, n);
  const Shape batch = detail::batch_of(x);
  const Tensor a = detail::copy_contiguous(x);
  const bool none = vectors == SingularVectors::none, all = vectors == SingularVectors::all;
  const std::int64_t rows = all ? n : k, columns = all ? m : k;
  Shape shape = batch;
  shape.push_back(k);
  Tensor s = detail::empty(x.dtype(), shape), u, vh;
  if (!none) {
    u = detail::empty(x.dtype(), detail::of_matrices(batch, m, columns));
    vh = detail::empty(x.dtype(), detail::of_matrices(batch, rows, n));
  }
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    T* from = detail::fresh_data<T>(a);
    T* to_s = detail::fresh_data<T>(s);
    T* to_u = none ? nullptr : detail::fresh_data<T>(u);
    T* to_vh = none ? nullptr : detail::fresh_data<T>(vh);
    for_each_finite_matrix("svd", batch, 4 * cube(k), [&](std::int64_t i) {
      return kernels::svd(vectors, m, n, from + i * m * n, to_s + i * k,
                          none ? nullptr : to_u + i * m * columns,
                          none ? nullptr : to_vh + i * rows * n);
    });
  });
  return {u, s, vh};
}

// Throws where vectors to which a gradient comes have none.
void check_turns(const Tensor& u, const Tensor& s, const Tensor& vh, bool of_u, bool of_vh) {
  if (!of_u && !of_vh) return;
  const std::int64_t k = s.size(-1);
  if (u.size(-1) > k || vh.size(-2) > k) {
    throw GradError("svd: the vectors of full_matrices have no gradient, they are " +
                    to_string(u.sizes()) + " and " + to_string(vh.sizes()));
  }
  check_distinct("svd", s, "has equal singular values: their vectors have no gradient");
  if ((of_u && u.size(-2) > k) || (of_vh && vh.size(-1) > k)) {
    detail::check_diagonals("svd", diag_embed(s.detach()),
                            "is not of full rank: its vectors have no gradient");
  }
}

SingularValuesAndVectors svd_of(const Tensor& x, SingularVectors vectors) {
  const Autocast off(false);
  detail::check_matrices("svd", x);
  auto [u, s, vh] = decompose(x, vectors);
  if (!u.defined()) {
    detail::computed("svdvals", s, x);
    return {{}, s, {}};
  }
  // J. Townsend (2016), "Differentiating the singular value decomposition"; E is s_j^2 - s_i^2.
  record("svd", outputs(u, s, vh), {x}, saves(u, s, vh), [](Backward& t) {
    const Tensor u = t.saved(0), s = t.saved(1), vh = t.saved(2);
    const Tensor gu = t.g(0), gs = t.g(1), gvh = t.g(2);
    const std::int64_t k = s.size(-1);
    check_turns(u, s, vh, gu.defined(), gvh.defined());
    // Both matrices of vectors cut down to those that belong to singular values.
    const Tensor first = narrow(u, -1, 0, k), last = narrow(vh, -2, 0, k);
    const auto turns = [&](const Tensor& product) {
      const Tensor sums = as_row(s) + as_column(s), gaps = as_row(s) - as_column(s);
      return (product - transposed(product)) / without_diagonal(gaps * sums);
    };
    Tensor inner = gs.defined() ? diag_embed(gs) : zeros({k, k}, s.dtype());
    if (gu.defined()) inner = inner + turns(matmul(transposed(first), gu)) * as_row(s);
    if (gvh.defined()) inner = inner + as_column(s) * turns(matmul(last, transposed(gvh)));
    Tensor g = matmul(matmul(first, inner), last);
    if (gu.defined() && u.size(-2) > k) {
      const Tensor beside = gu - matmul(first, matmul(transposed(first), gu));
      g = g + matmul(beside / as_row(s), last);
    }
    if (gvh.defined() && vh.size(-1) > k) {
      const Tensor beside = gvh - matmul(matmul(gvh, transposed(last)), last);
      g = g + matmul(first, beside / as_column(s));
    }
    t.add(0, g);
  });
  return {u, s, vh};
}

}  // namespace

EigenvaluesAndVectors eigh(const Tensor& x, bool upper) { return eigh_of(x, upper, true); }
Tensor eigvalsh(const Tensor& x, bool upper) {
  return eigh_of(x, upper, is_recorded(x)).eigenvalues;
}

SingularValuesAndVectors svd(const Tensor& x, bool full_matrices) {
  return svd_of(x, full_matrices ? SingularVectors::all : SingularVectors::some);
}
Tensor svdvals(const Tensor& x) {
  return svd_of(x, is_recorded(x) ? SingularVectors::some : SingularVectors::none).s;
}

}  // namespace xtape
