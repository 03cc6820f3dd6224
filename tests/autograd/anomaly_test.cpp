// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/anomaly.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <string>

#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/scope.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/autograd/tape.hpp>

#include "expect.hpp"

BOOST_AUTO_TEST_SUITE(anomaly)

using namespace xtape;
using namespace xtape::test;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// By function and line with debug information, else by the place in the program.
bool names_this_file(const std::exception& e) {
  const std::string text = e.what();
  const bool found = text.find("recorded by anomaly::") != std::string::npos ||
                     text.find("xtape_tests") != std::string::npos;
  if (!found) BOOST_ERROR(text);
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_first_result_that_is_not_a_number) {
  const Tensor x = leaf({4, -1});
  const DetectAnomaly guard;
  const xtape::detail::ScopeGuard module(xtape::detail::intern_scope("Net.norm (Norm)"));
  BOOST_CHECK_EXCEPTION(
      sqrt(x * 2), AnomalyError,
      says("Net.norm (Norm): the result of sqrt (float64 [2]) holds NaN; recorded by "));
  BOOST_CHECK_EXCEPTION(sqrt(x), AnomalyError, names_this_file);
  BOOST_CHECK_EXCEPTION(log(x - 4), AnomalyError, says("holds NaN"));
  BOOST_CHECK_EXCEPTION(log(x[0] - 4), AnomalyError, says("the result of log"));
}

BOOST_AUTO_TEST_CASE(without_recording_too) {
  const DetectAnomaly guard;
  BOOST_CHECK_EXCEPTION(log(zeros({2})), AnomalyError, says("holds Inf"));
  const NoGrad no_grad;
  BOOST_CHECK_EXCEPTION(exp(leaf({1000})), AnomalyError, says("the result of exp"));
}

BOOST_AUTO_TEST_CASE(the_first_gradient_that_is_not_a_number) {
  const DetectAnomaly guard;
  const Tensor x = leaf({0, 1});
  Tensor y = x.detach() + 1;
  record("steep", y, {x}, saves(), [](Backward& t) { t.add(0, t.g().detach() / 0); });
  const auto test = [&](const std::exception& e) {
    return says("backward of steep: the result of div (float64 [2]) holds Inf")(e) &&
           names_this_file(e);
  };
  BOOST_CHECK_EXCEPTION(y.sum().backward(), AnomalyError, test);
}

BOOST_AUTO_TEST_CASE(a_gradient_that_no_operation_computed) {
  const DetectAnomaly guard;
  const Tensor x = leaf({0, 1});
  Tensor y = x.detach() + 1;
  record("foreign", y, {x}, saves(), [](Backward& t) {
    Tensor g = zeros({2}, float64);
    g.fill_(std::numeric_limits<double>::quiet_NaN());
    t.add(0, g);
  });
  BOOST_CHECK_EXCEPTION(
      y.sum().backward(), AnomalyError,
      says("backward of foreign: the gradient of input 0, float64 [2], holds NaN; recorded by "));
}

BOOST_AUTO_TEST_CASE(infinities_on_request_only) {
  const Tensor x = leaf({-kInfinity, 1});
  const DetectAnomaly guard({.inf = false});
  BOOST_TEST(elements(x * 2)[0] == -kInfinity);
  BOOST_CHECK_THROW(x - x, AnomalyError);
}

BOOST_AUTO_TEST_CASE(quiet_where_nothing_is_wrong_and_outside_its_scope) {
  const auto before = memory::stats();
  {
    const Tensor x = leaf({1, 2});
    {
      const DetectAnomaly guard;
      (sqrt(x) * x).sum().backward();
    }
    BOOST_TEST(std::isnan(elements(sqrt(x - 2))[0]));
  }
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes);
}

BOOST_AUTO_TEST_SUITE_END()
