// SPDX-License-Identifier: BSD-3-Clause
#include "linalg.hpp"

#include <atomic>
#include <string>

#include "../autocast.hpp"
#include "../error.hpp"
#include "../kernels/lapack.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "diagonal.hpp"
#include "matmul.hpp"
#include "matrices.hpp"

namespace xtape {
namespace {

using detail::transposed;
using kernels::Triangle;

const Tensor undefined;

// Where BLAS reads triangular matrices: their own memory where that has the form, else a copy.
struct TriangularFactor {
  Tensor x;
  Triangle triangle;
  std::int64_t step = 0;  // from row to row, or from column to column where that is transposed

  TriangularFactor(const Tensor& a, const Triangle& t) : x(a), triangle(t) {
    const std::int64_t n = a.size(-1);
    const std::int64_t row = a.strides()[a.dim() - 2], column = a.strides()[a.dim() - 1];
    if (n <= 1) {
      step = 1;
    } else if (column == 1 && row >= n) {
      step = row;
    } else if (row == 1 && column >= n) {
      step = column;
      triangle.upper = !t.upper;
      triangle.transposed = !t.transposed;
    } else {
      x = detail::copy_contiguous(a);
      step = n;
    }
  }
};

// op(a) x = b or x op(a) = b. The one solution that is recorded: with a transposed by a flag, its
// gradient is one of the same kind.
Tensor triangular(const Tensor& a, const Tensor& b, const Triangle& triangle) {
  const Autocast off(false);
  const Shape batch =
      detail::broadcast("solve_triangular", detail::batch_of(a), detail::batch_of(b));
  const std::int64_t m = b.size(-2), n = b.size(-1);
  Tensor x = detail::broadcast_matrices(b, detail::of_matrices(batch, m, n));
  const TriangularFactor factor(a, triangle);
  const double work =
      static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(triangle.left ? m : n);
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    const T* from = factor.x.data<T>();
    T* to = detail::fresh_data<T>(x);
    detail::for_each_matrix(x.numel() == 0 ? 0 : batch.numel(), work, [&](std::int64_t i) {
      kernels::solve_triangular(factor.triangle, m, n,
                                from + detail::matrix_offset(factor.x, batch, i), factor.step,
                                to + i * m * n);
    });
  });
  record("solve_triangular", x, {a, b}, saves(a, a.requires_grad() ? x : undefined),
         [triangle](Backward& t) {
           Triangle adjoint = triangle;
           adjoint.transposed = !triangle.transposed;
           const Tensor gb = triangular(t.saved(0), t.g(), adjoint);
           if (t.needs(0)) {
             const Tensor y = t.saved(1);
             const bool swapped = triangle.left == triangle.transposed;
             const Tensor& first = swapped ? y : gb;
             const Tensor& second = swapped ? gb : y;
             const Tensor g = triangle.left ? matmul(first, transposed(second))
                                            : matmul(transposed(first), second);
             const int beside = triangle.unit ? 1 : 0;
             t.add(0, -(triangle.upper ? triu(g, beside) : tril(g, -beside)));
           }
           if (t.needs(1)) t.add(1, gb);
         });
  return x;
}

void check_system(const char* operation, const Tensor& a, const Tensor& b, bool left) {
  detail::check_square(operation, a);
  detail::check_matrices(operation, b);
  detail::check_same_dtype(operation, a, b);
  if (b.size(left ? -2 : -1) != a.size(-1)) {
    throw ShapeError(std::string(operation) +
                     ": sizes of the matrix and of the right side differ, " + to_string(a.sizes()) +
                     " and " + to_string(b.sizes()));
  }
  static_cast<void>(detail::broadcast(operation, detail::batch_of(a), detail::batch_of(b)));
}

}  // namespace

Tensor solve_triangular(const Tensor& a, const Tensor& b, const TriangularOptions& options) {
  check_system("solve_triangular", a, b, options.left);
  if (!options.unitriangular) detail::check_diagonals("solve_triangular", a);
  return triangular(a, b,
                    {.upper = options.upper, .left = options.left, .unit = options.unitriangular});
}

Tensor cholesky(const Tensor& x, bool upper) {
  const Autocast off(false);
  detail::check_square("cholesky", x);
  Tensor l = detail::copy_contiguous(x);
  const Shape batch = detail::batch_of(x);
  const std::int64_t n = x.size(-1), count = n == 0 ? 0 : batch.numel();
  std::atomic<std::int64_t> failed = count;
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    T* data = detail::fresh_data<T>(l);
    const double work = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
    detail::for_each_matrix(count, work, [&](std::int64_t i) {
      if (kernels::cholesky(n, data + i * n * n)) return;
      std::int64_t first = failed;  // the first one is named, whichever thread came first
      while (i < first && !failed.compare_exchange_weak(first, i)) {}
    });
  });
  if (failed < count) {
    detail::refuse_matrix("cholesky", batch, failed, "is not positive definite");
  }
  // S. F. Walter, L. Lehmann (2010), "Algorithmic differentiation of linear algebra functions":
  // the gradient is L^-T phi(L^T g) L^-1, phi a lower triangle with half its diagonal; here its
  // symmetric part.
  record("cholesky", l, {x}, saves(l), [](Backward& t) {
    const Tensor factor = t.saved(0);
    const Tensor product = matmul(transposed(factor), t.g());
    const Tensor phi = 0.5 * (tril(product) + transposed(tril(product, -1)));
    const Tensor half = triangular(factor, phi, {.upper = false, .transposed = true});
    t.add(0, triangular(factor, half, {.upper = false, .left = false}));
  });
  return upper ? transposed(l) : l;
}

Tensor cholesky_solve(const Tensor& b, const Tensor& l, bool upper) {
  const Autocast off(false);
  check_system("cholesky_solve", l, b, true);
  detail::check_diagonals("cholesky_solve", l);
  const Tensor half = triangular(l, b, {.upper = upper, .transposed = upper});
  return triangular(l, half, {.upper = upper, .transposed = !upper});
}

Tensor cholesky_inverse(const Tensor& l, bool upper) {
  detail::check_square("cholesky_inverse", l);
  detail::check_diagonals("cholesky_inverse", l);
  return cholesky_solve(eye(l.size(-1), -1, l.dtype()), l, upper);
}

}  // namespace xtape
