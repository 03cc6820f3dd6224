// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/joining.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/nn/combinators.hpp>
#include <xtape/nn/dense.hpp>
#include <xtape/nn/linear.hpp>

#include <cmath>

#include "modules.hpp"

namespace {

using namespace xtape;
using namespace nn_test;

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_combinators)

BOOST_AUTO_TEST_CASE(identity_lambda_and_pad) {
  const Tensor x = tensor({{1, -2}, {3, 4}});
  BOOST_TEST(nn::Identity()(x).value() == x.value());
  nn::Sequential net(nn::Linear(2, 2), nn::Lambda([](const Tensor& t) { return t * t; }),
                     nn::Identity());
  const Tensor y = net[0](x);
  check_values(net(x), values(y * y));
  nn::Sequential copy = net;
  check_values(copy(x), values(y * y));
  check_values(nn::ConstantPad({1, 0}, 5)(x), values(pad(x, {1, 0}, 5)));
}

BOOST_AUTO_TEST_CASE(residual_adds_its_shortcut) {
  const Tensor x = tensor({{1, -2}, {3, 4}});
  nn::Residual block(nn::Linear(2, 2));
  check_values(block(x), values(block.body(x) + x), 1e-6);
  check_names(block.named_parameters(), {"body.weight", "body.bias"});
  nn::Residual wide(nn::Linear(2, 3), nn::Linear(2, 3, {.bias = false}));
  check_values(wide(x), values(wide.body(x) + wide.shortcut(x)), 1e-6);
  check_names(wide.named_parameters(), {"body.weight", "body.bias", "shortcut.weight"});
  nn::Residual copy = wide;
  check_values(copy(x), values(wide(x)));
  BOOST_CHECK_THROW(nn::Residual{nn::AnyModule()}, ModuleError);
}

BOOST_AUTO_TEST_CASE(dense_is_linear_and_activation) {
  manual_seed(1);
  nn::Dense layer(3, 50, {.activation = "relu"});
  const Tensor x = randn({4, 3});
  check_values(layer(x), values(relu(matmul(x, layer.weight.t()))), 1e-6);
  double top = 0;
  for (const double v : values(layer.weight)) top = std::max(top, std::abs(v));
  const double bound = std::sqrt(6.0 / 53);
  BOOST_TEST(top <= bound);
  BOOST_TEST(top > 0.9 * bound);
  BOOST_TEST(values(layer.bias)[0] == 0);
  check_values(nn::Dense(3, 2, {.initializer = "ones"}).weight, {1, 1, 1, 1, 1, 1});
  BOOST_TEST(nn::Dense(3, 2, {.bias = false}).parameters().size() == 1u);
  for (const char* name :
       {"linear", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "mish", "softplus",
        "softsign", "sigmoid", "hard_sigmoid", "tanh", "softmax", "log_softmax"}) {
    BOOST_TEST((nn::Dense(3, 2, {.activation = name})(x).shape() == Shape{4, 2}));
  }
  for (const char* name : {"glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
                           "lecun_normal", "orthogonal"}) {
    const std::vector<double> w = values(nn::Dense(400, 100, {.initializer = name}).weight);
    double squares = 0;
    for (const double v : w) squares += v * v;
    const std::string kind = name;
    const double variance = kind == "glorot_normal"     ? 2.0 / 500
                            : kind.starts_with("he")    ? 2.0 / 400
                            : kind.starts_with("lecun") ? 1.0 / 400
                                                        : 100.0 / 40000;
    BOOST_TEST(std::abs(squares / 40000 / variance - 1) < 0.05, name);
  }
  BOOST_CHECK_EXCEPTION(nn::Dense(3, 2, {.activation = "rleu"}), ValueError,
                        says("Dense: there is no activation \"rleu\"; expected one of linear"));
  BOOST_CHECK_THROW(nn::Dense(3, 2, {.initializer = "none"}), ValueError);
  BOOST_CHECK_THROW(nn::Dense(3, 0), ValueError);
  BOOST_CHECK_THROW(layer(zeros({2, 4})), ShapeError);
}

BOOST_AUTO_TEST_CASE(lists_and_dicts_of_modules) {
  nn::ModuleList list(nn::Linear(2, 3), nn::Linear(3, 1));
  list.push_back(nn::Identity());
  BOOST_TEST(list.size() == 3);
  check_names(list.named_parameters(), {"0.weight", "0.bias", "1.weight", "1.bias"});
  BOOST_TEST(list.at<nn::Linear>(-2).out_features() == 1);
  int count = 0;
  for (nn::AnyModule& m : list) count += m->type_name() == "Linear";
  BOOST_TEST(count == 2);
  BOOST_CHECK_EXCEPTION(list[3], IndexError, says("ModuleList: index 3 is out of range"));
  BOOST_CHECK_EXCEPTION(list(ones({1, 2})), ModuleError, says("ModuleList"));
  const nn::ModuleList copy = list;
  BOOST_TEST(copy.parameters()[0].value() != list.parameters()[0].value());

  nn::ModuleDict dict;
  dict.insert("b", nn::Linear(2, 3)).insert("a", nn::Linear(2, 1, {.bias = false}));
  check_names(dict.named_parameters(), {"b.weight", "b.bias", "a.weight"});
  BOOST_TEST((dict.keys() == std::vector<std::string>{"b", "a"}));
  BOOST_TEST(dict.contains("a"));
  BOOST_TEST(!dict.contains("c"));
  BOOST_TEST((dict["a"](ones({4, 2})).shape() == Shape{4, 1}));
  dict.insert("a", nn::Linear(2, 7));
  BOOST_TEST(dict.size() == 2);
  BOOST_TEST(dict.at<nn::Linear>("a").out_features() == 7);
  BOOST_CHECK_EXCEPTION(dict["c"], IndexError, says("there is no module \"c\""));
  BOOST_CHECK_THROW(dict.insert("a.b", nn::Identity()), ModuleError);
  BOOST_CHECK_THROW(dict.insert("d", nn::AnyModule()), ModuleError);
  BOOST_CHECK_THROW(dict.at<nn::Identity>("a"), ModuleError);
}

BOOST_AUTO_TEST_SUITE_END()
