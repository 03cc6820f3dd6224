// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <utility>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/diagonal.hpp>
#include <xtape/autograd/ops/linalg.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "matrices.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

Array solve_of(const Array& a, const Array& b) {
  return stacked(common(a, b), a.shape.back(), b.shape.back(), [&](const Shape& i) {
    return product(eliminated(matrix(a, i)).inverse, matrix(b, i));
  });
}

Array cholesky_of(const Array& x) {
  const std::int64_t n = x.shape.back();
  return stacked(batch_of(x), n, n, [&](const Shape& index) {
    Array a = matrix(x, index);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        long double rest = j > i ? 0 : a(i, j);
        for (std::int64_t k = 0; k < j && j <= i; ++k) rest -= a(i, k) * a(j, k);
        a(i, j) = j > i ? 0 : j == i ? std::sqrt(rest) : rest / a(j, j);
      }
    }
    return a;
  });
}

// x x^T + 1/2: symmetric and positive definite.
Tensor definite(const Tensor& x) {
  return matmul(x, x.transpose(-2, -1)) + 0.5 * eye(x.size(-2), -1, x.dtype());
}
Array definite_of(const Array& x) {
  const std::int64_t n = x.shape[x.shape.rank() - 2];
  return stacked(batch_of(x), n, n, [&](const Shape& i) {
    Array y = product(matrix(x, i), transposed_of(matrix(x, i)));
    for (std::int64_t k = 0; k < n; ++k) y(k, k) += 0.5L;
    return y;
  });
}
Array triangle_of(const Array& a, bool upper, bool unit) {
  return made(a.shape, [&](const Shape& i) {
    const std::int64_t above = i[i.rank() - 1] - i[i.rank() - 2];
    if (above == 0) return unit ? 1.0L : at(a, i);
    return (above > 0) == upper ? at(a, i) : 0.0L;
  });
}

Array right_solve_of(const Array& a, const Array& b) {
  return transposed_each(solve_of(transposed_each(a), transposed_each(b)));
}

const std::vector<Sample> squares{{regular({3, 3})}, {regular({2, 4, 4})}, {regular({2, 1, 3, 3})},
                                  {regular({1, 1})}, {regular({9, 9})},    {real({0, 0})},
                                  {real({0, 3, 3})}, {real({2, 0, 0})}};

const std::vector<Sample> systems{
    {dominant({3, 3}), real({3, 2})},       {dominant({4, 4}), real({2, 4, 3})},
    {dominant({2, 3, 3}), real({3, 2})},    {dominant({2, 1, 3, 3}), real({4, 3, 2})},
    {dominant({2, 3, 3}), real({2, 3, 1})}, {dominant({1, 1}), real({1, 1})},
    {dominant({9, 9}), real({9, 3})},       {real({0, 0}), real({0, 2})},
    {dominant({0, 3, 3}), real({3, 2})},    {dominant({3, 3}), real({3, 0})}};

const std::vector<Sample> right_systems{
    {dominant({3, 3}), real({2, 3})},    {dominant({4, 4}), real({2, 3, 4})},
    {dominant({2, 3, 3}), real({2, 3})}, {dominant({2, 1, 3, 3}), real({4, 2, 3})},
    {dominant({9, 9}), real({3, 9})},    {real({0, 0}), real({2, 0})}};

const Rows rows({
    {.name = "cholesky",
     .f = [](const Tensor& x) { return cholesky(definite(x)); },
     .reference = [](const Array& x) { return cholesky_of(definite_of(x)); },
     .inputs = {{real({3, 4})},
                {real({2, 3, 3})},
                {real({2, 1, 3, 4})},
                {real({1, 1})},
                {real({9, 10})},
                {real({0, 2})},
                {real({0, 3, 3})}},
     .tolerance = 1e-12,
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return cholesky(zeros({2, 3}));
                    },
                    "cholesky: expected square matrices, got [2, 3]"),
                throws<ShapeError>([] { return cholesky(zeros({3})); },
                                   "at least 2 dimensions, got [3]"),
                throws<DTypeError>(
                    [] {
                      return cholesky(zeros({2, 2}, int64));
                    },
                    "cholesky: expected a floating dtype, got int64 [2, 2]"),
                throws<ValueError>([] { return cholesky(-eye(2)); },
                                   "cholesky: the matrix is not positive definite"),
                throws<ValueError>(
                    [] {
                      return cholesky(full({2, 2}, std::nan("")));
                    },
                    "not positive definite"),
                throws<ValueError>(
                    [] {
                      return cholesky(eye(2) * tensor({1, 1, 1, 0, 1, -1}).reshape({2, 3, 1, 1}));
                    },
                    "cholesky: the matrix at [1, 0] is not positive definite")}},
    {.name = "cholesky_upper",
     .f = [](const Tensor& x) { return cholesky(definite(x), true); },
     .reference = [](const Array& x) { return transposed_each(cholesky_of(definite_of(x))); },
     .inputs = {{real({3, 4})}, {real({2, 3, 3})}},
     .tolerance = 1e-12,
     .tolerance32 = 1e-5},
    {.name = "cholesky_solve",
     .f = [](const Tensor& l, const Tensor& b) { return cholesky_solve(b, l); },
     .reference =
         [](const Array& l, const Array& b) {
           const Array t = triangle_of(l, false, false);
           return solve_of(transposed_each(t), solve_of(t, b));
         },
     .inputs = systems,
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return cholesky_solve(zeros({3, 1}), eye(2));
                    },
                    "cholesky_solve: sizes of the matrix and of the right side differ, [2, 2] and "
                    "[3, 1]"),
                throws<ValueError>(
                    [] {
                      return cholesky_solve(zeros({2, 1}), zeros({2, 2}));
                    },
                    "cholesky_solve: the matrix is singular")}},
    {.name = "cholesky_solve_upper",
     .f = [](const Tensor& u, const Tensor& b) { return cholesky_solve(b, u, true); },
     .reference =
         [](const Array& u, const Array& b) {
           const Array t = triangle_of(u, true, false);
           return solve_of(t, solve_of(transposed_each(t), b));
         },
     .inputs = systems,
     .tolerance32 = 1e-5},
    {.name = "cholesky_inverse",
     .f =
         [](const Tensor& l) {
           return Tensors{cholesky_inverse(l), cholesky_inverse(l.transpose(-2, -1), true)};
         },
     .reference =
         [](const Array& l) {
           const Array t = triangle_of(l, false, false);
           const Array y =
               stacked(batch_of(t), t.shape.back(), t.shape.back(), [&](const Shape& i) {
                 return eliminated(product(matrix(t, i), transposed_of(matrix(t, i)))).inverse;
               });
           return Arrays{y, y};
         },
     .inputs = {{dominant({3, 3})}, {dominant({2, 4, 4})}, {real({0, 0})}, {real({0, 3, 3})}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return cholesky_inverse(zeros({2, 3}));
                    },
                    "cholesky_inverse: expected square matrices, got [2, 3]"),
                throws<ValueError>(
                    [] {
                      return cholesky_inverse(zeros({2, 2}));
                    },
                    "cholesky_inverse: the matrix is singular")}},
    {.name = "solve_triangular",
     .f = [](const Tensor& a, const Tensor& b) { return solve_triangular(a, b, {.upper = false}); },
     .reference = [](const Array& a,
                     const Array& b) { return solve_of(triangle_of(a, false, false), b); },
     .inputs = systems,
     .tolerance32 = 1e-5,
     .errors =
         {throws<ShapeError>([] { return solve_triangular(eye(2), zeros({2}), {.upper = true}); },
                             "solve_triangular: expected at least 2 dimensions, got [2]"),
          throws<ShapeError>(
              [] {
                return solve_triangular(eye(2), zeros({2, 3}), {.upper = true, .left = false});
              },
              "right side differ, [2, 2] and [2, 3]"),
          throws<ShapeError>(
              [] {
                return solve_triangular(zeros({3, 2, 2}), zeros({2, 2, 3}), {.upper = true});
              },
              "solve_triangular: shapes [3] and [2] do not broadcast"),
          throws<DTypeError>(
              [] {
                return solve_triangular(eye(2), zeros({2, 2}, float64), {.upper = true});
              },
              "float32 [2, 2] and float64 [2, 2]"),
          throws<ValueError>(
              [] {
                return solve_triangular(eye(2) * tensor({1, 0}).reshape({2, 1, 1}), zeros({2, 2}),
                                        {.upper = true});
              },
              "solve_triangular: the matrix at [1] is singular")}},
    {.name = "solve_triangular_upper",
     .f = [](const Tensor& a, const Tensor& b) { return solve_triangular(a, b, {.upper = true}); },
     .reference = [](const Array& a,
                     const Array& b) { return solve_of(triangle_of(a, true, false), b); },
     .inputs = systems,
     .tolerance32 = 1e-5},
    {.name = "solve_triangular_unit",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return Tensors{solve_triangular(a, b, {.upper = true, .unitriangular = true}),
                          solve_triangular(a, b, {.upper = false, .unitriangular = true})};
         },
     .reference =
         [](const Array& a, const Array& b) {
           return Arrays{solve_of(triangle_of(a, true, true), b),
                         solve_of(triangle_of(a, false, true), b)};
         },
     .inputs = {{real({3, 3}, -1, 1), real({3, 2})}, {real({2, 3, 3}, -1, 1), real({3, 2})}},
     .tolerance32 = 1e-5},
    {.name = "solve_triangular_right",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return Tensors{solve_triangular(a, b, {.upper = true, .left = false}),
                          solve_triangular(a, b, {.upper = false, .left = false})};
         },
     .reference =
         [](const Array& a, const Array& b) {
           return Arrays{right_solve_of(triangle_of(a, true, false), b),
                         right_solve_of(triangle_of(a, false, false), b)};
         },
     .inputs = right_systems,
     .tolerance32 = 1e-5},
    {.name = "solve",
     .f = [](const Tensor& a, const Tensor& b) { return solve(a, b); },
     .reference = solve_of,
     .inputs = {{regular({3, 3}), real({3, 2})},
                {regular({4, 4}), real({2, 4, 3})},
                {regular({2, 3, 3}), real({3, 2})},
                {regular({2, 1, 3, 3}), real({4, 3, 2})},
                {regular({1, 1}), real({1, 1})},
                {regular({9, 9}), real({9, 3})},
                {real({0, 0}), real({0, 2})},
                {regular({0, 3, 3}), real({3, 2})},
                {regular({3, 3}), real({3, 0})}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return solve(zeros({2, 3}), zeros({2}));
                    },
                    "solve: expected square matrices, got [2, 3]"),
                throws<ShapeError>(
                    [] { return solve(eye(2), zeros({3})); },
                    "solve: sizes of the matrix and of the right side differ, [2, 2] and [3]"),
                throws<ShapeError>([] { return solve(eye(2), scalar_tensor(1, float32)); },
                                   "solve: expected at least 2 dimensions"),
                throws<ShapeError>(
                    [] {
                      return solve(zeros({3, 2, 2}), zeros({4, 2, 1}));
                    },
                    "solve: shapes [3] and [4] do not broadcast"),
                throws<DTypeError>(
                    [] { return solve(eye(2), zeros({2}, float64)); },
                    "solve: expected one floating dtype, got float32 [2, 2] and float64 [2]"),
                throws<ValueError>(
                    [] {
                      return solve(ones({2, 2}), zeros({2}));
                    },
                    "solve: the matrix is singular"),
                throws<ValueError>(
                    [] {
                      return solve(eye(2) * tensor({1, 0}).reshape({2, 1, 1}), zeros({2}));
                    },
                    "solve: the matrix at [1] is singular")},
     .covers = {"lu"}},
    {.name = "solve_vector",
     .f = [](const Tensor& a, const Tensor& b) { return solve(a, b); },
     .reference =
         [](const Array& a, Array b) {
           b.shape.push_back(1);
           Array y = solve_of(a, b);
           y.shape.erase(y.shape.rank() - 1);
           return y;
         },
     .inputs = {{regular({3, 3}), real({3})},
                {regular({2, 3, 3}), real({3})},
                {regular({2, 3, 3}), real({2, 3})},
                {real({0, 0}), real({0})}},
     .tolerance32 = 1e-5},
    {.name = "solve_right",
     .f = [](const Tensor& a, const Tensor& b) { return solve(a, b, false); },
     .reference = right_solve_of,
     .inputs = {{regular({3, 3}), real({2, 3})},
                {regular({4, 4}), real({2, 3, 4})},
                {regular({2, 3, 3}), real({2, 3})},
                {regular({2, 1, 3, 3}), real({4, 2, 3})},
                {regular({9, 9}), real({3, 9})},
                {real({0, 0}), real({2, 0})},
                {regular({3, 3}), real({0, 3})}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return solve(eye(2), zeros({2, 3}), false);
                    },
                    "solve: sizes of the matrix and of the right side differ, [2, 2] and [2, 3]"),
                throws<ShapeError>([] { return solve(eye(2), zeros({2}), false); },
                                   "solve: expected at least 2 dimensions, got [2]"),
                throws<ValueError>(
                    [] {
                      return solve(ones({2, 2}), zeros({1, 2}), false);
                    },
                    "solve: the matrix is singular")}},
    {.name = "inv",
     .f = [](const Tensor& x) { return inv(x); },
     .reference =
         [](const Array& x) {
           return stacked(batch_of(x), x.shape.back(), x.shape.back(),
                          [&](const Shape& i) { return eliminated(matrix(x, i)).inverse; });
         },
     .inputs = squares,
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return inv(zeros({3, 2}));
                    },
                    "inv: expected square matrices, got [3, 2]"),
                throws<ValueError>(
                    [] {
                      return inv(zeros({2, 2, 2}));
                    },
                    "inv: the matrix at [0] is singular")}},
    {.name = "det",
     .f = [](const Tensor& x) { return det(x); },
     .reference =
         [](const Array& x) {
           return stacked(batch_of(x), -1, -1, [&](const Shape& i) {
             return Array{{}, {eliminated(matrix(x, i)).determinant}};
           });
         },
     .inputs = squares,
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return det(zeros({3, 2}));
                    },
                    "det: expected square matrices, got [3, 2]"),
                throws<ValueError>(
                    [] {
                      det(zeros({2, 2}).requires_grad_()).backward();
                    },
                    "det: the matrix is singular: the determinant has no gradient")}},
    {.name = "slogdet",
     .f =
         [](const Tensor& x) {
           const SignAndLogAbsDet y = slogdet(x);
           return Tensors{y.sign, y.logabsdet};
         },
     .reference =
         [](const Array& x) {
           const auto each = [&](auto f) {
             return stacked(batch_of(x), -1, -1, [&](const Shape& i) {
               return Array{{}, {f(eliminated(matrix(x, i)).determinant)}};
             });
           };
           return Arrays{each([](long double d) { return d < 0 ? -1.0L : 1.0L; }),
                         each([](long double d) { return std::log(std::abs(d)); })};
         },
     .inputs = squares,
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return slogdet(zeros({3, 2})).sign;
                    },
                    "slogdet: expected square matrices, got [3, 2]"),
                throws<ValueError>(
                    [] {
                      slogdet(zeros({2, 2}).requires_grad_()).logabsdet.backward();
                    },
                    "slogdet: the matrix is singular")}},
    {.name = "logdet",
     .f = [](const Tensor& x) { return logdet(definite(x)); },
     .reference =
         [](const Array& x) {
           const Array y = definite_of(x);
           return stacked(batch_of(y), -1, -1, [&](const Shape& i) {
             return Array{{}, {std::log(eliminated(matrix(y, i)).determinant)}};
           });
         },
     .inputs = {{real({3, 4})}, {real({2, 3, 3})}, {real({0, 2})}, {real({0, 3, 3})}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
         [] {
           return logdet(zeros({2, 3}));
         },
         "logdet: expected square matrices, got [2, 3]")}},
});

BOOST_AUTO_TEST_SUITE(linear_algebra)

BOOST_AUTO_TEST_CASE(cholesky_reads_the_lower_triangle_and_its_gradient_is_symmetric) {
  const Tensor x = tensor({{4, 100}, {2, 10}}, float64).requires_grad_();
  const Tensor l = cholesky(x);
  XTAPE_SAME(l, {2, 0, 1, 3});
  matmul(l, ones({2, 1}, float64)).sum().backward();
  const std::vector<double> g = elements(x.grad());
  BOOST_TEST(std::abs(g[1] - g[2]) < 1e-15);
  BOOST_TEST(std::abs(g[1] - 1.0 / 6) < 1e-15);
}

BOOST_AUTO_TEST_CASE(logarithms_of_no_positive_determinant) {
  const Tensor y = logdet(tensor({1, 0, 0, -2, 0, 0, 0, 1}, float64).view({2, 2, 2}));
  BOOST_TEST(std::isnan(elements(y)[0]));
  BOOST_TEST(elements(y)[1] == -std::numeric_limits<double>::infinity());
}

BOOST_AUTO_TEST_CASE(determinants_of_singular_matrices) {
  const Tensor x = ones({3, 3}, float64);
  XTAPE_SAME(det(x), {0});
  XTAPE_SAME(slogdet(x).sign, {0});
  XTAPE_SAME(slogdet(x).logabsdet, {-std::numeric_limits<double>::infinity()});
}

BOOST_AUTO_TEST_CASE(slogdet_where_the_determinant_overflows) {
  const Tensor x = 1e4 * eye(100, -1, float32);
  XTAPE_SAME(slogdet(x).sign, {1});
  BOOST_TEST(slogdet(x).logabsdet.item<double>() == 100 * std::log(1e4),
             boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(many_small_matrices_and_one_large_one) {
  const Tensor small = to_tensor({{300, 5, 5}, dominant({300, 5, 5}).values});
  const Tensor large =
      to_tensor({{200, 200}, dominant({200, 200}).values}) + 40 * eye(200, -1, float64);
  for (const Tensor& a : {small, large}) {
    const Tensor unit = eye(a.size(-1), -1, float64);
    for (const double off : elements(matmul(a, inv(a)) - unit)) BOOST_TEST(std::abs(off) < 1e-10);
    const Tensor l = cholesky(matmul(a, a.transpose(-2, -1)));
    const Tensor again = matmul(l, l.transpose(-2, -1)) - matmul(a, a.transpose(-2, -1));
    for (const double off : elements(again)) BOOST_TEST(std::abs(off) < 1e-8);
  }
}

BOOST_AUTO_TEST_CASE(a_transposed_triangle_is_read_where_it_lies) {
  constexpr std::int64_t n = 256;
  const Tensor l = to_tensor({{n, n}, dominant({n, n}).values}) + 40 * eye(n, -1, float64);
  const Tensor b = ones({n, 1}, float64);
  memory::reset_peak();
  const std::int64_t before = memory::stats().live_bytes;
  const Tensor x = solve_triangular(l.t(), b, {.upper = true});
  BOOST_TEST(memory::stats().peak_bytes - before < n * n * 8 / 2);
  const Tensor y = solve_triangular(l.t().contiguous(), b, {.upper = true});
  for (const double off : elements(x - y)) BOOST_TEST(std::abs(off) < 1e-14);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
