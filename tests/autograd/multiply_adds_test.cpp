// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <xtape/autograd/multiply_adds.hpp>
#include <xtape/autograd/ops/attention.hpp>
#include <xtape/autograd/ops/convolution.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/linalg.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/recurrent.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/tape.hpp>

namespace {

using namespace xtape;

template <class F>
std::int64_t counted(F f) {
  const MultiplyAdds work;
  f();
  return work.total();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(multiply_adds)

BOOST_AUTO_TEST_CASE(products) {
  const Tensor a = zeros({2, 3, 4}), b = zeros({4, 5}), v = zeros({4}), none;
  BOOST_TEST(counted([&] { matmul(a, b); }) == 2 * 3 * 4 * 5);
  BOOST_TEST(counted([&] { matmul(a, v); }) == 2 * 3 * 4);
  BOOST_TEST(counted([&] { dot(v, v); }) == 4);
  BOOST_TEST(counted([&] { addmm(zeros({5}), zeros({3, 4}), b); }) == 3 * 4 * 5);
  BOOST_TEST(counted([&] { linear(a, zeros({5, 4}), none); }) == 2 * 3 * 4 * 5);
  BOOST_TEST(counted([&] { matmul(zeros({0, 4}), b); }) == 0);
  BOOST_TEST(counted([&] { matmul(zeros({3, 0}), zeros({0, 2})); }) == 0);
}

// Others may call their operations as the library does its own.
BOOST_AUTO_TEST_CASE(operations_of_others) {
  const Tensor x = ones({3}).requires_grad_();
  BOOST_TEST(counted([&] {
               Tensor y = ones({3});
               record("gru_gate", y, {x}, saves(), [](Backward& t) { t.add(0, t.g()); });
             }) == 0);
}

// A gradient of a product is a product as large, one for each factor.
BOOST_AUTO_TEST_CASE(gradients) {
  const Tensor a = ones({3, 4}).requires_grad_(), b = ones({4, 5}).requires_grad_();
  BOOST_TEST(counted([&] { matmul(a, b).sum().backward(); }) == 3 * (3 * 4 * 5));
  const Tensor x = ones({2, 4, 6, 6}).requires_grad_(), w = ones({6, 2, 3, 3}).requires_grad_();
  const std::int64_t once = 2 * 6 * 4 * 4 * 2 * 3 * 3;
  BOOST_TEST(counted([&] { conv2d(x, w, {}, {.groups = 2}).sum().backward(); }) == 3 * once);
  const Tensor line = ones({4, 6}).requires_grad_(), taps = ones({6, 4, 3}).requires_grad_();
  BOOST_TEST(counted([&] { conv1d(line, taps).sum().backward(); }) == 3 * (6 * 4 * 4 * 3));
  const Tensor wide = ones({6, 5}).requires_grad_();
  BOOST_TEST(counted([&] { conv_transpose1d(wide, taps).sum().backward(); }) ==
             3 * (6 * 5 * 4 * 3));
}

BOOST_AUTO_TEST_CASE(fused_layers) {
  const Tensor q = zeros({2, 3, 4}), k = zeros({2, 5, 4}), v = zeros({2, 5, 6});
  BOOST_TEST(counted([&] { scaled_dot_product_attention(q, k, v); }) == 2 * 3 * 5 * (4 + 6));
  const RecurrentWeights w{zeros({15, 3}), zeros({15, 5}), {}, {}};
  BOOST_TEST(counted([&] { gru(zeros({7, 2, 3}), {}, w); }) == 7 * 2 * 15 * (3 + 5));
  BOOST_TEST(counted([&] { gru_cell(zeros({3}), zeros({5}), w); }) == 15 * (3 + 5));
}

BOOST_AUTO_TEST_CASE(linear_algebra) {
  const Tensor a = eye(6).expand({2, 6, 6}), b = zeros({6, 5});
  BOOST_TEST(counted([&] { cholesky(a); }) == 2 * (6 * 6 * 6) / 6);
  BOOST_TEST(counted([&] { solve_triangular(a, b, {.upper = true}); }) == 2 * (6 * 6 * 5) / 2);
  BOOST_TEST(counted([&] { solve(a, b); }) == 2 * (6 * 6 * 6 / 3 + 6 * 6 * 5));
  BOOST_TEST(counted([&] { inv(a); }) == 2 * (6 * 6 * 6 / 3 + 6 * 6 * 6));
  BOOST_TEST(counted([&] { det(a); }) == 2 * (6 * 6 * 6 / 3));
  BOOST_TEST(counted([&] { qr(zeros({9, 6})); }) == 2 * (6 * 6 * 9 - 6 * 6 * 6 / 3));
  BOOST_TEST(counted([&] {
               qr(zeros({9, 6}), QrMode::complete);
             }) == 6 * 6 * 9 - 6 * 6 * 6 / 3 + 2 * (9 * 9 * 6 - 9 * 6 * 6 + 6 * 6 * 6 / 3));
  BOOST_TEST(counted([&] { eigh(a); }) == 2 * (9 * 6 * 6 * 6 / 2));
  BOOST_TEST(counted([&] { eigvalsh(a); }) == 2 * (2 * 6 * 6 * 6 / 3));
  BOOST_TEST(counted([&] { svd(zeros({6, 9})); }) == 7 * 9 * 6 * 6 + 4 * 6 * 6 * 6);
  BOOST_TEST(counted([&] { svdvals(zeros({9, 6})); }) == 2 * 9 * 6 * 6 - 2 * 6 * 6 * 6 / 3);
  BOOST_TEST(counted([&] { solve(zeros({0, 0}), zeros({0, 2})); }) == 0);
  // Of the gradient, a solution and a product: no second factorisation.
  const Tensor x = eye(6).requires_grad_();
  BOOST_TEST(counted([&] { solve(x, b).sum().backward(); }) == 6 * 6 * 6 / 3 + 3 * (6 * 6 * 5));
}

// One inside another counts its own; what came before does not count.
BOOST_AUTO_TEST_CASE(nested) {
  const Tensor a = zeros({2, 2});
  mm(a, a);
  const MultiplyAdds outer;
  mm(a, a);
  BOOST_TEST(counted([&] { mm(a, a); }) == 8);
  BOOST_TEST(outer.total() == 16);
  BOOST_TEST(outer.of_module("") == 16);
  BOOST_TEST(outer.of_module("Net") == 0);
}

BOOST_AUTO_TEST_SUITE_END()
