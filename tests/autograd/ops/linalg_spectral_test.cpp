// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/diagonal.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/linalg.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "matrices.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

Tensor symmetric(const Tensor& x) { return x + x.transpose(-2, -1); }
Array symmetric_of(const Array& a) {
  return made(a.shape, [&](const Shape& i) { return a(i[0], i[1]) + a(i[1], i[0]); });
}

// a[..., i, j] b[..., j, k] for each j, which no common sign of a's column and b's row changes.
Tensor outer_products(const Tensor& a, const Tensor& b) {
  return a.unsqueeze(-1) * b.unsqueeze(-3);
}
Array outer_products_of(const Array& a, const Array& b) {
  return made({a.shape[0], a.shape[1], b.shape[1]},
              [&](const Shape& i) { return a(i[0], i[1]) * b(i[1], i[2]); });
}

Array vector_of(std::vector<long double> values) {
  return {{static_cast<std::int64_t>(values.size())}, std::move(values)};
}

Arrays eigh_of(const Array& x) {
  const std::int64_t n = x.shape.back();
  return stacked_each(x, {{n}, {n, n, n}}, [](const Array& a) -> Arrays {
    const Spectrum y = spectrum(symmetric_of(a));
    return {vector_of(y.values), outer_products_of(y.vectors, transposed_of(y.vectors))};
  });
}

Arrays svd_of(const Array& x) {
  const std::int64_t m = x.shape[x.shape.rank() - 2], n = x.shape.back(), k = std::min(m, n);
  return stacked_each(x, {{k}, {m, k, n}}, [](const Array& a) -> Arrays {
    const Singular y = singular(a);
    return {vector_of(y.values), outer_products_of(y.u, y.vh)};
  });
}

Tensors vectors_invariant(const Tensors& y) {
  return {y[0], outer_products(y[1], y[1].transpose(-2, -1))};
}

const std::vector<Sample> squares{{regular({3, 3})}, {regular({2, 4, 4})}, {regular({2, 1, 3, 3})},
                                  {regular({1, 1})}, {regular({6, 6})},    {real({0, 0})},
                                  {real({0, 3, 3})}};
const std::vector<Sample> rectangles{
    {regular({4, 3})},       {regular({3, 4})}, {regular({3, 3})}, {regular({2, 5, 3})},
    {regular({2, 1, 2, 3})}, {regular({1, 1})}, {regular({7, 5})}, {real({3, 0})},
    {real({0, 3})},          {real({0, 3, 2})}};

const Rows rows({
    {.name = "eigh",
     .kind = Kind::gauge,
     .f =
         [](const Tensor& x) {
           const EigenvaluesAndVectors y = eigh(symmetric(x));
           return Tensors{y.eigenvalues, y.eigenvectors};
         },
     .reference = eigh_of,
     .inputs = squares,
     .tolerance = 1e-12,
     .tolerance32 = 2e-5,
     .invariant = vectors_invariant,
     .errors = {throws<ShapeError>(
                    [] {
                      return eigh(zeros({2, 3})).eigenvalues;
                    },
                    "eigh: expected square matrices, got [2, 3]"),
                throws<DTypeError>(
                    [] {
                      return eigh(zeros({2, 2}, int64)).eigenvalues;
                    },
                    "eigh: expected a floating dtype, got int64 [2, 2]"),
                throws<ValueError>(
                    [] {
                      return eigh(eye(2) / tensor({1, 0}).reshape({2, 1, 1})).eigenvalues;
                    },
                    "eigh: the matrix at [1] is not finite, or the iteration does not converge"),
                throws<ValueError>(
                    [] { eigh(eye(3).requires_grad_()).eigenvectors.sum().backward(); },
                    "eigh: the matrix has equal eigenvalues: their vectors have no gradient")}},
    {.name = "eigh_upper",
     .kind = Kind::gauge,
     .f =
         [](const Tensor& x) {
           const EigenvaluesAndVectors y = eigh(symmetric(x), true);
           return Tensors{y.eigenvalues, y.eigenvectors};
         },
     .reference = eigh_of,
     .inputs = {{regular({3, 3})}, {regular({2, 4, 4})}},
     .tolerance = 1e-12,
     .tolerance32 = 2e-5,
     .invariant = vectors_invariant},
    {.name = "eigvalsh",
     .f = [](const Tensor& x) { return eigvalsh(symmetric(x)); },
     .reference = [](const Array& x) { return eigh_of(x)[0]; },
     .inputs = squares,
     .tolerance = 1e-12,
     .tolerance32 = 1e-5},
    {.name = "svd",
     .kind = Kind::gauge,
     .f =
         [](const Tensor& x) {
           const SingularValuesAndVectors y = svd(x);
           return Tensors{y.u, y.s, y.vh};
         },
     .reference = svd_of,
     .inputs = rectangles,
     .tolerance = 1e-12,
     .tolerance32 = 2e-5,
     .invariant = [](const Tensors& y) -> Tensors {
       return {y[1], outer_products(y[0], y[2])};
     },
     .errors = {throws<ShapeError>([] { return svd(zeros({3})).s; },
                                   "svd: expected at least 2 dimensions, got [3]"),
                throws<DTypeError>(
                    [] {
                      return svd(zeros({2, 2}, int64)).s;
                    },
                    "svd: expected a floating dtype, got int64 [2, 2]"),
                throws<ValueError>(
                    [] {
                      return svd(full({2, 2, 3}, std::numeric_limits<double>::infinity())).s;
                    },
                    "svd: the matrix at [0] is not finite, or the iteration does not converge"),
                throws<ValueError>(
                    [] { svd(eye(3).requires_grad_()).u.sum().backward(); },
                    "svd: the matrix has equal singular values: their vectors have no gradient"),
                throws<ValueError>(
                    [] {
                      svd(tensor({{1, 0}, {0, 0}, {0, 0}}).requires_grad_()).u.sum().backward();
                    },
                    "svd: the matrix is not of full rank: its vectors have no gradient"),
                throws<GradError>(
                    [] {
                      svd(tensor({{1, 2, 3}}).requires_grad_(), true).vh.sum().backward();
                    },
                    "svd: the vectors of full_matrices have no gradient, they are [1, 1] and "
                    "[3, 3]")}},
    // u and vh each alone: rank-one matrices of a column of u, and of a row of vh.
    {.name = "svd_vectors",
     .kind = Kind::gauge,
     .f =
         [](const Tensor& x) {
           const SingularValuesAndVectors y = svd(x);
           return Tensors{outer_products(y.u, y.u.transpose(-2, -1)),
                          outer_products(y.vh.transpose(-2, -1), y.vh)};
         },
     .reference =
         [](const Array& x) {
           const std::int64_t m = x.shape[x.shape.rank() - 2], n = x.shape.back();
           const std::int64_t k = std::min(m, n);
           return stacked_each(x, {{m, k, m}, {n, k, n}}, [](const Array& a) -> Arrays {
             const Singular y = singular(a);
             return {outer_products_of(y.u, transposed_of(y.u)),
                     outer_products_of(transposed_of(y.vh), y.vh)};
           });
         },
     .inputs = {{regular({4, 3})}, {regular({3, 4})}, {regular({2, 3, 3})}},
     .tolerance = 1e-12,
     .tolerance32 = 2e-5},
    {.name = "svdvals",
     .f = [](const Tensor& x) { return svdvals(x); },
     .reference = [](const Array& x) { return svd_of(x)[0]; },
     .inputs = rectangles,
     .tolerance = 1e-12,
     .tolerance32 = 1e-5},
});

BOOST_AUTO_TEST_SUITE(spectra)

BOOST_AUTO_TEST_CASE(eigh_reads_one_triangle_and_its_gradient_is_symmetric) {
  const Tensor x = tensor({{2, 100}, {1, 2}}, float64).requires_grad_();
  const EigenvaluesAndVectors y = eigh(x);
  const std::vector<double> w = elements(y.eigenvalues);
  BOOST_TEST((std::abs(w[0] - 1) < 1e-14 && std::abs(w[1] - 3) < 1e-14));
  for (const double v : elements(eigvalsh(x.t(), true) - y.eigenvalues)) BOOST_TEST(v == 0);
  (y.eigenvectors[{0, 0}] * y.eigenvectors[{1, 0}]).backward();
  const std::vector<double> g = elements(x.grad());
  BOOST_TEST(std::abs(g[1] - g[2]) < 1e-15);
}

// Nothing of the vectors is needed: the trace of a function of equal eigenvalues has a gradient.
BOOST_AUTO_TEST_CASE(gradients_of_equal_values) {
  const Tensor x = (2 * eye(3, -1, float64)).detach().requires_grad_();
  const Tensor w = eigvalsh(x);
  (w * w).sum().backward();
  for (const double off : elements(x.grad() - 4 * eye(3, -1, float64))) {
    BOOST_TEST(std::abs(off) < 1e-14);
  }
  const Tensor a = eye(3, 2, float64).requires_grad_();
  svdvals(a).sum().backward();
  for (const double off : elements(a.grad() - a.detach())) BOOST_TEST(std::abs(off) < 1e-14);
}

BOOST_AUTO_TEST_CASE(full_matrices) {
  for (const Shape& shape : {Shape{2, 5, 3}, Shape{3, 6}, Shape{3, 0}, Shape{60, 70}}) {
    const Tensor x = to_tensor({shape, regular(shape).values}).requires_grad_();
    const SingularValuesAndVectors y = svd(x, true);
    const std::int64_t m = x.size(-2), n = x.size(-1), k = std::min(m, n);
    const Tensor unit_m = matmul(y.u.transpose(-2, -1), y.u) - eye(m, -1, float64);
    const Tensor unit_n = matmul(y.vh, y.vh.transpose(-2, -1)) - eye(n, -1, float64);
    for (const double off : elements(unit_m)) BOOST_TEST(std::abs(off) < 1e-13);
    for (const double off : elements(unit_n)) BOOST_TEST(std::abs(off) < 1e-13);
    const Tensor u = y.u[{ellipsis, slice(none, k)}];
    const Tensor vh = y.vh[{ellipsis, slice(none, k), slice()}];
    const Tensor again = matmul(u * y.s.unsqueeze(-2), vh) - x;
    for (const double off : elements(again)) BOOST_TEST(std::abs(off) < 1e-12);
    if (k == 0) continue;
    const Tensor g = grad({y.s.sum()}, {x})[0];
    for (const double off : elements(g - matmul(u, vh))) BOOST_TEST(std::abs(off) < 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(many_small_matrices_and_one_large_one) {
  for (const Shape& shape : {Shape{300, 5, 5}, Shape{120, 120}}) {
    const Tensor x = symmetric(to_tensor({shape, regular(shape).values}));
    const EigenvaluesAndVectors y = eigh(x);
    const Tensor v = y.eigenvectors;
    const Tensor again = matmul(v * y.eigenvalues.unsqueeze(-2), v.transpose(-2, -1)) - x;
    for (const double off : elements(again)) BOOST_TEST(std::abs(off) < 1e-12);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
