// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/diagonal.hpp>
#include <xtape/autograd/ops/linalg.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "matrices.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

// The one of all signs whose r has a positive diagonal.
Tensors with_positive_diagonal(const Tensors& y) {
  const Tensor signs = sign(diagonal(y[1], 0, -2, -1));
  return {y[0] * signs.unsqueeze(-2), y[1] * signs.unsqueeze(-1)};
}

// Gram and Schmidt's, of the first columns.
Arrays qr_of(const Array& x) {
  const std::int64_t m = x.shape[x.shape.rank() - 2], n = x.shape.back(), k = std::min(m, n);
  return stacked_each(x, {{m, k}, {k, n}}, [&](const Array& a) -> Arrays {
    Array q = made({m, k}, [&](const Shape& i) { return a(i[0], i[1]); });
    const auto scalar_product = [&](std::int64_t i, std::int64_t j) {
      long double sum = 0;
      for (std::int64_t l = 0; l < m; ++l) sum += q(l, i) * q(l, j);
      return sum;
    };
    for (std::int64_t j = 0; j < k; ++j) {
      for (std::int64_t i = 0; i < j; ++i) {
        const long double along = scalar_product(i, j);
        for (std::int64_t l = 0; l < m; ++l) q(l, j) -= along * q(l, i);
      }
      const long double length = std::sqrt(scalar_product(j, j));
      for (std::int64_t l = 0; l < m; ++l) q(l, j) /= length;
    }
    Array r = product(transposed_of(q), a);
    for (std::int64_t i = 0; i < k; ++i) {
      for (std::int64_t j = 0; j < i; ++j) r(i, j) = 0;
    }
    return {q, r};
  });
}

// By the normal equations: a^+ b.
Array least_squares_of(const Array& a, const Array& b) {
  return stacked(common(a, b), a.shape.back(), b.shape.back(), [&](const Shape& i) {
    const Array x = matrix(a, i), t = transposed_of(x);
    if (x.shape[0] >= x.shape[1]) {
      return product(eliminated(product(t, x)).inverse, product(t, matrix(b, i)));
    }
    return product(product(t, eliminated(product(x, t)).inverse), matrix(b, i));
  });
}

// |a x - b|^2 of each column.
Array residuals_of(const Array& a, const Array& b) {
  const Array x = least_squares_of(a, b);
  return stacked(common(a, b), b.shape.back(), -1, [&](const Shape& i) {
    const Array reached = product(matrix(a, i), matrix(x, i)), wanted = matrix(b, i);
    Array y = Array::filled({wanted.shape[1]}, 0);
    for (std::int64_t l = 0; l < wanted.shape[0]; ++l) {
      for (std::int64_t j = 0; j < wanted.shape[1]; ++j) {
        const long double off = reached(l, j) - wanted(l, j);
        y(j) += off * off;
      }
    }
    return y;
  });
}

const Rows rows({
    {.name = "qr",
     .kind = Kind::gauge,
     .f =
         [](const Tensor& x) {
           const QAndR y = qr(x);
           return Tensors{y.q, y.r};
         },
     .reference = qr_of,
     .inputs = {{regular({4, 3})},
                {regular({3, 3})},
                {regular({2, 3, 5})},
                {regular({2, 1, 3, 2})},
                {regular({1, 1})},
                {regular({9, 7})},
                {real({3, 0})},
                {real({0, 3})},
                {real({0, 3, 2})}},
     .tolerance32 = 1e-5,
     .invariant = with_positive_diagonal,
     .errors = {throws<ShapeError>([] { return qr(zeros({3})).q; },
                                   "qr: expected at least 2 dimensions, got [3]"),
                throws<DTypeError>(
                    [] {
                      return qr(zeros({2, 2}, int64)).q;
                    },
                    "qr: expected a floating dtype, got int64 [2, 2]"),
                throws<ValueError>(
                    [] {
                      qr(zeros({2, 3, 2}).requires_grad_()).r.sum().backward();
                    },
                    "qr: the matrix at [0] has dependent columns: no gradient there"),
                throws<GradError>(
                    [] { qr(eye(3, 2).requires_grad_(), QrMode::complete).r.sum().backward(); },
                    "qr: no gradient where it is complete and has more rows than columns, q is "
                    "[3, 3] and r [3, 2]")}},
    {.name = "qr_complete",
     .kind = Kind::gauge,
     .f =
         [](const Tensor& x) {
           const QAndR y = qr(x, QrMode::complete);
           return Tensors{y.q, y.r};
         },
     .reference = qr_of,
     .inputs = {{regular({3, 3})}, {regular({2, 3, 4})}},
     .tolerance32 = 1e-5,
     .invariant = with_positive_diagonal},
    {.name = "lstsq",
     .f = [](const Tensor& a, const Tensor& b) { return lstsq(a, b).solution; },
     .reference = least_squares_of,
     .inputs = {{regular({4, 3}), real({4, 2})},
                {regular({3, 4}), real({3, 2})},
                {regular({3, 3}), real({3, 2})},
                {regular({2, 1, 4, 2}), real({3, 4, 1})},
                {regular({9, 7}), real({9, 3})},
                {real({3, 0}), real({3, 2})},
                {regular({0, 3, 2}), real({3, 2})},
                {regular({3, 2}), real({3, 0})}},
     .tolerance = 1e-12,
     .tolerance32 = 2e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return lstsq(zeros({3, 2}), zeros({2, 1})).solution;
                    },
                    "lstsq: sizes of the matrix and of the right side differ, [3, 2] and [2, 1]"),
                throws<ShapeError>(
                    [] {
                      return lstsq(zeros({3, 2, 2}), zeros({4, 2, 1})).solution;
                    },
                    "lstsq: shapes [3] and [4] do not broadcast"),
                throws<DTypeError>(
                    [] {
                      return lstsq(zeros({3, 2}), zeros({3}, float64)).solution;
                    },
                    "lstsq: expected one floating dtype, got float32 [3, 2] and float64 [3]"),
                throws<ValueError>(
                    [] {
                      return lstsq(tensor({{1, 3}, {2, 6}, {3, 9}}), zeros({3})).solution;
                    },
                    "lstsq: the matrix is not of full rank")}},
    {.name = "lstsq_residuals",
     .f = [](const Tensor& a, const Tensor& b) { return lstsq(a, b).residuals; },
     .reference = residuals_of,
     .inputs = {{regular({4, 3}), real({4, 2})}, {regular({2, 1, 4, 2}), real({3, 4, 1})}},
     .tolerance = 1e-12,
     .tolerance32 = 2e-5},
    {.name = "lstsq_vector",
     .f =
         [](const Tensor& a, const Tensor& b) {
           const LeastSquares y = lstsq(a, b);
           return Tensors{y.solution, y.residuals};
         },
     .reference =
         [](const Array& a, Array b) {
           b.shape.push_back(1);
           Arrays y{least_squares_of(a, b), residuals_of(a, b)};
           for (Array& x : y) x.shape.erase(x.shape.rank() - 1);
           return y;
         },
     .inputs = {{regular({4, 3}), real({4})}, {regular({2, 4, 3}), real({2, 4})}},
     .tolerance = 1e-12,
     .tolerance32 = 2e-5},
});

BOOST_AUTO_TEST_SUITE(qr_and_least_squares)

BOOST_AUTO_TEST_CASE(complete_factors) {
  for (const Shape& shape : {Shape{2, 5, 3}, Shape{60, 4}, Shape{3, 0}, Shape{2, 4}}) {
    const Tensor x = to_tensor({shape, regular(shape).values});
    const QAndR y = qr(x, QrMode::complete);
    const std::int64_t m = shape[shape.rank() - 2];
    BOOST_TEST((y.q.size(-1) == m && y.r.size(-2) == m));
    const Tensor unit = matmul(y.q.transpose(-2, -1), y.q) - eye(m, -1, float64);
    for (const double off : elements(unit)) BOOST_TEST(std::abs(off) < 1e-14);
    for (const double off : elements(matmul(y.q, y.r) - x)) BOOST_TEST(std::abs(off) < 1e-13);
    for (const double below : elements(tril(y.r, -1))) BOOST_TEST(below == 0);
  }
}

// Many in parallel, one that takes LAPACK's blocks.
BOOST_AUTO_TEST_CASE(many_small_matrices_and_one_large_one) {
  for (const Shape& shape : {Shape{300, 5, 4}, Shape{200, 150}}) {
    const Tensor x = to_tensor({shape, regular(shape).values});
    const QAndR y = qr(x);
    for (const double off : elements(matmul(y.q, y.r) - x)) BOOST_TEST(std::abs(off) < 1e-12);
  }
}

BOOST_AUTO_TEST_CASE(no_residuals_where_the_solution_is_exact) {
  BOOST_TEST((lstsq(eye(2), zeros({2})).residuals.shape() == Shape{0}));
  XTAPE_SAME(lstsq(tensor({{3, 4}}, float64), tensor({5}, float64)).residuals, {});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
