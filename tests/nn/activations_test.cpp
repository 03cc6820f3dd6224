// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/nn/activations.hpp>

#include <cmath>

#include "nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::check_values;
using nn_test::says;
using nn_test::values;

template <class M>
void check(const std::string& name, const M& module, bool training = true) {
  nn_test::check_reference("activations.safetensors", name, module, training);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_activations)

BOOST_AUTO_TEST_CASE(activations_without_options_are_pytorchs) {
  check("relu", nn::ReLU());
  check("sigmoid", nn::Sigmoid());
  check("tanh", nn::Tanh());
  check("log_sigmoid", nn::LogSigmoid());
  check("relu6", nn::ReLU6());
  check("selu", nn::SELU());
  check("silu", nn::SiLU());
  check("mish", nn::Mish());
  check("softsign", nn::Softsign());
  check("hardsigmoid", nn::Hardsigmoid());
  check("hardswish", nn::Hardswish());
  check("tanhshrink", nn::Tanhshrink());
}

BOOST_AUTO_TEST_CASE(activations_with_numbers_are_pytorchs) {
  check("softplus", nn::Softplus());
  check("softplus_beta", nn::Softplus(2));
  check("leaky_relu", nn::LeakyReLU());
  check("leaky_relu_slope", nn::LeakyReLU(0.2));
  check("elu", nn::ELU());
  check("elu_alpha", nn::ELU(1.5));
  check("celu", nn::CELU());
  check("celu_alpha", nn::CELU(1.5));
  check("threshold", nn::Threshold(0.1, 7));
  check("softshrink", nn::Softshrink());
  check("softshrink_lambd", nn::Softshrink(1.25));
  check("hardshrink", nn::Hardshrink());
  check("hardshrink_lambd", nn::Hardshrink(1.25));
  check("hardtanh", nn::Hardtanh());
  check("hardtanh_limits", nn::Hardtanh(-0.5, 2.25));
  check("gelu", nn::GELU());
  check("gelu_tanh", nn::GELU(GeluForm::tanh));
}

BOOST_AUTO_TEST_CASE(activations_along_a_dimension_are_pytorchs) {
  check("glu", nn::GLU());
  check("glu_first", nn::GLU(0));
  check("softmax", nn::Softmax(0));
  check("softmax_inner", nn::Softmax(1));
  check("softmin", nn::Softmin(-1));
  check("log_softmax", nn::LogSoftmax(1));
}

BOOST_AUTO_TEST_CASE(activations_with_slopes_are_pytorchs) {
  check("prelu", nn::PReLU());
  check("prelu_each", nn::PReLU(6, 0.5));
  check("rrelu_eval", nn::RReLU(0.1, 0.3), false);
}

BOOST_AUTO_TEST_CASE(a_slope_that_is_learned) {
  nn::PReLU one, each(2, 0.5);
  const Tensor x = tensor({{-2, 3}, {4, -1}});
  check_values(one(x), {-0.5, 3, 4, -0.25});
  each(x).sum().backward();
  check_values(each.weight.grad(), {-2, -1});
  BOOST_TEST(each.named_parameters().at(0).first == "weight");
  BOOST_CHECK_EXCEPTION(nn::PReLU(0), ValueError, says("PReLU: expected at least 1 parameter"));
  BOOST_CHECK_THROW(nn::PReLU(3)(x), ShapeError);
}

BOOST_AUTO_TEST_CASE(slopes_that_are_drawn) {
  manual_seed(4);
  nn::RReLU layer(0.1, 0.3);
  const Tensor x = tensor({-1, 2, -10});
  layer.eval();
  check_values(layer(x), values(leaky_relu(x, 0.2)));
  layer.train();
  Tensor many = full({10000}, -1, float64).requires_grad_();
  const Tensor y = layer(many);
  BOOST_TEST(max(y).item<double>() <= -0.1);
  BOOST_TEST(min(y).item<double>() >= -0.3);
  BOOST_TEST(std::abs(mean(y).item<double>() + 0.2) < 0.003);
  BOOST_TEST(std::abs(var(y).item<double>() - 0.04 / 12) < 2e-4);
  y.sum().backward();
  check_values(many.grad(), values(-y));  // each element's own slope
  check_values(layer(tensor({3, 0})), {3, 0});
  BOOST_CHECK_EXCEPTION(nn::RReLU(1, 0), ValueError, says("RReLU: expected lower <= upper"));
}

BOOST_AUTO_TEST_SUITE_END()
