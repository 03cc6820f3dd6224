// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/convolution.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/pooling.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/nn/nn.hpp>

#include <algorithm>

#include "nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::check_values;
using nn_test::says;
using nn_test::values;

double largest(const Tensor& x) {
  double found = 0;
  for (const double v : values(x)) found = std::max(found, std::abs(v));
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_layers)

BOOST_AUTO_TEST_CASE(linear_layer) {
  manual_seed(1);
  nn::Linear layer(3, 2);
  const Tensor x = randn({4, 3});
  check_values(layer(x), values(matmul(x, layer.weight.t()) + layer.bias), 1e-6);
  BOOST_TEST((layer.weight.shape() == Shape{2, 3}));
  BOOST_TEST((layer.bias.shape() == Shape{2}));
  BOOST_TEST((layer(randn({5, 4, 3})).shape() == Shape{5, 4, 2}));
  BOOST_TEST(layer.in_features() == 3);
  BOOST_TEST(layer.out_features() == 2);
}

BOOST_AUTO_TEST_CASE(linear_without_bias) {
  nn::Linear layer(3, 2, {.bias = false, .dtype = float64});
  BOOST_TEST(layer.parameters().size() == 1u);
  BOOST_TEST((layer(randn({4, 3}, float64)).dtype() == float64));
  const nn::Linear copy = layer;
  BOOST_TEST(!copy.bias.defined());
}

BOOST_AUTO_TEST_CASE(linear_starts_as_pytorch_does) {
  manual_seed(3);
  const nn::Linear layer(100, 400);
  const double bound = 0.1;
  BOOST_TEST(largest(layer.weight) <= bound);
  BOOST_TEST(largest(layer.weight) > 0.99 * bound);
  BOOST_TEST(largest(layer.bias) <= bound);
  BOOST_TEST(largest(layer.bias) > 0.9 * bound);
  manual_seed(3);
  const nn::Linear again(100, 400);
  check_values(again.weight, values(layer.weight));
}

BOOST_AUTO_TEST_CASE(linear_errors) {
  nn::Linear layer(3, 2);
  BOOST_CHECK_EXCEPTION(layer(ones({4, 5})), ShapeError,
                        says("Linear: expected 3 input features, got input of shape [4, 5]"));
  BOOST_CHECK_EXCEPTION(layer(Tensor()), ShapeError,
                        says("expected 3 input features, got input of shape undefined"));
  BOOST_CHECK_THROW(layer(ones({4, 3}, float64)), DTypeError);
  BOOST_CHECK_EXCEPTION(nn::Linear(0, 2), ValueError,
                        says("Linear: expected at least 1 feature, got 0 in and 2 out"));
}

BOOST_AUTO_TEST_CASE(conv2d_layer) {
  manual_seed(1);
  nn::Conv2d layer(4, 6, {3, 5}, {.stride = {1, 2}, .padding = 1, .dilation = 1, .groups = 2});
  const Tensor x = randn({2, 4, 8, 9});
  const Tensor expected =
      conv2d(x, layer.weight, layer.bias, {.stride = {1, 2}, .padding = 1, .groups = 2});
  check_values(layer(x), values(expected));
  BOOST_TEST((layer.weight.shape() == Shape{6, 2, 3, 5}));
  BOOST_TEST((layer.bias.shape() == Shape{6}));
  nn::Conv2d plain{1, 2, 3, {.padding = 1, .bias = false}};
  BOOST_TEST(!plain.bias.defined());
  BOOST_TEST((plain(randn({3, 1, 7, 7})).shape() == Shape{3, 2, 7, 7}));
  BOOST_TEST((plain(randn({1, 7, 7})).shape() == Shape{2, 7, 7}));
}

BOOST_AUTO_TEST_CASE(conv2d_starts_as_pytorch_does) {
  manual_seed(3);
  const nn::Conv2d layer(8, 64, 5, {.groups = 2});
  const double bound = 1 / std::sqrt(4 * 25.0);
  BOOST_TEST(largest(layer.weight) <= bound);
  BOOST_TEST(largest(layer.weight) > 0.99 * bound);
  BOOST_TEST(largest(layer.bias) <= bound);
}

BOOST_AUTO_TEST_CASE(conv2d_errors) {
  nn::Conv2d layer(32, 64, 3);
  BOOST_CHECK_EXCEPTION(
      layer(ones({64, 16, 28, 28})), ShapeError,
      says("Conv2d: expected 32 input channels, got input of shape [64, 16, 28, 28]"));
  BOOST_CHECK_THROW(layer(ones({32, 28})), ShapeError);
  BOOST_CHECK_EXCEPTION(nn::Conv2d(3, 4, 3, {.groups = 2}), ValueError,
                        says("Conv2d: expected groups that divide the numbers of channels, got 2 "
                             "for 3 in and 4 out"));
  BOOST_CHECK_EXCEPTION(nn::Conv2d(3, 4, 0), ValueError,
                        says("Conv2d: expected kernel_size >= 1, got [0, 0]"));
  BOOST_CHECK_EXCEPTION(nn::Conv2d(3, 4, 3, {.stride = {1, 0}}), ValueError,
                        says("Conv2d: expected stride >= 1, got [1, 0]"));
  BOOST_CHECK_THROW(nn::Conv2d(3, 4, 3, {.padding = -1}), ValueError);
  BOOST_CHECK_THROW(nn::Conv2d(3, 4, 3, {.dilation = 0}), ValueError);
  BOOST_CHECK_THROW(nn::Conv2d(0, 4, 3), ValueError);
}

BOOST_AUTO_TEST_CASE(pooling_layers) {
  manual_seed(1);
  const Tensor x = randn({2, 3, 8, 9});
  nn::MaxPool2d max(2);
  check_values(max(x), values(max_pool2d(x, 2)));
  nn::MaxPool2d strided(3, {.stride = 1, .padding = 1});
  check_values(strided(x), values(max_pool2d(x, 3, {.stride = 1, .padding = 1})));
  nn::AvgPool2d average({2, 3}, {.padding = 1});
  check_values(average(x), values(avg_pool2d(x, {2, 3}, {.padding = 1})));
}

BOOST_AUTO_TEST_CASE(shape_layers) {
  const Tensor x = randn({2, 3, 4, 5});
  nn::Flatten flat;
  BOOST_TEST((flat(x).shape() == Shape{2, 60}));
  BOOST_TEST((nn::Flatten(0, 1)(x).shape() == Shape{6, 4, 5}));
  BOOST_TEST((nn::Unflatten(1, {3, -1})(flat(x)).shape() == Shape{2, 3, 20}));
}

BOOST_AUTO_TEST_CASE(dropout_layer) {
  manual_seed(1);
  nn::Dropout layer(0.25);
  const Tensor x = ones({1000});
  const auto y = values(layer(x));
  const auto zeros = std::count(y.begin(), y.end(), 0.0);
  BOOST_TEST(zeros > 190);
  BOOST_TEST(zeros < 310);
  BOOST_TEST(std::all_of(y.begin(), y.end(),
                         [](double v) { return v == 0 || std::abs(v - 1 / 0.75) < 1e-6; }));
  layer.eval();
  check_values(layer(x), values(x));
  BOOST_CHECK_EXCEPTION(nn::Dropout(1.5), ValueError, says("Dropout: expected p in [0, 1]"));
}

BOOST_AUTO_TEST_CASE(linear_is_pytorchs) {
  nn_test::check_reference("layers.safetensors", "linear", nn::Linear(4, 3));
  nn_test::check_reference("layers.safetensors", "linear_plain", nn::Linear(4, 3, {.bias = false}));
}

BOOST_AUTO_TEST_SUITE_END()
