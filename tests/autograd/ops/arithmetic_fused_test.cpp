// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>

#include "../expect.hpp"
#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const Rows rows({
    {.name = "add_alpha",
     .f = [](const Tensor& a, const Tensor& b) { return add(a, b, -2.5); },
     .reference = [](long double a, long double b) { return a - 2.5L * b; },
     .inputs = {{real({3, 4}), real({3, 4})}, {real({3}), integer({3}, -4, 4)}},
     .errors = {throws<ShapeError>(
         [] {
           return add(ones({2, 3}), ones({2}), 2);
         },
         "add: shapes")}},
    {.name = "sub_alpha",
     .f = [](const Tensor& a, const Tensor& b) { return sub(a, b, 3); },
     .reference = [](long double a, long double b) { return a - 3 * b; },
     .inputs = {{real({3, 4}), real({3, 4})}}},
    {.name = "lerp",
     .f = [](const Tensor& a, const Tensor& b, const Tensor& w) { return lerp(a, b, w); },
     .reference = [](long double a, long double b,
                     long double w) { return w < 0.5L ? a + w * (b - a) : b - (b - a) * (1 - w); },
     .inputs = {{real({3, 4}), real({3, 4}), real({3, 4}, -0.5, 1.5)}},
     .points = {{{2, 7, 0}, 2, {1, 0, 5}}, {{2, 7, 1}, 7, {0, 1, 5}}},
     .errors = {throws<ShapeError>(
         [] {
           return lerp(ones({2, 3}), ones({2}), ones({1}));
         },
         "lerp: shapes")}},
    {.name = "lerp_number",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return Tensors{lerp(a, b, 0.25), lerp(a, b, 0.75)};
         },
     .reference =
         [](const Array& a, const Array& b) {
           Arrays y{a, a};
           for (std::size_t i = 0; i < a.values.size(); ++i) {
             y[0].values[i] = a.values[i] * 0.75L + b.values[i] * 0.25L;
             y[1].values[i] = a.values[i] * 0.25L + b.values[i] * 0.75L;
           }
           return y;
         },
     .inputs = {{real({3, 4}), real({3, 4})}}},
    {.name = "addcmul",
     .f = [](const Tensor& x, const Tensor& a, const Tensor& b) { return addcmul(x, a, b, -2.5); },
     .reference = [](long double x, long double a, long double b) { return x - 2.5L * (a * b); },
     .inputs = {{real({3, 4}), real({3, 4}), real({3, 4})}},
     .errors = {throws<ShapeError>(
         [] {
           return addcmul(ones({2, 3}), ones({2}), ones({1}));
         },
         "addcmul: shapes")},
     // The differences of large numbers are not exact.
     .without = {Check::extremes}},
    {.name = "addcdiv",
     .f = [](const Tensor& x, const Tensor& a, const Tensor& b) { return addcdiv(x, a, b, 2.5); },
     .reference = [](long double x, long double a, long double b) { return x + 2.5L * (a / b); },
     .inputs = {{real({3, 4}), real({3, 4}), real({3, 4}, 0.5, 2)}},
     .errors = {throws<ShapeError>(
         [] {
           return addcdiv(ones({2, 3}), ones({2}), ones({1}));
         },
         "addcdiv: shapes")},
     // The differences of large numbers are not exact.
     .without = {Check::extremes}},
});

BOOST_AUTO_TEST_SUITE(arithmetic_fused)

BOOST_AUTO_TEST_CASE(whole_numbers_stay_whole) {
  const Tensor x = tensor({1, 2}, int64);
  XTAPE_SAME(addcmul(x, x, x, 3), {4, 14});
  BOOST_TEST((addcmul(x, x, x, 3).dtype() == int64));
  BOOST_TEST((addcmul(x, x, x, 0.5).dtype() == float32));
  BOOST_TEST((addcdiv(x, x, x).dtype() == float32));
  XTAPE_SAME(add(x, x, 3), {4, 8});
  BOOST_TEST((add(x, x, 3).dtype() == int64));
  XTAPE_SAME(sub(x, tensor({1, 1}, boolean), 3), {-2, -1});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
