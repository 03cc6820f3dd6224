// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/math.hpp>

#include "../expect.hpp"
#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// An operation whose reference is the function of the same name.
#define XTAPE_STD(name)                                \
  .f = [](const Tensor& x) { return xtape::name(x); }, \
  .reference = [](long double x) { return std::name(x); }

const Rows rows({
    {.name = "exp",
     XTAPE_STD(exp),
     .inputs = {{real(-2, 2)}},
     .points = {{{88.5}, std::exp(88.5)}, {{-700}, std::exp(-700.0)}, {{0}, 1, {1}}}},
    {.name = "exp2",
     XTAPE_STD(exp2),
     .inputs = {{real(-2, 2)}},
     .points = {{{127}, 0x1p127}, {{-126}, 0x1p-126}}},
    {.name = "expm1",
     XTAPE_STD(expm1),
     .inputs = {{real(-2, 2)}},
     .points = {{{1e-10}, std::expm1(1e-10)}, {{-50}, -1, {0}}}},
    {.name = "log",
     XTAPE_STD(log),
     .inputs = {{real(0.5, 3)}},
     .points = {{{0}, -kInfinity, {kInfinity}}, {{1}, 0, {1}}}},
    {.name = "log2",
     XTAPE_STD(log2),
     .inputs = {{real(0.5, 3)}},
     .points = {{{8}, 3}, {{0.25}, -2}}},
    {.name = "log10", XTAPE_STD(log10), .inputs = {{real(0.5, 3)}}, .points = {{{1}, 0}}},
    {.name = "log1p",
     XTAPE_STD(log1p),
     .inputs = {{real(-0.5, 3)}},
     .points = {{{-1}, -kInfinity, {kInfinity}}, {{1e-10}, std::log1p(1e-10)}}},
    {.name = "sqrt",
     XTAPE_STD(sqrt),
     .inputs = {{real(0.5, 3)}},
     .points = {{{0}, 0, {0}}, {{4}, 2, {0.25}}}},
    {.name = "rsqrt",
     .f = [](const Tensor& x) { return rsqrt(x); },
     .reference = [](long double x) { return 1 / std::sqrt(x); },
     .inputs = {{real(0.5, 3)}},
     .points = {{{0}, kInfinity, {-kInfinity}}, {{4}, 0.5, {-0.0625}}}},
    {.name = "square",
     .f = [](const Tensor& x) { return square(x); },
     .reference = [](long double x) { return x * x; },
     .inputs = {{real(-2, 2)}}},
    {.name = "reciprocal",
     .f = [](const Tensor& x) { return reciprocal(x); },
     .reference = [](long double x) { return 1 / x; },
     .inputs = {{real(0.5, 3)}}},
    {.name = "erf",
     XTAPE_STD(erf),
     .inputs = {{real(-2, 2)}},
     .points = {{{1e-12}, std::erf(1e-12)},
                {{6}, 1, {std::exp(-36.0) * 2 / std::sqrt(std::numbers::pi)}}}},
    {.name = "erfc",
     XTAPE_STD(erfc),
     .inputs = {{real(-2, 2)}},
     .points = {{{5}, std::erfc(5.0)}, {{9}, std::erfc(9.0)}, {{-9}, 2}}},
    {.name = "ndtr",
     .f = [](const Tensor& x) { return ndtr(x); },
     .reference = [](long double x) { return std::erfc(-x / std::sqrt(2.0L)) / 2; },
     .inputs = {{real(-2, 2)}},
     .points = {{{-12}, std::erfc(12 / std::sqrt(2.0L)) / 2}, {{0}, 0.5}}},
    {.name = "abs",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return abs(x); },
     .reference = [](long double x) { return std::abs(x); },
     .inputs = {{real(-2, 2)}},
     .kinks = {0},
     .points = {{{0}, 0, {0}}, {{-0.0}, 0, {0}}, {{-3}, 3, {-1}}}},
    {.name = "sign",
     .kind = Kind::zero_gradient,
     .f = [](const Tensor& x) { return sign(x); },
     .reference = [](long double x) { return x > 0   ? 1
                                             : x < 0 ? -1
                                                     : x; },
     .inputs = {{real(-2, 2)}},
     .kinks = {0}},
    {.name = "floor",
     .kind = Kind::zero_gradient,
     XTAPE_STD(floor),
     .inputs = {{real(-3, 3)}},
     .kinks = {-3, -2, -1, 0, 1, 2, 3}},
    {.name = "ceil",
     .kind = Kind::zero_gradient,
     XTAPE_STD(ceil),
     .inputs = {{real(-3, 3)}},
     .kinks = {-3, -2, -1, 0, 1, 2, 3}},
    {.name = "trunc",
     .kind = Kind::zero_gradient,
     XTAPE_STD(trunc),
     .inputs = {{real(-3, 3)}},
     .kinks = {-3, -2, -1, 0, 1, 2, 3}},
    {.name = "round",
     .kind = Kind::zero_gradient,
     .f = [](const Tensor& x) { return xtape::round(x); },
     .reference = [](long double x) { return std::nearbyint(x); },
     .inputs = {{real(-3, 3)}},
     .kinks = {-2.5, -1.5, -0.5, 0.5, 1.5, 2.5},
     .points = {{{0.5}, 0}, {{1.5}, 2}, {{2.5}, 2}, {{-2.5}, -2}}},
    {.name = "pow",
     .f = [](const Tensor& x, const Tensor& y) { return pow(x, y); },
     .reference = [](long double x, long double y) { return std::pow(x, y); },
     .inputs = {{real({3, 4}, 0.5, 2), real({3, 4})}},
     .points = {{{0, 0}, 1, {0, 0}},
                {{0, 2}, 0, {0, 0}},
                {{0, 1}, 0, {1, 0}},
                {{0, 0.25}, 0, {0, 0}},
                {{2, 0}, 1, {0, std::numbers::ln2}},
                {{-2, 3}, -8}},
     .errors = {throws<ShapeError>([] { return pow(zeros({2, 3}), zeros({2})); }, "pow: shapes")}},
    {.name = "pow_number",
     .f = [](const Tensor& x) { return pow(x, 2.5); },
     .reference = [](long double x) { return std::pow(x, 2.5L); },
     .inputs = {{real(0.5, 2)}}},
    {.name = "pow_whole",
     .f = [](const Tensor& x) { return pow(x, 3); },
     .reference = [](long double x) { return x * x * x; },
     .inputs = {{real(-2, 2)}}},
    {.name = "pow_negative",
     .f = [](const Tensor& x) { return pow(x, -2); },
     .reference = [](long double x) { return 1 / (x * x); },
     .inputs = {{real(0.5, 2)}}},
    {.name = "pow_half",
     .f = [](const Tensor& x) { return pow(x, 0.5); },
     .reference = [](long double x) { return std::sqrt(x); },
     .inputs = {{real(0.5, 2)}},
     .points = {{{0}, 0, {0}}, {{4}, 2, {0.25}}}},
    {.name = "pow_large",
     .f = [](const Tensor& x) { return pow(x, 17); },
     .reference = [](long double x) { return std::pow(x, 17.0L); },
     .inputs = {{real(0.5, 1.5)}}},
    {.name = "pow_zeroth",
     .kind = Kind::zero_gradient,
     .f = [](const Tensor& x) { return pow(x, 0); },
     .reference = [](long double) { return 1; },
     .inputs = {{real(-2, 2)}}},
    {.name = "number_pow",
     .f = [](const Tensor& x) { return pow(3, x); },
     .reference = [](long double x) { return std::pow(3.0L, x); },
     .inputs = {{real(-2, 2)}}},
    {.name = "zero_pow",
     .kind = Kind::zero_gradient,
     .f = [](const Tensor& x) { return pow(0, x); },
     .reference = [](long double x) { return std::pow(0.0L, x); },
     .inputs = {{real(0.5, 2)}}},
    {.name = "atan2",
     .f = [](const Tensor& y, const Tensor& x) { return atan2(y, x); },
     .reference = [](long double y, long double x) { return std::atan2(y, x); },
     .inputs = {{real({3, 4}, 0.5, 2), real({3, 4}, -2, -0.5)},
                {real({3, 4}, -2, -0.5), real({3, 4}, -2, -0.5)},
                {real({3, 4}, -2, -0.5), real({3, 4}, 0.5, 2)}},
     .points = {{{0, 0}, 0, {0, 0}}, {{0, 2}, 0, {0.5, 0}}},
     .errors = {throws<ShapeError>(
         [] {
           return atan2(zeros({2, 3}), zeros({2}));
         },
         "atan2: shapes")}},
});

BOOST_AUTO_TEST_SUITE(math)

BOOST_AUTO_TEST_CASE(integers_are_computed_in_float32) {
  for (const DType dtype : {boolean, uint8, int64}) {
    const Tensor y = exp(tensor({0, 1}, dtype));
    BOOST_TEST((y.dtype() == float32));
    BOOST_TEST(y[1].item<float>() == std::exp(1.0f));
    BOOST_TEST((floor(tensor({3, 1}, dtype)).dtype() == dtype));
    BOOST_TEST((round(tensor({3, 1}, dtype)).dtype() == dtype));
  }
  XTAPE_SAME(trunc(tensor({3, -1}, int64)), {3, -1});
}

BOOST_AUTO_TEST_CASE(whole_numbers_stay_whole) {
  const std::int64_t large = (std::int64_t{1} << 53) + 1;  // no double
  const Tensor x = tensor({3, 0, -2}, int64), y = full({1}, -large, int64);
  const Tensor small = tensor({3, 0, 17}, uint8), yes = tensor({1, 0}, boolean);
  const auto same = [](const Tensor& got, DType dtype, const Values& expected) {
    BOOST_TEST((got.dtype() == dtype));
    BOOST_TEST(elements(got) == expected, boost::test_tools::per_element());
  };
  same(abs(x), int64, {3, 0, 2});
  BOOST_TEST(abs(y).item<std::int64_t>() == large);
  same(abs(small), uint8, {3, 0, 17});
  same(sign(x), int64, {1, 0, -1});
  same(sign(small), uint8, {1, 0, 1});
  same(sign(yes), boolean, {1, 0});
  same(square(x), int64, {9, 0, 4});
  same(square(small), uint8, {9, 0, 33});
  same(pow(x, 3), int64, {27, 0, -8});
  same(pow(x, 0), int64, {1, 1, 1});
  same(pow(small, 2), uint8, {9, 0, 33});
  same(pow(yes, 2), int64, {1, 0});
  same(pow(2, x + 2), int64, {32, 4, 1});
  same(pow(tensor({2, 3}, int64).unsqueeze(1), tensor({0, 33}, int64)), int64,
       {1, 8589934592, 1, 5559060566555523});
  same(pow(x, tensor({2, 0, 1}, uint8)), int64, {9, 1, -2});
  same(pow(x, 2.0), float32, {9, 0, 4});
  same(pow(zeros({0}, int64), 2), int64, {});
  same(pow(full({}, 3, uint8), 2), uint8, {9});
  same(pow(2, full({}, 3, uint8)), uint8, {8});
  // In memory of their own
  floor(x).add_(1);
  ceil(x).add_(1);
  round(x).add_(1);
  trunc(x).add_(1);
  abs(small).add_(1);
  nan_to_num(x).add_(1);
  same(x, int64, {3, 0, -2});
  same(small, uint8, {3, 0, 17});
  BOOST_CHECK_EXCEPTION(pow(x, -1), ValueError, says("pow: a whole number to a negative"));
  BOOST_CHECK_THROW(pow(2, x), ValueError);
  same(relu(x), int64, {3, 0, 0});
  same(relu(small), uint8, {3, 0, 17});
}

BOOST_AUTO_TEST_CASE(a_number_beside_a_tensor_takes_its_dtype) {
  BOOST_TEST((pow(ones({2}), scalar_tensor(2.0, float64)).dtype() == float32));
  BOOST_TEST((atan2(ones({2}), ones({2}, float64)).dtype() == float64));
  BOOST_TEST((atan2(ones({2}, int64), ones({}, float64)).dtype() == float64));
}

BOOST_AUTO_TEST_CASE(powers_of_small_numbers_are_exact) {
  const Tensor x = tensor({1, 2, 3, -2, -3}, float64);
  XTAPE_SAME(pow(x, 5), {1, 32, 243, -32, -243});
  XTAPE_SAME(pow(x, -1), {1, 0.5, 1.0 / 3, -0.5, -1.0 / 3});
  XTAPE_SAME(pow(x, 1), {1, 2, 3, -2, -3});
  XTAPE_SAME(pow(2, tensor({3, 0, -1, 10}, float64)), {8, 1, 0.5, 1024});
  XTAPE_SAME(pow(-2, tensor({3, 2}, float64)), {-8, 4});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
