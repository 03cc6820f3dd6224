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
});

BOOST_AUTO_TEST_SUITE(qr_factorisation)

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
