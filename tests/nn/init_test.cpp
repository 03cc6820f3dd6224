// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/nn/init.hpp>
#include <xtape/nn/linear.hpp>

#include <algorithm>

#include "nn_test.hpp"

namespace {

using namespace xtape;
namespace init = nn::init;
using nn_test::says;

struct Statistics {
  double mean = 0, std = 0, low = 0, high = 0;
};

Statistics statistics(const Tensor& x) {
  const auto v = nn_test::values(x);
  const auto n = static_cast<double>(v.size());
  Statistics s;
  for (const double y : v) s.mean += y / n;
  for (const double y : v) s.std += (y - s.mean) * (y - s.mean) / n;
  s.std = std::sqrt(s.std);
  s.low = *std::min_element(v.begin(), v.end());
  s.high = *std::max_element(v.begin(), v.end());
  return s;
}

// 200 x 300 numbers: three standard errors of the deviation are about 1 %.
void check_normal(const Tensor& x, double mean, double std) {
  const Statistics s = statistics(x);
  BOOST_TEST(std::abs(s.mean - mean) < 0.02 * std);
  BOOST_TEST(std::abs(s.std - std) < 0.01 * std);
  BOOST_TEST(s.high > mean + 3.5 * std);  // as no uniform distribution of this deviation
}

void check_uniform(const Tensor& x, double low, double high) {
  const Statistics s = statistics(x);
  const double width = high - low;
  BOOST_TEST(s.low >= low);
  BOOST_TEST(s.high <= high);
  BOOST_TEST(s.low < low + 0.001 * width);
  BOOST_TEST(s.high > high - 0.001 * width);
  BOOST_TEST(std::abs(s.std - width / std::sqrt(12.0)) < 0.01 * width);
}

Tensor weight() {
  manual_seed(5);
  return zeros({200, 300}, float64);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_init)

BOOST_AUTO_TEST_CASE(plain_distributions) {
  check_uniform(init::uniform_(weight()), 0, 1);
  check_uniform(init::uniform_(weight(), -3, 2), -3, 2);
  check_normal(init::normal_(weight()), 0, 1);
  check_normal(init::normal_(weight(), 2, 0.5), 2, 0.5);
  nn_test::check_values(init::constant_(zeros({2}), 2.5), {2.5, 2.5});
  nn_test::check_values(init::ones_(zeros({2})), {1, 1});
  nn_test::check_values(init::zeros_(ones({2})), {0, 0});
}

BOOST_AUTO_TEST_CASE(xavier) {
  const double std = std::sqrt(2.0 / 500);
  check_normal(init::xavier_normal_(weight()), 0, std);
  check_normal(init::xavier_normal_(weight(), 2), 0, 2 * std);
  const double a = std * std::sqrt(3.0);
  check_uniform(init::xavier_uniform_(weight()), -a, a);
}

BOOST_AUTO_TEST_CASE(kaiming) {
  check_normal(init::kaiming_normal_(weight()), 0, std::sqrt(2.0 / 300));
  check_normal(init::kaiming_normal_(weight(), {.mode = init::FanMode::fan_out,
                                                .nonlinearity = init::Nonlinearity::tanh}),
               0, 5.0 / 3 / std::sqrt(200.0));
  const double a = 1 / std::sqrt(300.0);
  check_uniform(init::kaiming_uniform_(weight(), {.a = std::sqrt(5.0)}), -a, a);
}

BOOST_AUTO_TEST_CASE(gains_and_fans) {
  using init::calculate_gain;
  using init::Nonlinearity;
  BOOST_TEST(calculate_gain(Nonlinearity::linear) == 1);
  BOOST_TEST(calculate_gain(Nonlinearity::sigmoid) == 1);
  BOOST_TEST(calculate_gain(Nonlinearity::tanh) == 5.0 / 3);
  BOOST_TEST(calculate_gain(Nonlinearity::relu) == std::sqrt(2.0));
  BOOST_TEST(calculate_gain(Nonlinearity::leaky_relu) == std::sqrt(2 / (1 + 1e-4)));
  BOOST_TEST(calculate_gain(Nonlinearity::leaky_relu, 1) == 1);
  BOOST_TEST(calculate_gain(Nonlinearity::selu) == 0.75);
  const auto fans = init::calculate_fans(zeros({8, 3, 5, 7}));
  BOOST_TEST(fans.in == 3 * 35);
  BOOST_TEST(fans.out == 8 * 35);
}

BOOST_AUTO_TEST_CASE(orthogonal) {
  for (const Shape& shape : {Shape{20, 50}, Shape{50, 20}, Shape{16, 2, 3, 3}, Shape{17, 17}}) {
    manual_seed(5);
    const Tensor x = init::orthogonal_(zeros(shape, float64), 3);
    const auto rows = static_cast<std::size_t>(shape[0]);
    const auto v = nn_test::values(x);
    const std::size_t columns = v.size() / rows;
    const bool wide = rows <= columns;
    const std::size_t few = std::min(rows, columns), many = std::max(rows, columns);
    double worst = 0;
    for (std::size_t i = 0; i < few; ++i) {
      for (std::size_t j = 0; j < few; ++j) {
        double dot = 0;
        for (std::size_t k = 0; k < many; ++k) {
          dot += wide ? v[i * columns + k] * v[j * columns + k]
                      : v[k * columns + i] * v[k * columns + j];
        }
        worst = std::max(worst, std::abs(dot - (i == j ? 9 : 0)));
      }
    }
    BOOST_TEST(worst < 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(parameters_are_written_in_place) {
  nn::Linear layer(3, 2);
  const Tensor handle = layer.weight;
  init::constant_(layer.weight, 4);
  nn_test::check_values(handle, {4, 4, 4, 4, 4, 4});
  BOOST_TEST(layer.weight.requires_grad());
  BOOST_TEST(layer.weight.is_leaf());
  manual_seed(1);
  init::kaiming_normal_(layer.weight);
  const auto first = nn_test::values(handle);
  manual_seed(1);
  init::kaiming_normal_(layer.weight);
  nn_test::check_values(handle, first);
}

BOOST_AUTO_TEST_CASE(errors) {
  BOOST_CHECK_EXCEPTION(init::xavier_normal_(zeros({3})), ShapeError,
                        says("xavier_normal_: expected at least 2 dimensions, got shape [3]"));
  BOOST_CHECK_EXCEPTION(init::orthogonal_(zeros({3})), ShapeError,
                        says("orthogonal_: expected at least 2 dimensions, got shape [3]"));
  BOOST_CHECK_EXCEPTION(init::normal_(zeros({3}, int64)), DTypeError,
                        says("normal_: expected a floating dtype, got int64"));
  BOOST_CHECK_EXCEPTION(init::ones_(Tensor()), ValueError, says("ones_: got an undefined tensor"));
}

BOOST_AUTO_TEST_CASE(truncated_normal) {
  manual_seed(7);
  const Tensor x = nn::init::trunc_normal_(zeros({200, 500}, float64), 1, 2, 0, 4);
  double sum = 0, squares = 0, below = 0;
  for (const double v : nn_test::values(x)) {
    BOOST_REQUIRE((v >= 0 && v <= 4));
    sum += v;
    squares += v * v;
    below += v < 1;
  }
  // With phi and Phi at (0 - 1) / 2 and (4 - 1) / 2.
  const auto density = [](double z) {
    return std::exp(-z * z / 2) / std::sqrt(2 * 3.14159265358979);
  };
  const auto distribution = [](double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; };
  const double mass = distribution(1.5) - distribution(-0.5), n = 100'000;
  const double shift = (density(-0.5) - density(1.5)) / mass;
  const double mean = 1 + 2 * shift;
  const double variance =
      4 * (1 + (-0.5 * density(-0.5) - 1.5 * density(1.5)) / mass - shift * shift);
  BOOST_TEST(std::abs(sum / n - mean) < 0.02);
  BOOST_TEST(std::abs(squares / n - sum / n * sum / n - variance) < 0.03);
  BOOST_TEST(std::abs(below / n - (distribution(0) - distribution(-0.5)) / mass) < 0.01);
  // Far out in a tail, and without limits.
  for (const double v : nn_test::values(nn::init::trunc_normal_(zeros({100}), 0, 1, 5, 6))) {
    BOOST_TEST((v >= 5 && v <= 6));
  }
  for (const double v : nn_test::values(nn::init::trunc_normal_(zeros({100}), 0, 1, -1e9, 1e9))) {
    BOOST_TEST(std::abs(v) < 6);
  }
  BOOST_CHECK_THROW(nn::init::trunc_normal_(zeros({2}), 0, 1, 2, 1), ValueError);
  BOOST_CHECK_THROW(nn::init::trunc_normal_(zeros({2}), 0, 0), ValueError);
}

BOOST_AUTO_TEST_CASE(lecun) {
  manual_seed(7);
  const Tensor x = nn::init::lecun_uniform_(zeros({300, 100, 2, 1}));
  const double limit = std::sqrt(3.0 / 200);
  double squares = 0;
  for (const double v : nn_test::values(x)) {
    BOOST_REQUIRE(std::abs(v) <= limit * (1 + 1e-6));
    squares += v * v;
  }
  BOOST_TEST(std::abs(squares / 60'000 * 200 - 1) < 0.02);
  squares = 0;
  for (const double v : nn_test::values(nn::init::lecun_normal_(zeros({300, 200})))) {
    squares += v * v;
  }
  BOOST_TEST(std::abs(squares / 60'000 * 200 - 1) < 0.03);
  BOOST_CHECK_THROW(nn::init::lecun_normal_(zeros({3})), ShapeError);
}

BOOST_AUTO_TEST_CASE(unit_matrices_and_dirac) {
  nn_test::check_values(nn::init::eye_(full({2, 3}, 7)), {1, 0, 0, 0, 1, 0});
  BOOST_CHECK_THROW(nn::init::eye_(zeros({2})), ShapeError);
  nn_test::check_values(nn::init::dirac_(full({2, 2, 3}, 7)), {0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  nn_test::check_values(nn::init::dirac_(full({4, 1, 1, 2}, 7), 4), {0, 1, 0, 1, 0, 1, 0, 1});
  nn_test::check_values(nn::init::dirac_(full({3, 1, 1}, 7)), {1, 0, 0});
  nn_test::check_values(nn::init::dirac_(full({1, 1, 2, 2, 2}, 7)), {0, 0, 0, 0, 0, 0, 0, 1});
  BOOST_CHECK_THROW(nn::init::dirac_(zeros({2, 2})), ShapeError);
  BOOST_CHECK_THROW(nn::init::dirac_(zeros({3, 1, 1}), 2), ShapeError);
}

BOOST_AUTO_TEST_CASE(sparse) {
  manual_seed(7);
  const auto values = nn_test::values(nn::init::sparse_(zeros({10, 40}), 0.25, 0.1));
  double squares = 0;
  std::vector<int> places(10);
  for (std::size_t c = 0; c < 40; ++c) {
    int zeros = 0;
    for (std::size_t r = 0; r < 10; ++r) {
      zeros += values[r * 40 + c] == 0;
      places[r] += values[r * 40 + c] == 0;
      squares += values[r * 40 + c] * values[r * 40 + c];
    }
    BOOST_TEST(zeros == 3);  // a quarter of ten, rounded up
  }
  for (const int n : places) BOOST_TEST((n > 2 && n < 30));
  BOOST_TEST(std::abs(squares / 280 / 0.01 - 1) < 0.3);
  BOOST_CHECK_THROW(nn::init::sparse_(zeros({3}), 0.5), ShapeError);
  BOOST_CHECK_THROW(nn::init::sparse_(zeros({3, 3}), 1.5), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
