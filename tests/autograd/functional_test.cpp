// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/functional.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <vector>

#include <xtape/autograd/gradcheck.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/autograd/sweep.hpp>

#include "expect.hpp"

BOOST_AUTO_TEST_SUITE(functional)

using namespace xtape;
using namespace xtape::test;

namespace {

using Tensors = std::vector<Tensor>;

Tensor numbers(std::initializer_list<double> values) { return tensor(values, float64); }

// y0 = a^2 b, y1 = sum(a) + sin(b)
Tensors two(const Tensor& a, const Tensor& b) { return {a * a * b, a.sum() + sin(b)}; }

double largest_difference(const Tensor& a, const Tensor& b) {
  BOOST_REQUIRE(a.shape() == b.shape());
  return amax(abs(a - b)).item<double>();
}

}  // namespace

BOOST_AUTO_TEST_CASE(vjp_is_seed_times_jacobian) {
  const auto [y, g] = vjp([](const Tensor& x) { return x * x; }, numbers({1, 2}), numbers({10, 1}));
  XTAPE_SAME(y, {1, 4});
  XTAPE_SAME(g, {20, 4});
  BOOST_TEST(!y.requires_grad());
  BOOST_TEST(!g.requires_grad());
  const auto [s, slope] = vjp([](const Tensor& x) { return (x * x).sum(); }, numbers({1, 2}));
  BOOST_TEST(s.item<double>() == 5);
  XTAPE_SAME(slope, {2, 4});
}

BOOST_AUTO_TEST_CASE(vjp_of_several) {
  const Tensor a = numbers({1, 2}), b = numbers({0, 3});
  const auto [ys, gs] = vjp(two, {a, b}, {numbers({1, 1}), numbers({2, 0})});
  BOOST_TEST(ys.size() == 2u);
  XTAPE_SAME(gs[0], {2 * 1 * 0 + 2, 2 * 2 * 3 + 2});
  XTAPE_SAME(gs[1], {1 + 2 * std::cos(0.0), 4});
}

BOOST_AUTO_TEST_CASE(inputs_are_left_alone) {
  Tensor x = leaf({1, 2});
  vjp([](const Tensor& t) { return t.sum(); }, x);
  hessian([](const Tensor& t) { return (t * t).sum(); }, x);
  BOOST_TEST(!x.grad().defined());
  Tensor plain = numbers({1});
  vjp([](const Tensor& t) { return t.sum(); }, plain);
  BOOST_TEST(!plain.requires_grad());
}

BOOST_AUTO_TEST_CASE(jvp_is_jacobian_times_direction) {
  manual_seed(3);
  const Tensor w = randn({4, 3}, float64), x = randn({3}, float64), v = randn({3}, float64);
  const auto f = [&](const Tensor& t) { return tanh(matmul(w, t)); };
  const auto [y, t] = jvp(f, x, v);
  BOOST_TEST(largest_difference(y, f(x)) == 0);
  BOOST_TEST(largest_difference(t, matmul(jacobian(f, x), v)) < 1e-14);
}

BOOST_AUTO_TEST_CASE(jacobian_has_the_shape_of_output_and_input) {
  manual_seed(4);
  const Tensor w = randn({4, 3}, float64);
  const Tensor j = jacobian([&](const Tensor& x) { return matmul(w, x); }, randn({3, 2}, float64));
  BOOST_TEST((j.shape() == Shape{4, 2, 3, 2}));
  double wrong = 0;
  for (int i = 0; i < 4; ++i) {
    for (int k = 0; k < 3; ++k) {
      wrong += std::abs((j[{i, 1, k, 1}].item<double>() - w[{i, k}].item<double>()));
      wrong += std::abs(j[{i, 1, k, 0}].item<double>());
    }
  }
  BOOST_TEST(wrong == 0);
  const auto blocks = jacobian(two, {numbers({1, 2}), numbers({0, 3})});
  XTAPE_SAME(blocks[0][0], {0, 0, 0, 12});
  XTAPE_SAME(blocks[1][0], {1, 1, 1, 1});
  XTAPE_SAME(blocks[0][1], {1, 0, 0, 4});
}

BOOST_AUTO_TEST_CASE(hessian_and_its_products) {
  // x0^3 x1 + x1^2: [[6 x0 x1, 3 x0^2], [3 x0^2, 2]]
  const auto f = [](const Tensor& x) { return x[0] * x[0] * x[0] * x[1] + x[1] * x[1]; };
  const Tensor x = numbers({2, 5});
  XTAPE_SAME(hessian(f, x), {60, 12, 12, 2});
  const auto [y, product] = hvp(f, x, numbers({1, 2}));
  BOOST_TEST(y.item<double>() == 65);
  XTAPE_SAME(product, {84, 16});
  const auto blocks = hessian([](const Tensor& a, const Tensor& b) { return (a * a * b).sum(); },
                              {numbers({2, 3}), numbers({5, 7})});
  XTAPE_SAME(blocks[0][0], {10, 0, 0, 14});
  XTAPE_SAME(blocks[0][1], {4, 0, 0, 6});
  XTAPE_SAME(blocks[1][1], {0, 0, 0, 0});
}

BOOST_AUTO_TEST_CASE(what_does_not_matter_has_derivative_zero) {
  const auto f = [](const Tensor& a, const Tensor&) { return a.sum(); };
  const auto [ys, gs] = vjp(f, {numbers({1}), numbers({1, 2})}, {});
  XTAPE_SAME(gs[1], {0, 0});
  const auto constant = [](const Tensor&) { return numbers({4}); };
  XTAPE_SAME(jvp(constant, numbers({1}), numbers({1})).second, {0});
  XTAPE_SAME(jacobian(constant, numbers({1, 2})), {0, 0});
  XTAPE_SAME(hessian([](const Tensor& x) { return x.sum(); }, numbers({1, 2})), {0, 0, 0, 0});
  BOOST_TEST((jacobian(
                  [](const Tensor& x) {
                    return x.reshape({0, 2});
                  },
                  zeros({0}, float64))
                  .shape() == Shape{0, 2, 0}));
}

BOOST_AUTO_TEST_CASE(create_graph_leaves_the_numbers_as_they_are) {
  const Tensor a = leaf({2}), b = a * a;
  const auto captures = [&](const Tensor& u) { return u * a; };
  const auto product = [](const Tensor& u, const Tensor& v) { return u * v; };
  for (const bool create_graph : {false, true}) {
    const FunctionalOptions options{.create_graph = create_graph};
    XTAPE_SAME(jacobian(captures, a, options), {2});
    const auto both = jacobian(product, {a, b}, options);
    XTAPE_SAME(both[0][0], {4});
    XTAPE_SAME(both[0][1], {2});
  }
  const Tensor slope = jacobian(captures, a, {.create_graph = true});
  XTAPE_SAME(grad({slope.sum()}, {a})[0], {1});
}

BOOST_AUTO_TEST_CASE(create_graph_records_the_results) {
  const auto f = [](const Tensor& x) { return (x * x * x).sum(); };
  const Tensor v = numbers({1, 1});
  const FunctionalOptions graph{.create_graph = true};
  const Tensor x = numbers({0.5, -2});
  BOOST_TEST(bool(gradcheck([&](const Tensor& t) { return vjp(f, t, {}, graph).second; }, {x})));
  BOOST_TEST(bool(gradcheck([&](const Tensor& t) { return jvp(f, t, v, graph).second; }, {x})));
  BOOST_TEST(bool(gradcheck([&](const Tensor& t) { return hvp(f, t, v, graph).second; }, {x})));
  BOOST_TEST(bool(gradcheck([&](const Tensor& t) { return jacobian(f, t, graph); }, {x})));
  BOOST_TEST(bool(gradcheck([&](const Tensor& t) { return hessian(f, t, graph); }, {x})));
  Tensor w = leaf({2});
  hvp([&](const Tensor& t) { return (w * t * t * t).sum(); }, x, v, graph).second.sum().backward();
  XTAPE_SAME(w.grad(), {6 * 0.5 - 6 * 2});
}

BOOST_AUTO_TEST_CASE(wrong_calls) {
  const auto square = [](const Tensor& x) { return x * x; };
  const Tensor x = numbers({1, 2});
  BOOST_CHECK_EXCEPTION(vjp(square, x), GradError, says("a seed gradient"));
  BOOST_CHECK_EXCEPTION(vjp(square, x, numbers({1})), ShapeError,
                        says("vjp: expected v 0 to be float64 [2], got float64 [1]"));
  BOOST_CHECK_EXCEPTION(jvp(square, x, numbers({1})), ShapeError, says("jvp: expected v 0"));
  BOOST_CHECK_EXCEPTION(jvp(two, {x, x}, {x}), ValueError, says("jvp: expected 2 v, got 1"));
  BOOST_CHECK_EXCEPTION(hvp(square, x, x), GradError,
                        says("hvp: expected a function with a scalar"));
  BOOST_CHECK_EXCEPTION(hessian(square, x), GradError, says("hessian: expected a function"));
  BOOST_CHECK_EXCEPTION(vjp(two, {x}, {x, x}), ValueError, says("cannot be called with 1 tensor"));
  BOOST_CHECK_EXCEPTION(jacobian(
                            [](const Tensor& t) {
                              return Tensors{t, t};
                            },
                            x),
                        ValueError, says("jacobian: expected a function with one result, got 2"));
}

BOOST_AUTO_TEST_SUITE_END()
