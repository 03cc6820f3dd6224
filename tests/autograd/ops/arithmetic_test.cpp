// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

long double larger(long double a, long double b) {
  return std::isnan(a) || std::isnan(b) ? std::nanl("") : std::max(a, b);
}
long double smaller(long double a, long double b) {
  return std::isnan(a) || std::isnan(b) ? std::nanl("") : std::min(a, b);
}

long double python_remainder(long double a, long double b) {
  const long double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
long double floor_quotient(long double a, long double b) {
  return b == 0 ? a / b
                : std::nearbyint((a - std::fmod(a, b)) / b) -
                      (python_remainder(a, b) != std::fmod(a, b) ? 1 : 0);
}

const Rows rows({
    {.name = "add",
     .f = [](const Tensor& a, const Tensor& b) { return a + b; },
     .reference = [](long double a, long double b) { return a + b; },
     .inputs = {{real({3, 4}), real({3, 4})}},
     .errors = {throws<ShapeError>(
         [] {
           return zeros({2, 3}) + zeros({4, 3});
         },
         "add: shapes [2, 3] and [4, 3] do not broadcast")}},
    {.name = "add_number",
     .f = [](const Tensor& x) { return 3 + x + 0.5; },
     .reference = [](long double x) { return x + 3.5L; },
     .inputs = {{real(-2, 2)}}},
    {.name = "sub",
     .f = [](const Tensor& a, const Tensor& b) { return a - b; },
     .reference = [](long double a, long double b) { return a - b; },
     .inputs = {{real({3, 4}), real({3, 4})}},
     .errors = {throws<ShapeError>(
         [] {
           return zeros({2, 3}) - zeros({2});
         },
         "sub: shapes")}},
    {.name = "sub_number",
     .f = [](const Tensor& x) { return x - 1.25; },
     .reference = [](long double x) { return x - 1.25L; },
     .inputs = {{real(-2, 2)}}},
    {.name = "number_sub",
     .f = [](const Tensor& x) { return 2 - x; },
     .reference = [](long double x) { return 2 - x; },
     .inputs = {{real(-2, 2)}}},
    {.name = "mul",
     .f = [](const Tensor& a, const Tensor& b) { return a * b; },
     .reference = [](long double a, long double b) { return a * b; },
     .inputs = {{real({3, 4}), real({3, 4})}},
     .errors = {throws<ShapeError>(
         [] {
           return zeros({2, 3}) * zeros({2});
         },
         "mul: shapes")}},
    {.name = "mul_number",
     .f = [](const Tensor& x) { return -1.5 * x * 2; },
     .reference = [](long double x) { return -3 * x; },
     .inputs = {{real(-2, 2)}}},
    {.name = "div",
     .f = [](const Tensor& a, const Tensor& b) { return a / b; },
     .reference = [](long double a, long double b) { return a / b; },
     .inputs = {{real({3, 4}), real({3, 4}, 0.5, 2)}},
     .errors = {throws<ShapeError>(
         [] {
           return zeros({2, 3}) / zeros({2});
         },
         "div: shapes")}},
    {.name = "div_number",
     .f = [](const Tensor& x) { return x / 3; },
     .reference = [](long double x) { return x / 3; },
     .inputs = {{real(-2, 2)}}},
    {.name = "number_div",
     .f = [](const Tensor& x) { return 2 / x; },
     .reference = [](long double x) { return 2 / x; },
     .inputs = {{real(0.5, 2)}}},
    {.name = "div_floor",
     .kind = Kind::zero_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return div(a, b, RoundingMode::floor); },
     .reference = floor_quotient,
     .inputs = {{real({3, 4}), real({3, 4}, 2.5, 3.5)},
                {integer({6}, -9, 9), given({}, {-4}, int64)}},
     .kinks = {0},
     .errors = {throws<DTypeError>(
                    [] { return div(ones({2}, boolean), true, RoundingMode::floor); },
                    "div: booleans cannot be divided"),
                throws<ValueError>(
                    [] {
                      return div(ones({2}, int64), tensor({1, 0}, int64), RoundingMode::trunc);
                    },
                    "div: an integer is divided by 0")},
     .without = {Check::extremes}},
    {.name = "div_trunc",
     .kind = Kind::zero_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return div(a, b, RoundingMode::trunc); },
     .reference = [](long double a, long double b) { return std::trunc(a / b); },
     .inputs = {{real({3, 4}, 5, 5.5), real({3, 4}, 2, 2.4)},
                {integer({6}, -9, 9), given({}, {-4}, int64)}},
     .without = {Check::extremes}},
    {.name = "remainder",
     .kind = Kind::kinked,
     .f = [](const Tensor& a, const Tensor& b) { return remainder(a, b); },
     .reference = python_remainder,
     .inputs = {{real({3, 4}), real({3, 4}, 2.5, 3.5)},
                {integer({6}, -9, 9), given({}, {-4}, int64)}},
     .kinks = {0},
     .points = {{{-7, 3}, 2, {1, 3}}, {{7, -3}, -2, {1, 3}}},
     .errors = {throws<ShapeError>(
                    [] {
                      return remainder(zeros({2, 3}), zeros({2}));
                    },
                    "remainder: shapes"),
                throws<ValueError>([] { return remainder(ones({2}, int64), 0); },
                                   "remainder: an integer is divided by 0")},
     // Quotients of differences see the kinks nearby.
     .without = {Check::extremes}},
    {.name = "remainder_number",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return remainder(x, -1.5); },
     .reference = [](long double x) { return python_remainder(x, -1.5L); },
     .inputs = {{real(-2, 2)}},
     .kinks = {-1.5, 0, 1.5}},
    {.name = "fmod",
     .kind = Kind::kinked,
     .f = [](const Tensor& a, const Tensor& b) { return fmod(a, b); },
     .reference = [](long double a, long double b) { return std::fmod(a, b); },
     .inputs = {{real({3, 4}, 5, 5.5), real({3, 4}, 2, 2.4)},
                {integer({6}, -9, 9), given({}, {-4}, int64)}},
     .points = {{{-7, 3}, -1, {1, 2}}, {{7, -3}, 1, {1, 2}}},
     .errors = {throws<DTypeError>([] { return fmod(ones({2}, boolean), ones({2}, boolean)); },
                                   "fmod: booleans")},
     // Quotients of differences see the kinks nearby.
     .without = {Check::extremes}},
    {.name = "fmod_number",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return fmod(x, -1.5); },
     .reference = [](long double x) { return std::fmod(x, -1.5L); },
     .inputs = {{real(-2, 2)}},
     .kinks = {-1.5, 0, 1.5}},
    {.name = "number_div_floor",
     .kind = Kind::zero_gradient,
     .f = [](const Tensor& x) { return div(7, x, RoundingMode::floor); },
     .reference = [](long double x) { return floor_quotient(7, x); },
     .inputs = {{real(2.5, 3.4)}, {given({4}, {1, -2, 3, -4}, int64)}},
     .kinks = {0},
     .errors = {throws<ValueError>(
         [] { return div(1, tensor({2, 0}, int64), RoundingMode::floor); },
         "div: an integer is divided by 0")},
     .without = {Check::extremes}},
    {.name = "number_remainder",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return remainder(-7, x); },
     .reference = [](long double x) { return python_remainder(-7, x); },
     .inputs = {{real(2.4, 3.4)}, {given({4}, {1, -2, 3, -4}, int64)}},
     .kinks = {0},
     .errors = {throws<ValueError>([] { return remainder(1, tensor({2, 0}, int64)); },
                                   "remainder: an integer is divided by 0")},
     // Quotients of differences see the kinks nearby.
     .without = {Check::extremes}},
    {.name = "number_fmod",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return fmod(-7, x); },
     .reference = [](long double x) { return std::fmod(-7.0L, x); },
     .inputs = {{real(2.4, 3.4)}, {given({4}, {1, -2, 3, -4}, int64)}},
     .kinks = {0},
     // Quotients of differences see the kinks nearby.
     .without = {Check::extremes}},
    {.name = "neg",
     .f = [](const Tensor& x) { return -x; },
     .reference = [](long double x) { return -x; },
     .inputs = {{real(-2, 2)}},
     .errors = {throws<DTypeError>([] { return -zeros({2}, boolean); }, "neg: a boolean tensor")}},
    {.name = "maximum",
     .kind = Kind::kinked,
     .f = [](const Tensor& a, const Tensor& b) { return maximum(a, b); },
     .reference = larger,
     .inputs = {{real({3, 4}), real({3, 4})}},
     .points = {{{1, 1}, 1, {0.5, 0.5}}, {{2, 1}, 2, {1, 0}}, {{-3, 1}, 1, {0, 1}}},
     .errors =
         {
             throws<ShapeError>(
                 [] {
                   return maximum(zeros({2, 3}), zeros({2}));
                 },
                 "maximum: shapes")}},
    {.name = "minimum",
     .kind = Kind::kinked,
     .f = [](const Tensor& a, const Tensor& b) { return minimum(a, b); },
     .reference = smaller,
     .inputs = {{real({3, 4}), real({3, 4})}},
     .points = {{{1, 1}, 1, {0.5, 0.5}}, {{2, 1}, 1, {0, 1}}, {{-3, 1}, -3, {1, 0}}}},
    {.name = "clamp",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return clamp(x, -0.5, 1); },
     .reference = [](long double x) { return smaller(larger(x, -0.5L), 1); },
     .inputs = {{real(-2, 2)}},
     .kinks = {-0.5, 1},
     .points = {{{1}, 1, {1}}, {{-0.5}, -0.5, {1}}, {{1.5}, 1, {0}}, {{-2}, -0.5, {0}}}},
    {.name = "clamp_min",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return clamp_min(x, -0.5); },
     .reference = [](long double x) { return larger(x, -0.5L); },
     .inputs = {{real(-2, 2)}},
     .kinks = {-0.5},
     .points = {{{-0.5}, -0.5, {1}}, {{-2}, -0.5, {0}}, {{std::nan("")}, std::nan(""), {0}}}},
    {.name = "clamp_max",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return clamp_max(x, 1); },
     .reference = [](long double x) { return smaller(x, 1); },
     .inputs = {{real(-2, 2)}},
     .kinks = {1},
     .points = {{{1}, 1, {1}}, {{2}, 1, {0}}}},
    {.name = "clamp_tensors",
     .kind = Kind::kinked,
     .f = [](const Tensor& x, const Tensor& a, const Tensor& b) { return clamp(x, a, b); },
     .reference =
         [](long double x, long double a, long double b) {
           const long double y = x < a ? a : x;
           return y > b ? b : y;
         },
     .inputs = {{real({3, 4}), real({3, 4}, -1, -0.5), real({3, 4}, 0.5, 1)}},
     .points = {{{0, -1, 1}, 0, {1, 0, 0}},
                {{-2, -1, 1}, -1, {0, 1, 0}},
                {{2, -1, 1}, 1, {0, 0, 1}},
                {{0, 3, 1}, 1, {0, 0, 1}}},
     // Quotients of differences see the kinks nearby.
     .without = {Check::extremes}},
    {.name = "where",
     .f = [](const Tensor& c, const Tensor& a, const Tensor& b) { return where(c, a, b); },
     .reference = [](long double c, long double a, long double b) { return c != 0 ? a : b; },
     .inputs = {{flags({3, 4}), real({3, 4}), real({3, 4})}},
     .errors = {throws<DTypeError>([] { return where(ones({2}), ones({2}), ones({2})); },
                                   "where: expected a boolean condition, got float32 [2]"),
                throws<ShapeError>([] { return where(ones({3}, boolean), ones({2}), ones({2})); },
                                   "where: shapes")}},
    {.name = "where_number",
     .f =
         [](const Tensor& c, const Tensor& x) {
           return Tensors{where(c, x, 2.5), where(c, -1, x)};
         },
     .reference =
         [](const Array& c, const Array& x) {
           Arrays y{x, x};
           for (std::size_t i = 0; i < x.values.size(); ++i) {
             if (c.values[i] == 0) y[0].values[i] = 2.5L;
             if (c.values[i] != 0) y[1].values[i] = -1;
           }
           return y;
         },
     .inputs = {{flags({3, 4}), real({3, 4})}, {flags({0}), real({0})}},
     .errors = {throws<ValueError>([] { return where(ones({1}, boolean), Tensor(), 1); },
                                   "where: got an undefined tensor")}},
    {.name = "eq",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return eq(a, b); },
     .reference = [](long double a, long double b) { return a == b; },
     .inputs = {{given({4}, {1, 2, 3, -1}), given({4}, {1, 3, 3, 1})}},
     .errors = {throws<ShapeError>(
         [] {
           return eq(zeros({2, 3}), zeros({2}));
         },
         "eq: shapes")}},
    {.name = "ne",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return ne(a, b); },
     .reference = [](long double a, long double b) { return a != b; },
     .inputs = {{given({4}, {1, 2, 3, -1}), given({4}, {1, 3, 3, 1})}}},
    {.name = "lt",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return a < b; },
     .reference = [](long double a, long double b) { return a < b; },
     .inputs = {{given({4}, {1, 2, 3, -1}), given({4}, {1, 3, 2, 1})}}},
    {.name = "le",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return a <= b; },
     .reference = [](long double a, long double b) { return a <= b; },
     .inputs = {{given({4}, {1, 2, 3, -1}), given({4}, {1, 3, 2, 1})}}},
    {.name = "gt",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return a > b; },
     .reference = [](long double a, long double b) { return a > b; },
     .inputs = {{given({4}, {1, 2, 3, -1}), given({4}, {1, 3, 2, 1})}}},
    {.name = "ge",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& a, const Tensor& b) { return a >= b; },
     .reference = [](long double a, long double b) { return a >= b; },
     .inputs = {{given({4}, {1, 2, 3, -1}), given({4}, {1, 3, 2, 1})}}},
    {.name = "eq_number",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return eq(x, 1); },
     .reference = [](long double x) { return x == 1; },
     .inputs = {{given({4}, {1, 2, -1, 0})}}},
    {.name = "ne_number",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return ne(x, 1); },
     .reference = [](long double x) { return x != 1; },
     .inputs = {{given({4}, {1, 2, -1, 0})}}},
    {.name = "lt_number",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return x < 1; },
     .reference = [](long double x) { return x < 1; },
     .inputs = {{given({4}, {1, 2, -1, 0})}}},
    {.name = "le_number",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return x <= 1; },
     .reference = [](long double x) { return x <= 1; },
     .inputs = {{given({4}, {1, 2, -1, 0})}}},
    {.name = "gt_number",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return x > -1; },
     .reference = [](long double x) { return x > -1; },
     .inputs = {{given({4}, {1, 2, -1, 0})}}},
    {.name = "ge_number",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return x >= -1; },
     .reference = [](long double x) { return x >= -1; },
     .inputs = {{given({4}, {1, 2, -1, 0})}}},
});

BOOST_AUTO_TEST_SUITE(arithmetic)

// The dtype of a + b for every pair, with as many dimensions and with b 0-d.
BOOST_AUTO_TEST_CASE(promotion) {
  const DType all[] = {boolean, uint8, int64, float32, float64};
  const auto category = [](DType d) { return is_floating(d) ? 2 : d == boolean ? 0 : 1; };
  for (const DType a : all) {
    for (const DType b : all) {
      const Tensor x = ones({2}, a), y = ones({2}, b), number = ones({}, b);
      BOOST_TEST((add(x, y).dtype() == promote(a, b)));
      const DType beside_number = category(b) <= category(a) ? a : b;
      BOOST_TEST((add(x, number).dtype() == beside_number));
      BOOST_TEST((add(number, x).dtype() == beside_number));
      BOOST_TEST((result_type(x, number) == beside_number));
      BOOST_TEST((eq(x, y).dtype() == boolean));
      const DType quotient = is_floating(promote(a, b)) ? promote(a, b) : float32;
      BOOST_TEST((div(x, y).dtype() == quotient));
      XTAPE_SAME(div(x, y), {1, 1});
      XTAPE_SAME(eq(x, y), {1, 1});
    }
  }
}

BOOST_AUTO_TEST_CASE(numbers_keep_the_dtype_of_their_category) {
  BOOST_TEST(((ones({2}) + 1.5).dtype() == float32));
  BOOST_TEST(((ones({2}, uint8) + 1).dtype() == uint8));
  BOOST_TEST(((ones({2}, int64) + 1.5).dtype() == float32));
  BOOST_TEST(((ones({2}, boolean) + 1).dtype() == int64));
  BOOST_TEST(((ones({2}, boolean) * true).dtype() == boolean));
  BOOST_TEST(((ones({2}, int64) / 2).dtype() == float32));
  XTAPE_SAME(7 / tensor({2, 4}, int64), {3.5, 1.75});
  XTAPE_SAME(tensor({250, 3}, uint8) + 10, {4, 13});
  XTAPE_SAME(1 - tensor({4, 3}, int64), {-3, -2});
  XTAPE_SAME(maximum(tensor({4, -3}, int64), tensor({1, 1}, int64)), {4, 1});
  XTAPE_SAME(clamp(tensor({-4, 3, 9}, int64), 0, 5), {0, 3, 5});
  XTAPE_SAME(lt(tensor({1, 2}, int64), 1.5), {1, 0});
}

BOOST_AUTO_TEST_CASE(gradients_have_the_dtype_of_their_tensor) {
  const Tensor a = ones({2, 3}).requires_grad_(), b = leaf({1, 2, 3});
  const Tensor y = a * b;
  BOOST_TEST((y.dtype() == float64));
  y.backward({.seed = ones({2, 3}, float64)});
  BOOST_TEST((a.grad().dtype() == float32));
  XTAPE_SAME(a.grad(), {1, 2, 3, 1, 2, 3});
  XTAPE_SAME(b.grad(), {2, 2, 2});
  const Tensor c = where(tensor({1, 0}, boolean), a[0][0], leaf({5, 6}));
  BOOST_TEST((c.dtype() == float64));
}

BOOST_AUTO_TEST_CASE(what_is_not_taken_may_be_anything) {
  const Tensor x = leaf({0, 1});
  const Tensor y = where(gt(x, 0), x * 2, x * kInfinity);
  XTAPE_SAME(where(gt(x, 0), x, full({2}, std::nan(""), float64) * 0 + 3)[1], {1});
  const Tensor nan = full({2}, std::nan(""), float64).requires_grad_();
  where(gt(x, -1), x, nan).sum().backward();
  XTAPE_SAME(x.grad(), {1, 1});
  XTAPE_SAME(nan.grad(), {0, 0});
  BOOST_TEST(y.requires_grad());
}

BOOST_AUTO_TEST_CASE(divisions_of_integers) {
  const Tensor a = tensor({7, -7, 7, -7}, int64), b = tensor({3, 3, -3, -3}, int64);
  XTAPE_SAME(div(a, b, RoundingMode::floor), {2, -3, -3, 2});
  XTAPE_SAME(div(a, b, RoundingMode::trunc), {2, -2, -2, 2});
  XTAPE_SAME(remainder(a, b), {1, 2, -2, -1});
  XTAPE_SAME(fmod(a, b), {1, -1, 1, -1});
  BOOST_TEST((div(a, 2, RoundingMode::floor).dtype() == int64));
  BOOST_TEST((remainder(a, 2.5).dtype() == float32));
  XTAPE_SAME(div(tensor({7}, uint8), 2, RoundingMode::floor), {3});
  const std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  XTAPE_SAME(full({1}, lowest, int64) - 1 + 1, {-9223372036854775808.0});
  XTAPE_SAME(full({1}, std::int64_t{1} << 32, int64) * (std::int64_t{1} << 32), {0});
  BOOST_TEST(remainder(full({1}, lowest, int64), -1).item<std::int64_t>() == 0);
  BOOST_TEST(div(full({1}, lowest, int64), -1, RoundingMode::trunc).item<std::int64_t>() == lowest);
  // 1 // 0.1 is 9: 0.1 is a little more than a tenth.
  XTAPE_SAME(div(tensor({1}, float64), 0.1, RoundingMode::floor), {9});
}

BOOST_AUTO_TEST_CASE(an_infinite_gradient_stays_with_the_winner) {
  Tensor a = leaf({1, 2, 3}), b = leaf({2, 1, 3});
  const Tensor seed = full({3}, kInfinity, float64);
  maximum(a, b).backward({.seed = seed});
  XTAPE_SAME(a.grad(), {0, kInfinity, kInfinity});
  XTAPE_SAME(b.grad(), {kInfinity, 0, kInfinity});
  a.set_grad(Tensor());
  minimum(a, b).backward({.seed = seed});
  XTAPE_SAME(a.grad(), {kInfinity, 0, kInfinity});
}

BOOST_AUTO_TEST_CASE(comparison_operators) {
  const Tensor x = tensor({1, 2, 3}, int64), y = tensor({3, 2, 1}, int64);
  XTAPE_SAME(x == y, {0, 1, 0});
  XTAPE_SAME(x != y, {1, 0, 1});
  XTAPE_SAME(x == 2, {0, 1, 0});
  XTAPE_SAME(2 == x, {0, 1, 0});
  XTAPE_SAME(2 != x, {1, 0, 1});
  XTAPE_SAME(2 < x, {0, 0, 1});
  XTAPE_SAME(2 <= x, {0, 1, 1});
  XTAPE_SAME(2 > x, {1, 0, 0});
  XTAPE_SAME(2.5 >= x, {1, 1, 0});
}

BOOST_AUTO_TEST_CASE(a_choice_between_numbers) {
  const Tensor c = tensor({1, 0}, boolean);
  XTAPE_SAME(where(c, 1.5, 2), {1.5, 2});
  BOOST_TEST((where(c, 1.5, 2).dtype() == float32));
  BOOST_TEST((where(c, 1, true).dtype() == int64));
  BOOST_TEST((where(c, true, false).dtype() == boolean));
  BOOST_TEST((where(c, tensor({1, 2}, int64), 0.5).dtype() == float32));
  BOOST_TEST((where(c, 0.5, ones({2})).dtype() == float32));
  BOOST_TEST((where(c, 7, ones({2}, uint8)).dtype() == uint8));
}

// The handle becomes one of a new value; what was recorded, and other handles, stay.
BOOST_AUTO_TEST_CASE(assignments_with_an_operation_are_recorded) {
  const Tensor a = leaf({1, 2}), b = leaf({4, 8});
  Tensor x = a * 1;
  const Tensor before = x;
  x += b;
  x -= 1;
  x *= b;
  x /= 2;
  x += 1;
  x -= a;
  x *= 3;
  x /= b;
  // 3 ((a + b - 1) b / 2 + 1 - a) / b
  XTAPE_SAME(x, {6, 13.125});
  XTAPE_SAME(before, {1, 2});
  x.sum().backward();
  XTAPE_SAME(a.grad(), {0.75, 1.125});
  BOOST_TEST(b.grad().defined());
  // A parameter would stay as it is.
  Tensor p = a;
  const auto text = says("-= would make this handle one of a new value");
  BOOST_CHECK_EXCEPTION(p -= b, GradError, text);
  const NoGrad no_grad;
  BOOST_CHECK_EXCEPTION(p -= 1, GradError, text);
  BOOST_CHECK_THROW(p += b, GradError);
  BOOST_CHECK_THROW(p *= 2, GradError);
  BOOST_CHECK_THROW(p /= b, GradError);
  XTAPE_SAME(a, {1, 2});
}

BOOST_AUTO_TEST_CASE(the_memory_order_of_the_operands_is_kept) {
  const Tensor x = ones({3, 4}).t();
  BOOST_TEST((add(x, 1).strides()[0] == 1));
  BOOST_TEST((add(x, x).strides()[0] == 1));
  BOOST_TEST((add(ones({3}), x).strides()[0] == 1));
  BOOST_TEST(add(ones({4, 3}), x).is_contiguous());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
