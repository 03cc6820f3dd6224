// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/diagonal.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/joining.hpp>
#include <xtape/autograd/ops/linalg.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "matrices.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

// By the normal equations: a^+ of full rank.
Array pinv_of(const Array& x) {
  const std::int64_t m = x.shape[x.shape.rank() - 2], n = x.shape.back();
  return stacked_each(x, {{n, m}}, [&](const Array& a) -> Arrays {
    const Array t = transposed_of(a);
    if (m >= n) return {product(eliminated(product(t, a)).inverse, t)};
    return {product(t, eliminated(product(a, t)).inverse)};
  })[0];
}

// a @ b of each matrix.
Array product_each(const Array& a, const Array& b) {
  return stacked(common(a, b), a.shape[a.shape.rank() - 2], b.shape.back(),
                 [&](const Shape& i) { return product(matrix(a, i), matrix(b, i)); });
}

Array least_squares_of(const Array& a, const Array& b) { return product_each(pinv_of(a), b); }

// Whatever the numbers, a of full column rank and b of full row rank: (a b)^+ is b^+ a^+.
Array pinv_of_product(const Array& a, const Array& b) {
  return product_each(pinv_of(b), pinv_of(a));
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

Tensor symmetric(const Tensor& x) { return x + x.transpose(-2, -1); }

// Symmetric matrices of rank 2 and 1; what stands above the diagonal is not read.
Tensor hermitian_pair(const Tensor& x, const Tensor& v) {
  const Tensor y = stack({symmetric(x), matmul(v, v.transpose(0, 1))});
  return y + tensor({{0, 100}, {0, 0}}).to(x.dtype());
}

const std::vector<Sample> rectangles{
    {regular({4, 3})},       {regular({3, 4})}, {regular({3, 3})}, {regular({2, 5, 3})},
    {regular({2, 1, 2, 3})}, {regular({1, 1})}, {regular({7, 5})}, {real({3, 0})},
    {real({0, 3})},          {real({0, 3, 2})}};

const Rows rows({
    {.name = "pinv",
     .f = [](const Tensor& x) { return pinv(x); },
     .reference = pinv_of,
     .inputs = rectangles,
     .tolerance = 1e-12,
     .tolerance32 = 2e-5,
     .errors = {throws<ShapeError>([] { return pinv(zeros({3})); },
                                   "pinv: expected at least 2 dimensions, got [3]"),
                throws<ShapeError>(
                    [] {
                      return pinv(zeros({3, 2}), {.hermitian = true});
                    },
                    "pinv: expected square matrices, got [3, 2]")}},
    {.name = "pinv_of_lower_rank",
     .f = [](const Tensor& a, const Tensor& b) { return pinv(matmul(a, b), {.rtol = 1e-4}); },
     .reference = pinv_of_product,
     .inputs = {{regular({4, 2}), regular({2, 3})}, {regular({2, 3, 2}), regular({2, 2, 5})}},
     .tolerance = 1e-12,
     .tolerance32 = 5e-5},
    {.name = "pinv_hermitian",
     .f =
         [](const Tensor& x, const Tensor& v) {
           return pinv(hermitian_pair(x, v), {.rtol = 1e-4, .hermitian = true});
         },
     .reference =
         [](const Array& x, const Array& v) {
           const Array full = made({2, 2}, [&](const Shape& i) {
             return at(x, {i[0], i[1]}) + at(x, {i[1], i[0]});
           });
           Array y = pinv_of(full);
           const Array other = pinv_of_product(v, transposed_of(v));
           y.values.insert(y.values.end(), other.values.begin(), other.values.end());
           y.shape = {2, 2, 2};
           return y;
         },
     .inputs = {{given({2, 2}, {1, 0.5, 0.25, -2}), given({2, 1}, {1, -0.5})}},
     .tolerance = 1e-12,
     .tolerance32 = 2e-5,
     .covers = {"mirrored"}},
    {.name = "matrix_rank",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return matrix_rank(x); },
     .reference =
         [](const Array& x) {
           return stacked(batch_of(x), -1, -1, [&](const Shape& i) {
             return Array{{}, {matrix(x, i)(0, 0)}};
           });
         },
     // The first element is the rank, too.
     .inputs = {{given({2, 3}, {2, 0, 0, 0, 3, 0})},
                {given({3, 2, 2}, {1, 2, 2, 4, 0, 0, 0, 0, 2, 1, 1, 2})}},
     .errors = {throws<ShapeError>([] { return matrix_rank(zeros({3})); },
                                   "matrix_rank: expected at least 2 dimensions, got [3]"),
                throws<ShapeError>(
                    [] {
                      return matrix_rank(zeros({3, 2}), {.hermitian = true});
                    },
                    "matrix_rank: expected square matrices, got [3, 2]")}},
    {.name = "lstsq",
     .f = [](const Tensor& a, const Tensor& b) { return lstsq(a, b).solution; },
     .reference = least_squares_of,
     .inputs = {{regular({4, 3}), real({4, 2})},
                {regular({3, 4}), real({3, 2})},
                {regular({3, 3}), real({3, 2})},
                {regular({2, 1, 4, 2}), real({3, 4, 1})},
                {regular({9, 7}), real({9, 3})},
                {real({3, 0}), real({3, 2})},
                {real({0, 3}), real({0, 2})},
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
                      return lstsq(full({2, 2}, std::nan("")), zeros({2})).solution;
                    },
                    "the matrix is not finite")}},
    // Tall, wide, square, and with a batch of right sides.
    {.name = "lstsq_of_lower_rank",
     .f = [](const Tensor& p, const Tensor& q,
             const Tensor& b) { return lstsq(matmul(p, q), b, 1e-4).solution; },
     .reference = [](const Array& p, const Array& q,
                     const Array& b) { return product_each(pinv_of_product(p, q), b); },
     .inputs = {{regular({5, 2}), regular({2, 3}), real({5, 2})},
                {regular({3, 2}), regular({2, 5}), real({3, 1})},
                {regular({2, 3, 1}), regular({2, 1, 3}), real({4, 1, 3, 2})},
                {regular({3, 2}), regular({2, 3}), real({3, 0})}},
     .tolerance = 1e-11,
     .tolerance32 = 1e-4},
    // Matrices of rank 3 and 1 side by side.
    {.name = "lstsq_of_several_ranks",
     .f =
         [](const Tensor& a, const Tensor& p, const Tensor& q, const Tensor& b) {
           return lstsq(stack({a, matmul(p, q)}), b, 1e-4).solution;
         },
     .reference =
         [](const Array& a, const Array& p, const Array& q, const Array& b) {
           Array inverses = pinv_of(a);
           const Array other = pinv_of_product(p, q);
           inverses.values.insert(inverses.values.end(), other.values.begin(), other.values.end());
           inverses.shape = {2, 3, 4};
           return product_each(inverses, b);
         },
     .inputs = {{regular({4, 3}), regular({4, 1}), regular({1, 3}), real({2, 4, 2})}},
     .tolerance = 1e-11,
     .tolerance32 = 1e-4},
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

BOOST_AUTO_TEST_SUITE(rank_and_least_squares)

BOOST_AUTO_TEST_CASE(what_counts_as_zero) {
  const Tensor x = diag_embed(tensor({4, 1, 1e-3, 0}, float64));
  const Tensor signs = diag_embed(tensor({-1, 1, -1, 1}, float64));
  const auto rank = [&](RankOptions o) {
    const auto n = matrix_rank(x, o).item<std::int64_t>();
    o.hermitian = true;
    BOOST_TEST(matrix_rank(matmul(x, signs), o).item<std::int64_t>() == n);
    return n;
  };
  BOOST_TEST(rank({}) == 3);
  BOOST_TEST(rank({.rtol = 0.01}) == 2);
  BOOST_TEST(rank({.rtol = 0.25}) == 1);
  BOOST_TEST(rank({.atol = 1e-4}) == 3);
  BOOST_TEST(rank({.atol = 2}) == 1);
  BOOST_TEST(rank({.atol = 1e-4, .rtol = 0.01}) == 2);
  XTAPE_SAME(diagonal(pinv(x, {.atol = 0.5})), {0.25, 1, 0, 0});
  XTAPE_SAME(diagonal(pinv(-x, {.atol = 0.5, .hermitian = true})), {-0.25, -1, 0, 0});
  BOOST_TEST(matrix_rank(zeros({2, 3, 0})).numel() == 2);
  BOOST_TEST((pinv(zeros({2, 0, 0}), {.hermitian = true}).shape() == Shape{2, 0, 0}));
}

BOOST_AUTO_TEST_CASE(rank_and_singular_values) {
  const Tensor a = tensor({{3, 0}, {0, -4}, {0, 0}}, float64);
  const Tensor both = stack({a, tensor({{0, 0}, {0, 0}, {0, 2}}, float64)}).requires_grad_();
  const LeastSquares y = lstsq(both, ones({3, 1}, float64));
  XTAPE_SAME(y.rank, {2, 1});
  XTAPE_SAME(y.singular_values, {4, 3, 2, 0});
  XTAPE_SAME(y.solution, {1.0 / 3, -0.25, 0, 0.5});
  BOOST_TEST((!y.singular_values.requires_grad() && y.rank.dtype() == int64));
  XTAPE_SAME(lstsq(a, ones({3}, float64)).rank, {2});
  XTAPE_SAME(lstsq(a, ones({3}, float64), 0.8).rank, {1});
  XTAPE_SAME(lstsq(a, ones({3}, float64), 0.8).solution, {0, -0.25});
  const LeastSquares none = lstsq(zeros({2, 3, 0}), zeros({3, 1}));
  XTAPE_SAME(none.rank, {0, 0});
  BOOST_TEST((none.singular_values.shape() == Shape{2, 0}));
}

// R's diagonal, all ones, says nothing of a singular value of 2e-18.
BOOST_AUTO_TEST_CASE(rank_that_the_diagonal_hides) {
  const std::int64_t n = 60;
  const Tensor a = eye(n, -1, float64) - triu(ones({n, n}, float64), 1);
  const LeastSquares y = lstsq(a, ones({n}, float64));
  BOOST_TEST(y.rank.item<std::int64_t>() == n - 1);
  for (const double x : elements(y.solution)) BOOST_TEST(std::abs(x) < 100);
}

// As PyTorch and NumPy: none where the solution is exact, or where a matrix is not of full rank.
BOOST_AUTO_TEST_CASE(where_there_are_no_residuals) {
  BOOST_TEST((lstsq(eye(2), zeros({2})).residuals.shape() == Shape{0}));
  XTAPE_SAME(lstsq(tensor({{3, 4}}, float64), tensor({5}, float64)).residuals, {});
  const LeastSquares y = lstsq(tensor({{1, 3}, {2, 6}, {3, 9}}), zeros({3}));
  BOOST_TEST((y.residuals.shape() == Shape{0}));
  BOOST_TEST(y.rank.item<std::int64_t>() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
