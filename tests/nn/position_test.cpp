// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/gradcheck.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/nn/position.hpp>

#include <cmath>

#include "modules.hpp"

namespace {

using namespace xtape;
using namespace nn_test;

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_position)

BOOST_AUTO_TEST_CASE(sinusoidal) {
  const Tensor p = nn::sinusoidal_position(5, 6, 10000, float64);
  for (std::int64_t t = 0; t < 5; ++t) {
    for (std::int64_t i = 0; i < 3; ++i) {
      const double a = static_cast<double>(t) / std::pow(10000, static_cast<double>(2 * i) / 6);
      BOOST_TEST(std::abs((p[{t, 2 * i}].item<double>()) - std::sin(a)) < 1e-15);
      BOOST_TEST(std::abs((p[{t, 2 * i + 1}].item<double>()) - std::cos(a)) < 1e-15);
    }
  }
  nn::SinusoidalPosition add, first({.batch_first = true});
  const Tensor x = zeros({5, 2, 6}, float64);
  check_values(add(x)[{slice(), 1}], values(p));
  check_values(first(x.transpose(0, 1))[1], values(p));
  check_values(add(zeros({5, 6}, float64)), values(p));
  BOOST_CHECK_THROW(add(zeros({5})), ShapeError);
  BOOST_CHECK_THROW(nn::sinusoidal_position(0, 4), ValueError);
}

// Products of turned vectors depend on the distance of their positions alone.
BOOST_AUTO_TEST_CASE(rotary) {
  manual_seed(1);
  const Tensor q = randn({1, 8}, float64), k = randn({1, 8}, float64);
  for (const bool interleaved : {true, false}) {
    const auto at = [&](const Tensor& x, std::int64_t position) {
      return nn::rotary_position(x, {.offset = position, .interleaved = interleaved});
    };
    const double near = matmul(at(q, 3), at(k, 1).t()).item<double>();
    const double far = matmul(at(q, 103), at(k, 101).t()).item<double>();
    BOOST_TEST(std::abs(near - far) < 1e-12);
    BOOST_TEST(std::abs(near - matmul(at(q, 4), at(k, 1).t()).item<double>()) > 1e-6);
    check_values(at(q, 0), values(q), 1e-15);
    const GradcheckReport report =
        gradcheck([&](const Tensor& x) { return at(x, 2); }, {randn({2, 3, 4}, float64)});
    BOOST_TEST(report.ok, report.text());
  }
  // The first pair turns by one radian a position.
  const Tensor e = nn::rotary_position(tensor({{1, 0, 0, 0}, {1, 0, 0, 0}}, float64));
  check_values(e, {1, 0, 0, 0, std::cos(1.0), std::sin(1.0), 0, 0}, 1e-15);
  const Tensor h =
      nn::rotary_position(tensor({{0, 0, 0, 0}, {1, 0, 0, 0}}, float64), {.interleaved = false});
  check_values(h, {0, 0, 0, 0, std::cos(1.0), 0, std::sin(1.0), 0}, 1e-15);
  BOOST_CHECK_EXCEPTION(nn::rotary_position(zeros({2, 3})), ShapeError,
                        says("rotary_position: expected [..., length, dim] with an even dim"));
}

BOOST_AUTO_TEST_SUITE_END()
