// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <xtape/autograd/multiply_adds.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
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

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// f(matrix) for every matrix, numbers.
template <class F>
Array numbers_of(const Array& x, F f) {
  return stacked(batch_of(x), -1, -1, [&](const Shape& i) { return Array{{}, {f(matrix(x, i))}}; });
}

long double frobenius(const Array& a) {
  long double sum = 0;
  for (const long double v : a.values) sum += v * v;
  return std::sqrt(sum);
}

long double nuclear(const Array& a) {
  long double sum = 0;
  for (const long double v : singular(a).values) sum += v;
  return sum;
}

// The largest or smallest sum of |a| along rows.
long double extreme_row(const Array& a, bool largest) {
  std::vector<long double> sums(static_cast<std::size_t>(a.shape[0]));
  for (std::int64_t i = 0; i < a.shape[0]; ++i) {
    for (std::int64_t j = 0; j < a.shape[1]; ++j) {
      sums[static_cast<std::size_t>(i)] += std::abs(a(i, j));
    }
  }
  return largest ? *std::max_element(sums.begin(), sums.end())
                 : *std::min_element(sums.begin(), sums.end());
}

long double norm_of(const Array& a, double ord) {
  if (std::isinf(ord)) return extreme_row(a, ord > 0);
  if (std::abs(ord) == 1) return extreme_row(transposed_of(a), ord > 0);
  const std::vector<long double> s = singular(a).values;
  return ord > 0 ? s.front() : s.back();
}

Array power_of(const Array& x, int n) {
  return stacked(batch_of(x), x.shape.back(), x.shape.back(), [&](const Shape& i) {
    const Array once = n < 0 ? eliminated(matrix(x, i)).inverse : matrix(x, i);
    Array y = identity_of(x.shape.back());
    for (int k = 0; k < std::abs(n); ++k) y = product(y, once);
    return y;
  });
}

const std::vector<Sample> matrices{
    {regular({4, 3})}, {regular({3, 4})}, {regular({2, 3, 3})}, {regular({2, 1, 5, 2})}};
const std::vector<Sample> squares{{regular({3, 3})}, {regular({2, 4, 4})}, {regular({1, 1})}};

Row matrix_norm_row(const char* name, double ord) {
  Row row{.name = name, .inputs = matrices, .tolerance = 1e-12, .tolerance32 = 1e-5};
  row.f = [ord](const Tensor& x) { return matrix_norm(x, ord); };
  row.reference = [ord](const Array& x) {
    return numbers_of(x, [&](const Array& a) { return norm_of(a, ord); });
  };
  return row;
}

const Rows rows({
    {.name = "vector_norm",
     .f = [](const Tensor& x) { return vector_norm(x, 3, {-1}, true); },
     .reference =
         [](const Array& x) {
           return reduced(x, {x.shape.rank() - 1}, true, [](const std::vector<long double>& v) {
             long double sum = 0;
             for (const long double each : v) sum += std::pow(std::abs(each), 3.0L);
             return std::cbrt(sum);
           });
         },
     .inputs = {{real({3, 4})}, {real({2, 3, 5})}}},
    {.name = "matrix_norm",
     .f = [](const Tensor& x) { return matrix_norm(x); },
     .reference = [](const Array& x) { return numbers_of(x, frobenius); },
     .inputs = {{real({4, 3})}, {real({2, 3, 3})}, {real({0, 2, 2})}, {real({2, 0, 3})}},
     .errors = {throws<IndexError>([] { return matrix_norm(zeros({3})); },
                                   "matrix_norm: expected dim in [-1, 0]"),
                throws<IndexError>(
                    [] {
                      return matrix_norm(zeros({3, 2}), MatrixNorm::nuc, {0, -2});
                    },
                    "matrix_norm: dimensions [0, -2] of shape [3, 2] are no matrices"),
                throws<ShapeError>(
                    [] {
                      return matrix_norm(zeros({3, 2}), 1, {0});
                    },
                    "matrix_norm: expected two dimensions, got [0]"),
                throws<DTypeError>(
                    [] {
                      return matrix_norm(ones({2, 2}, int64));
                    },
                    "matrix_norm: expected a floating dtype, got int64 [2, 2]"),
                throws<ValueError>(
                    [] {
                      return matrix_norm(ones({2, 2}), 3);
                    },
                    "matrix_norm: expected ord 1, 2, infinity or their negatives, got 3")}},
    {.name = "matrix_norm_nuc",
     .f = [](const Tensor& x) { return matrix_norm(x, MatrixNorm::nuc); },
     .reference = [](const Array& x) { return numbers_of(x, nuclear); },
     .inputs = matrices,
     .tolerance = 1e-12,
     .tolerance32 = 1e-5},
    matrix_norm_row("matrix_norm_1", 1),
    matrix_norm_row("matrix_norm_minus_1", -1),
    matrix_norm_row("matrix_norm_2", 2),
    matrix_norm_row("matrix_norm_minus_2", -2),
    matrix_norm_row("matrix_norm_inf", kInfinity),
    matrix_norm_row("matrix_norm_minus_inf", -kInfinity),
    // The matrices in the first and the last dimension.
    {.name = "matrix_norm_dims",
     .f =
         [](const Tensor& x) {
           return Tensors{matrix_norm(x, 1, {0, -1}, true), matrix_norm(x, kInfinity, {-1, 0}),
                          matrix_norm(x, MatrixNorm::fro, {-1, 0}, true)};
         },
     .reference =
         [](const Array& x) {
           const auto each = [&](bool keepdim, auto f) {
             Array y{keepdim ? Shape{1, x.shape[1], 1} : Shape{x.shape[1]}, {}};
             for (std::int64_t j = 0; j < x.shape[1]; ++j) {
               y.values.push_back(f(made({x.shape[0], x.shape[2]},
                                         [&](const Shape& i) { return x(i[0], j, i[1]); })));
             }
             return y;
           };
           const auto largest_column = [](const Array& a) { return norm_of(a, 1); };
           return Arrays{each(true, largest_column), each(false, largest_column),
                         each(true, frobenius)};
         },
     .inputs = {{real({4, 2, 3})}}},
    {.name = "cond",
     .f = [](const Tensor& x) { return cond(x); },
     .reference =
         [](const Array& x) {
           return numbers_of(x, [](const Array& a) { return norm_of(a, 2) / norm_of(a, -2); });
         },
     .inputs = matrices,
     .tolerance = 1e-12,
     .tolerance32 = 2e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return cond(zeros({3, 2}), 1);
                    },
                    "cond: expected square matrices, got [3, 2]"),
                throws<ShapeError>([] { return cond(zeros({3})); },
                                   "cond: expected at least 2 dimensions, got [3]")}},
    {.name = "cond_of_norms",
     .f =
         [](const Tensor& x) {
           return Tensors{cond(x, -2), cond(x, 1), cond(x, MatrixNorm::fro)};
         },
     .reference =
         [](const Array& x) {
           return Arrays{
               numbers_of(x, [](const Array& a) { return norm_of(a, -2) / norm_of(a, 2); }),
               numbers_of(x,
                          [](const Array& a) {
                            return norm_of(a, 1) * norm_of(eliminated(a).inverse, 1);
                          }),
               numbers_of(x, [](const Array& a) {
                 return frobenius(a) * frobenius(eliminated(a).inverse);
               })};
         },
     .inputs = {{regular({3, 3})}, {regular({2, 4, 4})}},
     .tolerance = 1e-12,
     .tolerance32 = 2e-5},
    {.name = "matrix_power",
     .f = [](const Tensor& x) { return matrix_power(x, 5); },
     .reference = [](const Array& x) { return power_of(x, 5); },
     .inputs = squares,
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
                    [] {
                      return matrix_power(zeros({3, 2}), 2);
                    },
                    "matrix_power: expected square matrices, got [3, 2]"),
                throws<ValueError>(
                    [] {
                      return matrix_power(zeros({2, 2}), -1);
                    },
                    "inv: the matrix is singular")}},
    {.name = "matrix_power_minus_3",
     .f = [](const Tensor& x) { return matrix_power(x, -3); },
     .reference = [](const Array& x) { return power_of(x, -3); },
     .inputs = squares,
     .tolerance = 1e-12,
     .tolerance32 = 2e-5},
    {.name = "multi_dot",
     .f =
         [](const Tensor& a, const Tensor& b, const Tensor& c, const Tensor& d) {
           return multi_dot({a, b, c, d});
         },
     .reference = [](const Array& a, const Array& b, const Array& c,
                     const Array& d) { return product(product(a, b), product(c, d)); },
     .inputs = {{real({3, 4}), real({4, 2}), real({2, 5}), real({5, 3})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return multi_dot({zeros({2, 3}), zeros({3, 2}), zeros({3, 1})});
                    },
                    "multi_dot: tensor 2 does not fit, [3, 2] @ [3, 1]"),
                throws<ShapeError>(
                    [] {
                      return multi_dot({zeros({1, 2, 3}), zeros({3, 2})});
                    },
                    "multi_dot: tensor 0 does not fit, [1, 2, 3]"),
                throws<ValueError>(
                    [] {
                      return multi_dot({zeros({2, 3})});
                    },
                    "multi_dot: expected two tensors or more, got 1"),
                throws<DTypeError>(
                    [] {
                      return multi_dot({zeros({2, 3}, int64), zeros({3, 2})});
                    },
                    "multi_dot: expected a floating dtype, got int64 [2, 3]")}},
    {.name = "multi_dot_vectors",
     .f =
         [](const Tensor& a, const Tensor& b, const Tensor& c) {
           return multi_dot({a, b, c});
         },
     .reference =
         [](Array a, const Array& b, Array c) {
           a.shape = {1, a.shape[0]};
           c.shape = {c.shape[0], 1};
           Array y = product(product(a, b), c);
           y.shape = {};
           return y;
         },
     .inputs = {{real({3}), real({3, 4}), real({4})}}},
});

BOOST_AUTO_TEST_SUITE(matrix_norms_and_chains)

BOOST_AUTO_TEST_CASE(power_zero_is_the_identity) {
  const Tensor y = matrix_power(zeros({2, 2, 2}).requires_grad_(), 0);
  BOOST_TEST(!y.requires_grad());
  XTAPE_SAME(y, {1, 0, 0, 1, 1, 0, 0, 1});
}

BOOST_AUTO_TEST_CASE(a_chain_takes_the_order_of_least_work) {
  const MultiplyAdds work;
  multi_dot({zeros({10, 100}), zeros({100, 5}), zeros({5, 50})});
  BOOST_TEST(work.total() == 10 * 100 * 5 + 10 * 5 * 50);
  const MultiplyAdds more;
  multi_dot({zeros({50, 5}), zeros({5, 100}), zeros({100, 10}), zeros({10})});
  BOOST_TEST(more.total() == 100 * 10 + 5 * 100 + 50 * 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
