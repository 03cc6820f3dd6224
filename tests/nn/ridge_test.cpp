// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/nn/ridge.hpp>

#include <limits>

#include "nn_test.hpp"

namespace {

using namespace xtape;
using namespace nn_test;

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_ridge)

// One column by hand: w = sxy / (sxx + ridge), b = mean y - w mean x.
BOOST_AUTO_TEST_CASE(by_hand) {
  const Tensor x = tensor({0, 1, 2}, float64).unsqueeze(1);
  const Tensor y = tensor({1, 3, 8}, float64).unsqueeze(1);
  const nn::RidgeFit plain = nn::ridge_regression(x, y, 0);
  check_values(plain.weight, {3.5}, 1e-15);
  check_values(plain.bias, {0.5}, 1e-15);
  const nn::RidgeFit held = nn::ridge_regression(x, y, 5);
  check_values(held.weight, {1}, 1e-15);
  check_values(held.bias, {3}, 1e-15);
}

BOOST_AUTO_TEST_CASE(finds_what_made_the_data) {
  manual_seed(1);
  const Tensor w = randn({3, 20}, float64), b = randn({3}, float64);
  const Tensor x = randn({200, 20}, float64) + 5;
  const nn::RidgeFit fit = nn::ridge_regression(x, matmul(x, w.t()) + b, 0);
  check_values(fit.weight, values(w), 1e-12);
  check_values(fit.bias, values(b), 1e-11);
  const nn::RidgeFit single =
      nn::ridge_regression(x.to(float32), (matmul(x, w.t()) + b).to(float32), 1e-6);
  BOOST_TEST((single.weight.dtype() == float32));
  check_values(single.weight, values(w), 1e-5);
}

// At the minimum Xc^T (X W^T + b - Y) + ridge W^T = 0, also with more columns than samples.
BOOST_AUTO_TEST_CASE(gradient_vanishes) {
  manual_seed(2);
  const Tensor x = randn({10, 30}, float64), y = randn({10, 2}, float64);
  const nn::RidgeFit fit = nn::ridge_regression(x, y, 0.1);
  const Tensor error = matmul(x, fit.weight.t()) + fit.bias - y;
  check_values(sum(error, {0}), {0, 0}, 1e-12);
  check_values(matmul(x.t(), error) + 0.1 * fit.weight.t(), std::vector<double>(60, 0.0), 1e-12);
}

BOOST_AUTO_TEST_CASE(refuses) {
  const Tensor x = ones({3, 2}), y = ones({3, 1});
  BOOST_CHECK_EXCEPTION(nn::ridge_regression(x, ones({4, 1}), 1), ShapeError,
                        says("ridge_regression: expected x [samples, in] and y [samples, out], "
                             "got [3, 2] and [4, 1]"));
  BOOST_CHECK_THROW(nn::ridge_regression(Tensor(), y, 1), ShapeError);
  BOOST_CHECK_THROW(nn::ridge_regression(x, y.to(float64), 1), DTypeError);
  BOOST_CHECK_THROW(nn::ridge_regression(x, y, -1), ValueError);
  BOOST_CHECK_EXCEPTION(nn::ridge_regression(x, y, 0), ValueError, says("depend on each other"));
  const Tensor twin = outer(tensor({1, 2, 4}, float64), tensor({1, 3}, float64));
  BOOST_CHECK_THROW(nn::ridge_regression(twin, ones({3, 1}, float64), 0), ValueError);
  BOOST_CHECK_EXCEPTION(
      nn::ridge_regression(full({3, 2}, std::numeric_limits<double>::infinity()), y, 1), ValueError,
      says("Inf"));
}

BOOST_AUTO_TEST_SUITE_END()
