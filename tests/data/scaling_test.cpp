// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/data/safetensors.hpp>
#include <xtape/data/scaling.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::Tensor;
using xtape::ValueError;
using xtape::data::MinMaxScaler;
using xtape::data::StandardScaler;

namespace {

void near(const Tensor& x, const std::vector<double>& expected, double tolerance = 1e-12) {
  const Tensor values = x.to(xtape::float64).contiguous();
  BOOST_REQUIRE_EQUAL(values.numel(), static_cast<std::int64_t>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_CHECK_SMALL(values.data<double>()[i] - expected[i], tolerance);
  }
}

Tensor grid() { return xtape::tensor({{1, 100}, {2, 300}, {6, 200}}, xtape::float64); }

}  // namespace

BOOST_AUTO_TEST_SUITE(data_scaling)

BOOST_AUTO_TEST_CASE(standard) {
  StandardScaler scaler;
  const Tensor y = scaler.fit_transform(grid());
  // Means 3 and 200, variances 14 / 3 and 20000 / 3.
  const double a = std::sqrt(14. / 3), b = std::sqrt(20000. / 3);
  near(scaler.shift(), {3, 200});
  near(scaler.scale(), {a, b});
  near(y, {-2 / a, -100 / b, -1 / a, 100 / b, 3 / a, 0});
  near(scaler.inverse_transform(y), {1, 100, 2, 300, 6, 200}, 1e-10);
}

BOOST_AUTO_TEST_CASE(other_rows_by_the_fit_of_the_training_rows) {
  StandardScaler scaler;
  scaler.fit(grid());
  near(scaler.transform(xtape::tensor({{3, 200}}, xtape::float64)), {0, 0});
  MinMaxScaler unit;
  unit.fit(grid());
  near(unit.transform(xtape::tensor({{11, 0}}, xtape::float64)), {2, -.5});
  // Windows of rows too.
  BOOST_CHECK(unit.transform(xtape::zeros({4, 5, 2})).shape() == (xtape::Shape{4, 5, 2}));
}

BOOST_AUTO_TEST_CASE(min_max) {
  MinMaxScaler unit;
  const Tensor y = unit.fit_transform(grid());
  near(y, {0, 0, .2, 1, 1, .5});
  BOOST_CHECK(y.data<double>()[0] == 0 && y.data<double>()[3] == 1 && y.data<double>()[4] == 1);
  near(unit.inverse_transform(y), {1, 100, 2, 300, 6, 200});
  near(MinMaxScaler(-1, 1).fit_transform(grid()), {-1, -1, -.6, 1, 1, 0});
}

BOOST_AUTO_TEST_CASE(columns_of_one_value) {
  const Tensor x = xtape::full({7, 1}, 0.1, xtape::float64);
  near(StandardScaler().fit_transform(x), {0, 0, 0, 0, 0, 0, 0});
  near(MinMaxScaler(2, 3).fit_transform(x), {2, 2, 2, 2, 2, 2, 2});
  StandardScaler one;
  one.fit(xtape::full({1, 1}, 1e9));
  BOOST_CHECK_EQUAL(one.scale().item<double>(), 1);
}

BOOST_AUTO_TEST_CASE(float32_far_from_zero) {
  // In float32 arithmetic the deviation of these would be rounding alone.
  const Tensor x = xtape::tensor({16777208, 16777210, 16777212}).reshape({3, 1});
  const double d = std::sqrt(8. / 3);
  StandardScaler scaler;
  const Tensor y = scaler.fit_transform(x);
  BOOST_CHECK(y.dtype() == xtape::float32);
  near(y, {-2 / d, 0, 2 / d}, 1e-6);
  near(scaler.inverse_transform(y), {16777208, 16777210, 16777212}, 0.5);
}

BOOST_AUTO_TEST_CASE(gradients_pass) {
  StandardScaler scaler;
  scaler.fit(grid());
  Tensor x = grid();
  x.requires_grad_();
  scaler.inverse_transform(x).sum().backward();
  const double a = std::sqrt(14. / 3), b = std::sqrt(20000. / 3);
  near(x.grad(), {a, b, a, b, a, b});
}

BOOST_AUTO_TEST_CASE(saved_and_loaded) {
  const test::Folder folder;
  StandardScaler scaler;
  scaler.fit(grid());
  xtape::data::write_safetensors(folder / "s", scaler.state());
  StandardScaler other;
  other.load_state(xtape::data::read_safetensors(folder / "s").tensors);
  const Tensor a = scaler.transform(grid()), b = other.transform(grid());
  for (int i = 0; i < 6; ++i) BOOST_CHECK_EQUAL(a.data<double>()[i], b.data<double>()[i]);
}

BOOST_AUTO_TEST_CASE(states_that_are_none) {
  StandardScaler scaler;
  scaler.fit(grid());
  const Tensor one = xtape::ones({1}, xtape::float64), zero = xtape::zeros({1}, xtape::float64),
               nan = xtape::full({1}, std::nan(""), xtape::float64);
  BOOST_CHECK_EXCEPTION(scaler.load_state({{"shift", one}}), ValueError, says("no 'scale'"));
  BOOST_CHECK_EXCEPTION(scaler.load_state({{"shift", xtape::ones({1})}, {"scale", one}}),
                        ValueError, says("'shift' to be float64 of 1 dimension, got float32 [1]"));
  BOOST_CHECK_THROW(scaler.load_state({{"shift", one}, {"scale", zero}}), ValueError);
  BOOST_CHECK_THROW(scaler.load_state({{"shift", nan}, {"scale", one}}), ValueError);
  BOOST_CHECK_THROW(scaler.load_state({{"shift", one}, {"scale", nan}}), ValueError);
  BOOST_CHECK_THROW(
      scaler.load_state({{"shift", one}, {"scale", xtape::ones({2}, xtape::float64)}}), ValueError);
  BOOST_CHECK_THROW(scaler.load_state({{"shift", Tensor()}, {"scale", one}}), ValueError);
  near(scaler.shift(), {3, 200});
}

BOOST_AUTO_TEST_CASE(inputs_that_do_not_fit) {
  StandardScaler scaler;
  BOOST_CHECK_EXCEPTION(scaler.transform(grid()), ValueError, says("transform: not fitted yet"));
  BOOST_CHECK_THROW(scaler.inverse_transform(grid()), ValueError);
  BOOST_CHECK_THROW(scaler.state(), ValueError);
  BOOST_CHECK_EXCEPTION(scaler.fit(xtape::zeros({3})), xtape::ShapeError,
                        says("StandardScaler: fit: expected [rows, columns], got float32 [3]"));
  BOOST_CHECK_THROW(scaler.fit(xtape::zeros({3, 1}, xtape::int64)), xtape::DTypeError);
  BOOST_CHECK_THROW(scaler.fit(xtape::zeros({0, 1})), ValueError);
  BOOST_CHECK_THROW(scaler.fit(Tensor()), ValueError);
  const double inf = std::numeric_limits<double>::infinity();
  BOOST_CHECK_EXCEPTION(scaler.fit(xtape::tensor({{1, 2}, {3, std::nan("")}})), ValueError,
                        says("x[1, 1] is NaN"));
  BOOST_CHECK_EXCEPTION(scaler.fit(xtape::tensor({{-inf, 2}})), ValueError,
                        says("x[0, 0] is infinite"));
  const Tensor wide = xtape::tensor({-1.5e308, 1.5e308}, xtape::float64).reshape({2, 1});
  BOOST_CHECK_THROW(scaler.fit(wide), ValueError);
  BOOST_CHECK_THROW(MinMaxScaler().fit(wide), ValueError);
  scaler.fit(grid());
  BOOST_CHECK_EXCEPTION(scaler.transform(xtape::zeros({2, 3})), xtape::ShapeError,
                        says("expected [..., 2], got float32 [2, 3]"));
  BOOST_CHECK_THROW(scaler.transform(xtape::zeros({})), xtape::ShapeError);
  BOOST_CHECK_THROW(scaler.transform(xtape::zeros({2}, xtape::int64)), xtape::DTypeError);
  BOOST_CHECK_THROW(MinMaxScaler(1, 1), ValueError);
  BOOST_CHECK_THROW(MinMaxScaler(0, inf), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
