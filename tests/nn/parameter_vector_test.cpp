// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/parameter_vector.hpp>

#include "nn_test.hpp"

namespace {

using namespace xtape;
using nn::parameters_to_vector;
using nn::vector_to_parameters;
using nn_test::check_values;
using nn_test::says;

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_parameter_vector)

BOOST_AUTO_TEST_CASE(there_and_back) {
  nn::Linear layer(2, 3);
  const Tensor weight = layer.weight;
  vector_to_parameters(arange(0, 9, 1, float32), layer.parameters());
  check_values(weight, {0, 1, 2, 3, 4, 5});
  check_values(layer.bias, {6, 7, 8});
  BOOST_TEST(weight.requires_grad());
  check_values(parameters_to_vector(layer.parameters()), {0, 1, 2, 3, 4, 5, 6, 7, 8});
}

BOOST_AUTO_TEST_CASE(the_vector_is_recorded) {
  Tensor a = tensor({{1, 2}, {3, 4}}).requires_grad_(), b = tensor({5}).requires_grad_();
  (parameters_to_vector({a.t(), b}) * tensor({1, 2, 3, 4, 5})).sum().backward();
  check_values(a.grad(), {1, 3, 2, 4});
  check_values(b.grad(), {5});
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  const std::vector<Tensor> some{zeros({2}), zeros({2, 2})}, mixed{zeros({2}), zeros({2}, float64)};
  BOOST_CHECK_EXCEPTION(parameters_to_vector({}), ValueError,
                        says("parameters_to_vector: the list of parameters is empty"));
  BOOST_CHECK_EXCEPTION(parameters_to_vector(mixed), DTypeError, says("dtypes differ"));
  BOOST_CHECK_EXCEPTION(parameters_to_vector({Tensor()}), ValueError, says("is undefined"));
  BOOST_CHECK_EXCEPTION(vector_to_parameters(ones({5}), some), ShapeError,
                        says("vector_to_parameters: expected a vector [6], got float32 [5]"));
  BOOST_CHECK_EXCEPTION(vector_to_parameters(ones({6}, float64), some), DTypeError,
                        says("expected float32, got float64 [6]"));
  check_values(some[0], {0, 0});
}

BOOST_AUTO_TEST_SUITE_END()
