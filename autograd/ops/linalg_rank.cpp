// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <limits>
#include <string>

#include "../autocast.hpp"
#include "../error.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "diagonal.hpp"
#include "indexing.hpp"
#include "linalg.hpp"
#include "math.hpp"
#include "matmul.hpp"
#include "matrices.hpp"
#include "reductions.hpp"
#include "shape.hpp"

// What depends on which singular values are told from 0: ranks, pseudo-inverses, least squares.
namespace xtape {
namespace {

using detail::transposed;

void check(const char* operation, const Tensor& x, const RankOptions& o) {
  o.hermitian ? detail::check_square(operation, x) : detail::check_matrices(operation, x);
}

// How many of the singular values s [..., k], or of the sizes of eigenvalues, of x count, and
// which.
struct Counted {
  Tensor which;  // boolean, [..., k]
  Tensor rank;   // int64, [...]

  Counted(const Tensor& x, const Tensor& s, const RankOptions& o) {
    double rtol = o.rtol;
    if (rtol < 0) {
      const double epsilon = x.dtype() == float32 ? std::numeric_limits<float>::epsilon()
                                                  : std::numeric_limits<double>::epsilon();
      rtol = o.atol > 0 ? 0 : static_cast<double>(std::max(x.size(-2), x.size(-1))) * epsilon;
    }
    which = s.size(-1) == 0 ? zeros(s.shape(), boolean)
                            : s > clamp_min(rtol * amax(s, {-1}, true), o.atol);
    rank = sum(which, {-1});
  }
};

struct PseudoInverse {
  Tensor inverse, singular_values, rank;  // none of them recorded
};

PseudoInverse pseudo_inverse(const Tensor& recorded, const RankOptions& o) {
  const Tensor x = recorded.detach();
  const Tensor zero = scalar_tensor(0, x.dtype());
  const auto product = [&](const Tensor& v, const Counted& counted, const Tensor& s,
                           const Tensor& uh) {
    return matmul(v * unsqueeze(where(counted.which, reciprocal(s), zero), -2), uh);
  };
  if (o.hermitian) {
    const auto [w, v] = eigh(x);
    const Tensor s = abs(w);
    const Counted counted(x, s, o);
    return {product(v, counted, w, transposed(v)), s, counted.rank};
  }
  const auto [u, s, vh] = svd(x);
  const Counted counted(x, s, o);
  return {product(transposed(vh), counted, s, transposed(u)), s, counted.rank};
}

// G. H. Golub, V. Pereyra (1973), "The differentiation of pseudo-inverses and nonlinear least
// squares problems whose variables separate".
Tensor record_inverse(const Tensor& x, Tensor y) {
  record("pinv", y, {x}, saves(x, y), [](Backward& t) {
    const Tensor a = t.saved(0), p = t.saved(1), gt = transposed(t.g()), pt = transposed(p);
    const Tensor left = matmul(matmul(gt, p), pt), right = matmul(pt, matmul(p, gt));
    t.add(0, left - matmul(a, matmul(p, left)) + right - matmul(matmul(right, p), a) -
                 matmul(matmul(pt, t.g()), pt));
  });
  return y;
}

// The symmetric matrix with the lower triangle of x; its gradient is symmetric, as that of `eigh`.
Tensor mirrored(const Tensor& x) {
  const Tensor lower = tril(x.detach());
  Tensor y = lower + transposed(tril(lower, -1));
  record("mirrored", y, {x}, saves(),
         [](Backward& t) { t.add(0, 0.5 * (t.g() + transposed(t.g()))); });
  return y;
}

bool is_full(const Tensor& rank, std::int64_t most) {
  const std::int64_t* r = rank.data<std::int64_t>();
  return std::all_of(r, r + rank.numel(), [most](std::int64_t n) { return n == most; });
}

// The solution and what is known of a's rank; right [..., m, k].
LeastSquares least_squares(const Tensor& a, const Tensor& right, double rcond) {
  const std::int64_t m = a.size(-2), n = a.size(-1);
  const RankOptions o{.rtol = rcond};
  const QAndR f = qr(m >= n ? a : transposed(a));
  LeastSquares y{{}, zeros({0}, a.dtype()), {}, svdvals(f.r.detach())};  // those of a, too
  y.rank = Counted(a, y.singular_values, o).rank;
  if (!is_full(y.rank, std::min(m, n))) {
    const PseudoInverse p = pseudo_inverse(a, o);
    y.singular_values = p.singular_values;
    y.rank = p.rank;
    y.solution = matmul(record_inverse(a, p.inverse), right);
  } else if (m >= n) {
    y.solution = solve_triangular(f.r, matmul(transposed(f.q), right), {.upper = true});
    if (m > n) y.residuals = sum(square(matmul(a, y.solution) - right), {-2});
  } else {
    y.solution = matmul(f.q, solve_triangular(transposed(f.r), right, {.upper = false}));
  }
  return y;
}

}  // namespace

Tensor pinv(const Tensor& x, const RankOptions& options) {
  const Autocast off(false);
  check("pinv", x, options);
  const Tensor a = options.hermitian ? mirrored(x) : x;
  return record_inverse(a, pseudo_inverse(a, options).inverse);
}

Tensor matrix_rank(const Tensor& x, const RankOptions& options) {
  check("matrix_rank", x, options);
  const Tensor a = x.detach();
  return Counted(a, options.hermitian ? abs(eigvalsh(a)) : svdvals(a), options).rank;
}

LeastSquares lstsq(const Tensor& a, const Tensor& b, double rcond) {
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
  LeastSquares y = least_squares(a, right, rcond);
  if (vector) {
    y.solution = squeeze(y.solution, -1);
    y.residuals = squeeze(y.residuals, -1);
  }
  return y;
}

}  // namespace xtape
