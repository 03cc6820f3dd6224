// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/convolution.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/autograd/pointwise.hpp>
#include <xtape/autograd/sweep.hpp>

#include "expect.hpp"

// Gradients of gradients of gradients against closed forms.
BOOST_AUTO_TEST_SUITE(third_derivatives)

using namespace xtape;
using namespace xtape::test;

namespace {

// f'''(x): of each element alone, or of a scalar x that moves everything.
template <class F>
Tensor third(F f, const Tensor& at) {
  const Tensor x = at.detach().clone().requires_grad_();
  Tensor y = f(x);
  for (int order = 1; order <= 3; ++order) {
    y = grad({sum(y)}, {x}, {.create_graph = true})[0];
  }
  return y;
}

void check_near(const Tensor& got, const Tensor& expected) {
  BOOST_TEST_REQUIRE((got.shape() == expected.shape()));
  const Values a = elements(got), b = elements(expected);
  BOOST_TEST_REQUIRE(norm(expected).item<double>() > 1e-3);
  for (std::size_t k = 0; k < a.size(); ++k) {
    BOOST_TEST(std::abs(a[k] - b[k]) <= 1e-12 * std::max(1.0, std::abs(b[k])));
  }
}

const Tensor& points() {
  static const Tensor x = tensor({-2.5, -1, -0.3, 0, 0.4, 1.2, 3}, float64);
  return x;
}

// Along a line: t from 0, all else moves with it.
const Tensor& start() {
  static const Tensor t = zeros({}, float64);
  return t;
}

Tensor random(const Shape& shape) { return uniform(-1, 1, shape, float64); }

}  // namespace

BOOST_AUTO_TEST_CASE(products) {
  check_near(third([](const Tensor& x) { return x * x * x; }, points()), full({7}, 6, float64));
  check_near(third([](const Tensor& x) { return x * (x * (x * x)); }, points()), 24 * points());
  // One derivative for each of three factors.
  const Tensor a = leaf({2, -3}), b = leaf({0.5, 4}), c = leaf({-1, 7});
  Tensor y = sum(a * b * c * c);
  for (const Tensor* x : {&a, &b, &c}) {
    y = sum(grad({y}, {*x}, {.create_graph = true})[0]);
  }
  BOOST_TEST(y.item<double>() == 2 * (-1.0 + 7));
}

BOOST_AUTO_TEST_CASE(exponential) {
  check_near(third([](const Tensor& x) { return exp(x); }, points()), exp(points()));
}

BOOST_AUTO_TEST_CASE(hyperbolic_tangent) {
  const Tensor y = tanh(points());
  check_near(third([](const Tensor& x) { return tanh(x); }, points()),
             (1 - y * y) * (6 * y * y - 2));
}

BOOST_AUTO_TEST_CASE(logistic) {
  const Tensor s = sigmoid(points());
  check_near(third([](const Tensor& x) { return sigmoid(x); }, points()),
             s * (1 - s) * (1 - 6 * s + 6 * s * s));
}

BOOST_AUTO_TEST_CASE(softmax_along_a_line) {
  // log s = x + t u - K(t): K', K'' and K''' are the mean and central moments of u under s.
  manual_seed(1);
  const Tensor x = random({3, 5}), u = random({3, 5}), weights = random({3, 5});
  const Tensor s = softmax(x, 1);
  const Tensor h = u - sum(s * u, {1}, true);
  const Tensor second = sum(s * h * h, {1}, true), moment = sum(s * h * h * h, {1}, true);
  const Tensor slope = s * (h * h * h - 3 * h * second - moment);
  const auto f = [&](const Tensor& t) { return sum(weights * softmax(x + t * u, 1)); };
  check_near(third(f, start()), sum(weights * slope));
}

BOOST_AUTO_TEST_CASE(matrix_products) {
  manual_seed(2);
  const Tensor a = random({3, 4}), b = random({4, 5}), c = random({5, 2});
  const Tensor da = random({3, 4}), db = random({4, 5}), dc = random({5, 2});
  const Tensor weights = random({3, 2});
  const auto f = [&](const Tensor& t) {
    return sum(weights * matmul(matmul(a + t * da, b + t * db), c + t * dc));
  };
  check_near(third(f, start()), 6 * sum(weights * matmul(matmul(da, db), dc)));
}

BOOST_AUTO_TEST_CASE(convolutions) {
  manual_seed(3);
  const Conv2dOptions options{.stride = 2, .padding = 1};
  const Tensor x = random({2, 3, 6, 5}), v = random({4, 3, 3, 2}), w = random({2, 4, 2, 2});
  const Tensor dx = random({2, 3, 6, 5}), dv = random({4, 3, 3, 2}), dw = random({2, 4, 2, 2});
  const auto f = [&](const Tensor& t) {
    return sum(conv2d(conv2d(x + t * dx, v + t * dv, {}, options), w + t * dw));
  };
  check_near(third(f, start()), 6 * sum(conv2d(conv2d(dx, dv, {}, options), dw)));
  // The quadratic part of the input with the linear one of the weights.
  const auto g = [&](const Tensor& t) {
    return sum(conv2d(x + t * t * dx, v + t * dv, {}, options));
  };
  check_near(third(g, start()), 6 * sum(conv2d(dx, dv, {}, options)));
}

BOOST_AUTO_TEST_CASE(lambdas) {
  static constexpr auto f = pointwise("x_exp", [](auto x) { return x * exp(x); });
  check_near(third([](const Tensor& x) { return f(x); }, points()), (points() + 3) * exp(points()));
  // d^3 sin(x y) for x = a + t, y = b + t, by (x y)' = x + y and (x y)'' = 2.
  static constexpr auto g = pointwise("sin_of_product", [](auto x, auto y) { return sin(x * y); });
  const Tensor b = 0.5 - points() / 3, product = points() * b, slope = points() + b;
  check_near(third([&](const Tensor& t) { return g(points() + t, b + t); }, zeros({7}, float64)),
             -6 * slope * sin(product) - slope * slope * slope * cos(product));
}

BOOST_AUTO_TEST_SUITE_END()
