// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/logic.hpp>

#include "../expect.hpp"
#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const Rows rows({
    {.name = "logical_and",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return logical_and(a, b); },
     .reference = [](long double a, long double b) { return a != 0 && b != 0; },
     .inputs = {{flags({3, 4}), integer({3, 4}, 0, 2)}},
     .errors = {throws<ShapeError>([] { return logical_and(ones({2}), ones({3})); },
                                   "logical_and: shapes")}},
    {.name = "logical_or",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return logical_or(a, b); },
     .reference = [](long double a, long double b) { return a != 0 || b != 0; },
     .inputs = {{flags({3, 4}), given({4}, {0, 2.5, 0, -1})}}},
    {.name = "logical_xor",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return logical_xor(a, b); },
     .reference = [](long double a, long double b) { return (a != 0) != (b != 0); },
     .inputs = {{flags({3, 4}), integer({3, 4}, -1, 2)}}},
    {.name = "logical_not",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return logical_not(x); },
     .reference = [](long double x) { return x == 0; },
     .inputs = {{given({4}, {0, 2.5, 0, -1})}, {flags({3, 4})}}},
    {.name = "isnan",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return isnan(x); },
     .reference = [](long double x) { return std::isnan(x); },
     .inputs = {{given({3}, {0, std::nanl(""), 2})}, {integer({3}, -2, 3)}}},
    {.name = "isinf",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return isinf(x); },
     .reference = [](long double x) { return std::isinf(x); },
     .inputs = {{given({3}, {0, HUGE_VALL, -HUGE_VALL})}, {flags({3})}}},
    {.name = "isfinite",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return isfinite(x); },
     .reference = [](long double x) { return std::isfinite(x); },
     .inputs = {{given({3}, {0, std::nanl(""), -HUGE_VALL})}, {integer({3}, -2, 3)}}},
    {.name = "isclose",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return isclose(a, b, 0.25, 0.125); },
     .reference =
         [](long double a, long double b) {
           if (a == b) return true;
           return std::isfinite(a - b) && std::abs(a - b) <= 0.125L + 0.25L * std::abs(b);
         },
     .inputs = {{given({8}, {1, 1, -1, 0.1L, HUGE_VALL, HUGE_VALL, std::nanl(""), 9}),
                 given({8}, {1.5, 1.6L, 1, 0, HUGE_VALL, -HUGE_VALL, std::nanl(""), HUGE_VALL})},
                {integer({3, 4}, -3, 3), integer({4}, -3, 3)}},
     .errors = {throws<ValueError>([] { return isclose(ones({2}), ones({2}), -1); },
                                   "isclose: expected tolerances of at least 0, got rtol -1"),
                throws<ShapeError>([] { return isclose(ones({2}), ones({3})); }, "shapes")}},
});

BOOST_AUTO_TEST_SUITE(logic)

BOOST_AUTO_TEST_CASE(closeness) {
  const Tensor a = tensor({1, NAN}, float64), b = tensor({1 + 1e-6, NAN}, float64);
  XTAPE_SAME(isclose(a, b), {1, 0});
  XTAPE_SAME(isclose(a, b, 1e-5, 1e-8, true), {1, 1});
  BOOST_TEST(!allclose(a, b));
  BOOST_TEST(allclose(a, b, 1e-5, 1e-8, true));
  BOOST_TEST(!allclose(a, b, 1e-7, 0, true));
  BOOST_TEST(allclose(zeros({0}), zeros({0})));
  BOOST_TEST(allclose(ones({2, 3}), ones({3})));
  // 2^53 + 1 is no double.
  const Tensor large = full({1}, (std::int64_t{1} << 53) + 1, int64);
  XTAPE_SAME(isclose(large, large - 1, 0, 0), {0});
}

BOOST_AUTO_TEST_CASE(equality) {
  BOOST_TEST(equal(tensor({1, 2}), tensor({1, 2}, int64)));
  BOOST_TEST(!equal(tensor({1, 2}), tensor({1, 3})));
  BOOST_TEST(!equal(ones({2}), ones({2, 2})));
  BOOST_TEST(!equal(tensor({NAN}), tensor({NAN})));
  BOOST_TEST(equal(zeros({0, 2}), zeros({0, 2})));
  BOOST_CHECK_THROW(equal(Tensor(), ones({1})), ValueError);
}

BOOST_AUTO_TEST_CASE(operators_take_booleans) {
  const Tensor a = tensor({0, 0, 1, 1}, boolean), b = tensor({0, 1, 0, 1}, boolean);
  XTAPE_SAME(a & b, {0, 0, 0, 1});
  XTAPE_SAME(a | b, {0, 1, 1, 1});
  XTAPE_SAME(a ^ b, {0, 1, 1, 0});
  XTAPE_SAME(~b, {1, 0, 1, 0});
  BOOST_CHECK_EXCEPTION(a & ones({4}), DTypeError,
                        says("operator &: expected boolean tensors, got float32 [4]"));
  BOOST_CHECK_EXCEPTION(~ones({4}, int64), DTypeError, says("operator ~"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
