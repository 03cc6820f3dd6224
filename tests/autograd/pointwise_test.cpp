// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/parallel.hpp>
#include <xtape/autograd/pointwise.hpp>

#include "expect.hpp"
#include "rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

constexpr auto huber =
    pointwise("huber", [](auto x) { return where(abs(x) < 1, 0.5 * x * x, abs(x) - 0.5); });

constexpr auto product_and_sine =
    pointwise("product_and_sine", [](auto a, auto b) { return a * a * b + sin(b); });

const Rows rows({
    {.name = "lambda_of_one",
     .f =
         [](const Tensor& x) {
           return pointwise("swish", [](auto x) { return x / (1 + exp(-x)); })(x);
         },
     .reference = [](long double x) { return x / (1 + std::exp(-x)); },
     .inputs = {{real(-2, 2)}},
     .without = {Check::extremes}},  // e^400 is infinite: written for its looks
    {.name = "lambda_of_two",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return pointwise("two", [](auto a, auto b) { return a * a * b + sin(b) / a - 3; })(a, b);
         },
     .reference = [](long double a, long double b) { return a * a * b + std::sin(b) / a - 3; },
     .inputs = {{real({3, 4}, 0.5, 2), real({3, 4})}}},
    {.name = "lambda_of_three",
     .f =
         [](const Tensor& a, const Tensor& b, const Tensor& c) {
           return pointwise("three", [](auto a, auto b, auto c) {
             return where(a > 0, a * tanh(b), c * c) + b * c;
           })(a, b, c);
         },
     .reference = [](long double a, long double b,
                     long double c) { return (a > 0 ? a * std::tanh(b) : c * c) + b * c; },
     .inputs = {{real({3, 4}), real({3, 4}), real({3, 4})}},
     .kinks = {0},
     .without = {Check::extremes}},  // terms of 1e8 leave no digits for the others
    {.name = "lambda_with_constants",
     .f =
         [](const Tensor& x) {
           const float f = 0.5F;
           const std::uint8_t u = 2;
           const long l = -3;
           return pointwise("constants", [f, u, l](auto x) {
             return f * x + u - x / l + 7U / (x + 4) - 2.5 + true * x - 4LL;
           })(x);
         },
     .reference = [](long double x) { return 0.5L * x + 2 + x / 3 + 7 / (x + 4) - 2.5L + x - 4; },
     .inputs = {{real(-2, 2)}}},
    {.name = "lambda_with_min_max",
     .kind = Kind::kinked,
     .f =
         [](const Tensor& a, const Tensor& b) {
           return pointwise("limits", [](auto a, auto b) {
             return max(a, b) * 3 + min(a, b) + clamp(a, -1, 1) + max(b, 0.5) + relu(a) + fabs(b);
           })(a, b);
         },
     .reference = [](long double a, long double b) -> long double {
       if (std::isnan(a) || std::isnan(b)) return std::nanl("");
       return std::max(a, b) * 3 + std::min(a, b) + std::min(std::max(a, -1.0L), 1.0L) +
              std::max(b, 0.5L) + std::max(a, 0.0L) + std::abs(b);
     },
     .inputs = {{real({3, 4}), real({3, 4})}},
     .kinks = {-1, 0, 0.5, 1},
     .without = {Check::extremes}},  // as above
    {.name = "lambda_with_conditions",
     .kind = Kind::kinked,
     .f =
         [](const Tensor& x) {
           return pointwise("band", [](auto x) {
             return where(x >= -1 && x <= 1 && !(x > 0.5), x * x * x,
                          where(x != x || x < -1, -x, 3 * x));
           })(x);
         },
     .reference =
         [](long double x) {
           return x >= -1 && x <= 1 && x <= 0.5L ? x * x * x : std::isnan(x) || x < -1 ? -x : 3 * x;
         },
     .inputs = {{real(-2, 2)}},
     .kinks = {-1, 0.5, 1}},
    {.name = "lambda_of_steps",
     .kind = Kind::zero_gradient,
     .f =
         [](const Tensor& x) {
           return pointwise("steps", [](auto x) {
             return floor(x) + ceil(x) + trunc(x) + round(x) + sign(x);
           })(x);
         },
     .reference =
         [](long double x) {
           const long double s = x > 0 ? 1 : x < 0 ? -1 : x;
           return std::floor(x) + std::ceil(x) + std::trunc(x) + std::nearbyint(x) + s;
         },
     .inputs = {{real(-2, 2)}},
     .kinks = {-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2}},
    {.name = "huber",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return huber(x); },
     .reference = [](long double x) { return std::abs(x) < 1 ? x * x / 2 : std::abs(x) - 0.5L; },
     .inputs = {{real(-2, 2)}},
     .kinks = {-1, 1}},
    {.name = "lambda_summed",
     .f = [](const Tensor& a, const Tensor& b) { return product_and_sine.sum(a, b); },
     .reference =
         [](const Array& a, const Array& b) {  // b has one row
           Array y = Array::filled({}, 0);
           for (std::size_t i = 0; i < a.values.size(); ++i) {
             const long double v = b.values[i % b.values.size()];
             y.values[0] += a.values[i] * a.values[i] * v + std::sin(v);
           }
           return y;
         },
     .inputs = {{real({3, 4}), real({3, 4})},
                {real({2, 3, 5}), real({3, 5})},
                {real({4, 150}), real({150})},
                {real({0, 3}), real({3})},
                {real(Shape{}), real(Shape{})}}},
});

BOOST_AUTO_TEST_SUITE(pointwise_lambdas)

BOOST_AUTO_TEST_CASE(numbers_as_arguments) {
  const auto f = pointwise("f", [](auto a, auto b, auto c) { return a * b + c; });
  const Tensor x = ones({3}).requires_grad_();
  const Tensor y = f(x, 2, 0.25);
  BOOST_TEST((y.dtype() == float32));
  XTAPE_SAME(y, {2.25, 2.25, 2.25});
  y.sum().backward();
  XTAPE_SAME(x.grad(), {2, 2, 2});
  XTAPE_SAME(f(3, leaf({1, 2}), true), {4, 7});
  // The second derivative passes by the number too.
  const Tensor z = leaf({3});
  const Tensor w = pointwise("g", [](auto a, auto b) { return a * a * b; })(z, 2);
  const Tensor slope = grad({w.sum()}, {z}, {.create_graph = true})[0];
  XTAPE_SAME(slope, {12});
  XTAPE_SAME(grad({slope.sum()}, {z})[0], {4});
}

BOOST_AUTO_TEST_CASE(dtypes) {
  const auto f = pointwise("f", [](auto a, auto b) { return a + b; });
  BOOST_TEST((f(ones({2}), ones({2}, float64)).dtype() == float64));
  BOOST_TEST((f(ones({2}), ones({2}, int64)).dtype() == float32));
  BOOST_TEST((f(ones({2}, int64), ones({2}, uint8)).dtype() == float32));
  BOOST_TEST((f(ones({2}), ones({}, float64)).dtype() == float32));
  BOOST_TEST((f(ones({2}, boolean), ones({}, float64)).dtype() == float64));
  BOOST_TEST((f(ones({}), ones({}, float64)).dtype() == float64));
  const Tensor single = ones({2}).requires_grad_(), real = leaf({1, 2});
  f(single, real).sum().backward();
  BOOST_TEST((single.grad().dtype() == float32));
  BOOST_TEST((real.grad().dtype() == float64));
  const Tensor whole = tensor({1, 2}, int64);
  XTAPE_SAME(grad({f(whole, real).sum()}, {real})[0], {1, 1});
}

BOOST_AUTO_TEST_CASE(only_what_is_asked_for_is_computed) {
  const auto f = pointwise("f", [](auto a, auto b) { return a * b; });
  const Tensor a = leaf({1, 2}), b = tensor({3, 4}, float64);
  f(a, b).sum().backward();
  XTAPE_SAME(a.grad(), {3, 4});
  BOOST_TEST(!b.grad().defined());
  BOOST_TEST(!f(b, b).requires_grad());
}

BOOST_AUTO_TEST_CASE(results_that_depend_on_nothing) {
  const Tensor x = leaf({1, 2});
  XTAPE_SAME(pointwise("c", [](auto) { return 3; })(x), {3, 3});
  XTAPE_SAME(grad({pointwise("c", [](auto x) { return floor(x) * 2; })(x).sum()}, {x})[0], {0, 0});
  XTAPE_SAME(pointwise("id", [](auto x) { return x; })(x), {1, 2});
  XTAPE_SAME(grad({pointwise("id", [](auto x) { return x; })(x).sum()}, {x})[0], {1, 1});
}

BOOST_AUTO_TEST_CASE(one_tensor_twice) {
  const Tensor x = leaf({2, 3});
  const Tensor y = pointwise("f", [](auto a, auto b) { return a * a * b; })(x, x);
  y.sum().backward();
  XTAPE_SAME(x.grad(), {12, 27});
}

BOOST_AUTO_TEST_CASE(errors) {
  const auto f = pointwise("my_formula", [](auto a, auto b) { return a * b; });
  BOOST_CHECK_EXCEPTION(f(ones({2, 3}), ones({4})), ShapeError,
                        says("my_formula: shapes [2, 3] and [4] do not broadcast"));
  BOOST_CHECK_EXCEPTION(f(Tensor(), 2), ValueError, says("my_formula: got an undefined tensor"));
  Tensor x = leaf({1, 2});
  const Tensor y = f(x, x);
  {
    const NoGrad no_grad;
    x.fill_(3);
  }
  BOOST_CHECK_THROW(y.sum().backward(), GradError);
}

BOOST_AUTO_TEST_CASE(a_sum_is_what_summing_the_results_gives) {
  manual_seed(3);
  const Tensor x = randn({70, 1000}, float64), y = randn({1000, 70}, float64);
  const auto check = [](const Tensor& a, const Tensor& b) {
    const double sum = product_and_sine.sum(a, b).item<double>();
    BOOST_TEST(sum == product_and_sine(a, b).sum().item<double>(),
               boost::test_tools::tolerance(1e-13));
    const int threads = num_threads();
    for (const int n : {1, 2}) {
      set_num_threads(n);
      BOOST_TEST(product_and_sine.sum(a, b).item<double>() == sum);
    }
    set_num_threads(threads);
  };
  check(x, x);
  check(x, y.t());
  check(x.t(), y[0]);
  check(flip(x, {0, 1}), x[{slice(), slice(none, 1)}]);
  check(x.unsqueeze(1).expand({70, 3, 1000}), randn({3, 1}, float64));
}

BOOST_AUTO_TEST_CASE(a_sum_stores_no_results) {
  const auto f = pointwise("plus", [](auto a, auto b) { return a + b; });
  const Tensor ones_of_float = ones({1}).expand({20'000'000});
  BOOST_TEST(f.sum(ones_of_float, 0).item<double>() == 2e7);  // float32 alone would end at 2^24
  const Tensor x = ones({1 << 20}).requires_grad_();
  memory::reset_peak();
  const std::int64_t before = memory::stats().live_bytes;
  const Tensor y = f.sum(x, x);
  BOOST_TEST(memory::stats().peak_bytes - before < 1 << 18);  // the results would be 4 MiB
  y.backward();
  BOOST_TEST(x.grad()[0].item<double>() == 2);
  BOOST_TEST((y.dtype() == float32));
  BOOST_TEST((f.sum(ones({2}, int64), 0.5).dtype() == float32));
  BOOST_TEST(std::isnan(f.sum(tensor({kNaN, 1}), 1).item<double>()));
  BOOST_TEST(f.sum(2, 3).item<double>() == 5);
  BOOST_CHECK_EXCEPTION(f.sum(ones({2, 3}), ones({4})), ShapeError,
                        says("plus: shapes [2, 3] and [4] do not broadcast"));
}

BOOST_AUTO_TEST_CASE(nan_and_infinities_pass) {
  const auto f = pointwise("f", [](auto x) { return x + 1; });
  const Values y = elements(f(tensor({kNaN, HUGE_VAL, -HUGE_VAL})));
  BOOST_TEST(std::isnan(y[0]));
  BOOST_TEST(y[1] == HUGE_VAL);
  BOOST_TEST(y[2] == -HUGE_VAL);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
