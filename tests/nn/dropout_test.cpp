// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/nn/dropout.hpp>

#include <cmath>

#include "modules.hpp"

namespace {

using namespace xtape;
using namespace nn_test;

// Each channel is zeros or its input times 1 / (1 - p); returns how many are zeros.
int dropped_channels(const Tensor& y, std::int64_t channels, double scale) {
  const std::vector<double> v = values(y);
  const std::size_t inner = v.size() / static_cast<std::size_t>(channels);
  int dropped = 0;
  for (std::size_t i = 0; i < v.size(); i += inner) {
    dropped += v[i] == 0;
    for (std::size_t j = i; j < i + inner; ++j) {
      BOOST_TEST_REQUIRE((v[j] == v[i] && (v[j] == 0 || std::abs(v[j] - scale) < 1e-6)));
    }
  }
  return dropped;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_dropout)

BOOST_AUTO_TEST_CASE(whole_channels) {
  manual_seed(1);
  nn::Dropout2d two(0.25);
  const Tensor x = ones({20, 50, 3, 4});
  const int dropped = dropped_channels(two(x), 1000, 1 / 0.75);
  BOOST_TEST(dropped > 160);
  BOOST_TEST(dropped < 340);
  nn::Dropout1d one(0.5);
  BOOST_TEST(dropped_channels(one(ones({10, 20, 7})), 200, 2) > 50);
  two.eval();
  BOOST_TEST(two(x).value() == x.value());
  BOOST_CHECK_EXCEPTION(two.train()(ones({2, 3})), ShapeError, says("Dropout2d: expected input"));
  BOOST_CHECK_THROW(one(ones({2})), ShapeError);
  BOOST_CHECK_EXCEPTION(nn::Dropout1d(-1), ValueError, says("Dropout1d: expected p in [0, 1]"));
  BOOST_CHECK_THROW(nn::Dropout2d(2), ValueError);
}

// Mean 0 and variance 1 stay; what is dropped becomes one number.
BOOST_AUTO_TEST_CASE(alpha_dropout_keeps_mean_and_variance) {
  manual_seed(2);
  nn::AlphaDropout drop(0.3);
  const Tensor x = randn({200000});
  const std::vector<double> y = values(drop(x));
  double sum = 0, squares = 0;
  for (const double v : y) sum += v, squares += v * v;
  const auto n = static_cast<double>(y.size());
  BOOST_TEST(std::abs(sum / n) < 0.01);
  BOOST_TEST(std::abs(squares / n - 1) < 0.02);
  const double low = -1.7580993408473766;
  const double a = 1 / std::sqrt(0.7 * (1 + 0.3 * low * low));
  int dropped = 0;
  for (const double v : y) dropped += std::abs(v - (a * low - a * low * 0.3)) < 1e-6;
  BOOST_TEST(std::abs(dropped / n - 0.3) < 0.01);
  drop.eval();
  BOOST_TEST(drop(x).value() == x.value());
  check_values(nn::AlphaDropout(1)(ones({2})), {0, 0});
  BOOST_CHECK_THROW(nn::AlphaDropout(-0.1), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
