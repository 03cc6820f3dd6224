// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/data/generated.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::Shape;
using xtape::Tensor;
using xtape::ValueError;
using xtape::data::Batch;
using namespace xtape::data;

namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

void check_classes(const Batch& batch, std::int64_t count, std::int64_t classes) {
  BOOST_REQUIRE(batch.x.shape() == (Shape{count, 2}) && batch.x.dtype() == xtape::float32);
  BOOST_REQUIRE(batch.y.shape() == (Shape{count}) && batch.y.dtype() == xtape::int64);
  for (std::int64_t i = 0; i < count; ++i) {
    BOOST_REQUIRE_EQUAL(batch.y.data<std::int64_t>()[i], i % classes);
  }
}

bool same(const Tensor& a, const Tensor& b, std::int64_t count) {
  return std::equal(a.data<float>(), a.data<float>() + count, b.data<float>());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_generated)

BOOST_AUTO_TEST_CASE(spirals_lie_on_their_arms) {
  const Batch batch = spirals(301, {.classes = 3, .turns = 1.5});
  check_classes(batch, 301, 3);
  const float* x = batch.x.data<float>();
  for (std::int64_t i = 0; i < 301; ++i) {
    const double r = std::hypot(x[2 * i], x[2 * i + 1]);
    BOOST_CHECK_LE(r, 1 + 1e-6);
    const double angle = 2 * M_PI * (1.5 * r + static_cast<double>(i % 3) / 3);
    BOOST_CHECK_SMALL(x[2 * i] - r * std::cos(angle), 1e-5);
    BOOST_CHECK_SMALL(x[2 * i + 1] - r * std::sin(angle), 1e-5);
  }
  BOOST_CHECK_THROW(spirals(-1), ValueError);
  BOOST_CHECK_THROW(spirals(5, {.classes = 0}), ValueError);
  BOOST_CHECK_THROW(spirals(5, {.turns = kNan}), ValueError);
  BOOST_CHECK_THROW(spirals(5, {.noise = -1}), ValueError);
}

BOOST_AUTO_TEST_CASE(moons_lie_on_their_circles) {
  const Batch batch = moons(200);
  check_classes(batch, 200, 2);
  const float* x = batch.x.data<float>();
  for (std::int64_t i = 0; i < 200; ++i) {
    const double dx = x[2 * i] - (i % 2), dy = x[2 * i + 1] - .5 * (i % 2);
    BOOST_CHECK_SMALL(std::hypot(dx, dy) - 1, 1e-6);
    BOOST_CHECK(i % 2 == 0 ? dy >= -1e-6 : dy <= 1e-6);
  }
  BOOST_CHECK(x[0] == 1 && x[2] == 0 && x[3] == .5f);
  BOOST_CHECK_THROW(moons(-1), ValueError);
  BOOST_CHECK_THROW(moons(3, {.noise = kNan}), ValueError);
  BOOST_CHECK(moons(0).x.shape() == (Shape{0, 2}));
}

BOOST_AUTO_TEST_CASE(noise_depends_on_the_seed_alone) {
  const Batch a = moons(500, {.noise = .1, .seed = 1}), exact = moons(500);
  const auto position = ++xtape::default_generator().position;
  BOOST_CHECK(same(a.x, moons(500, {.noise = .1, .seed = 1}).x, 1000));
  BOOST_CHECK(!same(a.x, moons(500, {.noise = .1, .seed = 2}).x, 1000));
  BOOST_CHECK_EQUAL(xtape::default_generator().position, position);
  double squares = 0;
  for (int i = 0; i < 1000; ++i) {
    squares += std::pow(a.x.data<float>()[i] - exact.x.data<float>()[i], 2);
  }
  BOOST_CHECK_CLOSE(std::sqrt(squares / 1000), .1, 10);
}

BOOST_AUTO_TEST_CASE(blobs_have_their_centers_and_spread) {
  const Batch batch = blobs(20000, xtape::tensor({{-5, 2}, {7, 0}}), {.std = 2, .seed = 4});
  check_classes(batch, 20000, 2);
  const double expected[2][2] = {{-5, 2}, {7, 0}};
  for (int c = 0; c < 2; ++c) {
    for (int j = 0; j < 2; ++j) {
      double sum = 0, squares = 0;
      for (int i = c; i < 20000; i += 2) {
        const double d = batch.x.data<float>()[2 * i + j] - expected[c][j];
        sum += d;
        squares += d * d;
      }
      BOOST_CHECK_SMALL(sum / 10000, 5 * 2 / 100.);  // five standard errors
      BOOST_CHECK_CLOSE(std::sqrt(squares / 10000), 2., 4);
    }
  }
  BOOST_CHECK_THROW(blobs(5, xtape::zeros({2})), xtape::ShapeError);
  BOOST_CHECK_THROW(blobs(5, xtape::zeros({0, 2})), xtape::ShapeError);
  BOOST_CHECK_THROW(blobs(5, xtape::zeros({1, 2}, xtape::int64)), xtape::DTypeError);
  BOOST_CHECK_THROW(blobs(5, xtape::zeros({1, 2}), {.std = -1}), ValueError);
}

BOOST_AUTO_TEST_CASE(sine_has_its_period) {
  const Tensor x = sine(100, {.period = 40});
  BOOST_CHECK(x.shape() == (Shape{100}) && x.dtype() == xtape::float32);
  for (int i = 0; i < 60; ++i) {
    BOOST_CHECK_SMALL(x.data<float>()[i] - x.data<float>()[i + 40], 1e-6f);
  }
  BOOST_CHECK_CLOSE(x.data<float>()[10], 1.f, 1e-4);
  BOOST_CHECK_SMALL(x.data<float>()[20], 1e-6f);
  for (const double period : {0., -1., kNan})
    BOOST_CHECK_THROW(sine(5, {.period = period}), ValueError);
}

BOOST_AUTO_TEST_CASE(mackey_glass_solves_its_equation) {
  // Up to tau the delayed value is the start: a linear equation with the solution
  // c / 0.1 + (x0 - c / 0.1) exp(-0.1 t).
  const Tensor x = mackey_glass(61);
  const double limit = .2 * 1.2 / (1 + std::pow(1.2, 10)) / .1;
  for (int t = 0; t <= 17; ++t) {
    BOOST_CHECK_SMALL(x.data<double>()[t] - (limit + (1.2 - limit) * std::exp(-.1 * t)), 1e-9);
  }
  // From there on against Heun's method with steps a hundred times as small.
  constexpr int kSteps = 1000;
  constexpr double h = 1. / kSteps;
  const auto slope = [](double value, double delayed) {
    return .2 * delayed / (1 + std::pow(delayed, 10)) - .1 * value;
  };
  std::vector<double> path(17 * kSteps + 1, 1.2);
  for (std::size_t i = 17 * kSteps; i < 77 * kSteps; ++i) {
    const double k1 = slope(path[i], path[i - 17 * kSteps]);
    const double k2 = slope(path[i] + h * k1, path[i + 1 - 17 * kSteps]);
    path.push_back(path[i] + h / 2 * (k1 + k2));
  }
  for (std::size_t t = 0; t <= 60; ++t) {
    BOOST_CHECK_SMALL(x.data<double>()[t] - path[(17 + t) * kSteps], 2e-6);
  }
}

BOOST_AUTO_TEST_CASE(mackey_glass_stays_on_its_attractor) {
  const Tensor x = mackey_glass(2000, {.warm_up = 500});
  const auto [low, high] = std::minmax_element(x.data<double>(), x.data<double>() + 2000);
  BOOST_CHECK(*low > .2 && *low < .5 && *high > 1.2 && *high < 1.4);
  BOOST_CHECK_EQUAL(x.data<double>()[0], mackey_glass(501).data<double>()[500]);
  // At rest it stays: 0.2 / (1 + 1) = 0.1.
  BOOST_CHECK_CLOSE(mackey_glass(50, {.tau = 1, .start = 1}).data<double>()[49], 1., 1e-9);
  for (const MackeyGlassOptions& o :
       {MackeyGlassOptions{.tau = 0}, MackeyGlassOptions{.start = -1},
        MackeyGlassOptions{.start = kNan}, MackeyGlassOptions{.warm_up = -1}}) {
    BOOST_CHECK_THROW(mackey_glass(5, o), ValueError);
  }
  BOOST_CHECK_EXCEPTION(mackey_glass(-1), ValueError, says("mackey_glass: count -1"));
}

BOOST_AUTO_TEST_CASE(customers_leave_by_the_formula) {
  constexpr std::size_t kRows = 20000;
  const Table t = bank_customers(kRows, 3);
  BOOST_CHECK_EQUAL(t.columns().size(), 11u);
  double expected[4] = {}, left[4] = {}, all[4] = {};
  for (std::size_t i = 0; i < kRows; ++i) {
    const double a = (t.numbers("Age")[i] - 39) / 10, products = t.numbers("NumOfProducts")[i];
    double z = -1.1 + 1.2 * a - .35 * a * a - 1. * t.numbers("IsActiveMember")[i];
    if (t.texts("Geography")[i] == "Germany") z += .9;
    if (t.texts("Gender")[i] == "Female") z += .5;
    if (products > 2) z += 2.5;
    if (products == 2) z -= .9;
    const double p = 1 / (1 + std::exp(-z));
    const auto bin = static_cast<std::size_t>(std::min(3., 4 * p));
    expected[bin] += p;
    left[bin] += t.numbers("Exited")[i];
    ++all[bin];
  }
  for (int bin = 0; bin < 4; ++bin) {
    BOOST_CHECK_GT(all[bin], 50);
    // Four standard deviations of a binomial count, at most half a root.
    BOOST_CHECK_SMALL(left[bin] - expected[bin], 4 * .5 * std::sqrt(all[bin]));
  }
  const double share = (left[0] + left[1] + left[2] + left[3]) / kRows;
  BOOST_CHECK(share > .15 && share < .25);
}

BOOST_AUTO_TEST_CASE(a_customer_depends_on_seed_and_number_alone) {
  const Table few = bank_customers(10, 1), many = bank_customers(1000, 1),
              other = bank_customers(10, 2);
  for (const char* name : {"Age", "Balance", "CreditScore", "Exited"}) {
    for (std::size_t i = 0; i < 10; ++i) {
      BOOST_CHECK_EQUAL(few.numbers(name)[i], many.numbers(name)[i]);
    }
  }
  BOOST_CHECK_NE(few.numbers("EstimatedSalary")[0], other.numbers("EstimatedSalary")[0]);
  BOOST_CHECK_EQUAL(bank_customers(0).rows(), 0);
  BOOST_CHECK_THROW(bank_customers(-1), ValueError);
}

BOOST_AUTO_TEST_CASE(a_walk_of_known_steps) {
  constexpr std::int64_t kSteps = 20000;
  const Tensor p = geometric_random_walk(
      kSteps + 1, {.start = 300, .drift = 1e-4, .volatility = .02, .seed = 4});
  const double* prices = p.data<double>();
  BOOST_CHECK_CLOSE(prices[0], 300., 1e-9);
  double sum = 0, squares = 0;
  for (std::int64_t t = 0; t < kSteps; ++t) {
    const double step = std::log(prices[t + 1] / prices[t]);
    sum += step;
    squares += step * step;
  }
  const double n = kSteps, mean = sum / n;
  BOOST_CHECK_SMALL(mean - (1e-4 - .02 * .02 / 2), 4 * .02 / std::sqrt(n));
  BOOST_CHECK_CLOSE(std::sqrt(squares / n - mean * mean), .02, 3);
  // Each price depends on the seed and what was before it alone.
  const Tensor few =
      geometric_random_walk(10, {.start = 300, .drift = 1e-4, .volatility = .02, .seed = 4});
  for (int t = 0; t < 10; ++t) BOOST_CHECK_EQUAL(few.data<double>()[t], prices[t]);
  BOOST_CHECK_EQUAL(geometric_random_walk(0).numel(), 0);
  for (const RandomWalkOptions& o :
       {RandomWalkOptions{.start = 0}, RandomWalkOptions{.drift = kNan},
        RandomWalkOptions{.volatility = -1}}) {
    BOOST_CHECK_THROW(geometric_random_walk(5, o), ValueError);
  }
}

BOOST_AUTO_TEST_CASE(applications_are_accepted_by_the_formula) {
  constexpr std::size_t kRows = 20000;
  const Table t = credit_applications(kRows, 3);
  BOOST_CHECK_EQUAL(t.columns().size(), 17u);
  double expected = 0, accepted = 0, irregular = 0, large[2] = {};
  for (std::size_t i = 0; i < kRows; ++i) {
    const double z =
        -2.8 + 3.2 * t.numbers("A8")[i] + 1.2 * t.numbers("A9")[i] + .5 * t.numbers("A11")[i];
    expected += 1 / (1 + std::exp(-z));
    accepted += t.numbers("Class")[i];
    const bool odd = t.numbers("Irregular")[i] == 1;
    irregular += odd;
    large[odd] += t.numbers("A3")[i] > 14;
    BOOST_CHECK(t.numbers("A3")[i] >= 0 && t.numbers("A3")[i] <= 28);
  }
  BOOST_CHECK_SMALL(accepted - expected, 4 * .5 * std::sqrt(double{kRows}));
  BOOST_CHECK_CLOSE(irregular, .03 * kRows, 20);
  BOOST_CHECK_CLOSE(large[1], irregular / 2, 20);
  BOOST_CHECK_EQUAL(large[0], 0);
  const Table few = credit_applications(10, 3);
  for (const char* name : {"A2", "A14", "Class"}) {
    for (std::size_t i = 0; i < 10; ++i) {
      BOOST_CHECK_EQUAL(few.numbers(name)[i], t.numbers(name)[i]);
    }
  }
  BOOST_CHECK_THROW(credit_applications(-1), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
