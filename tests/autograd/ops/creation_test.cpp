// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <vector>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const Rows rows({
    {.name = "clone",
     .f = [](const Tensor& x) { return x.clone(); },
     .reference = [](const Array& x) { return x; },
     .inputs = {{real({3, 4})}},
     .any_shape = true},
    {.name = "contiguous",
     .f = [](const Tensor& x) { return x.contiguous(); },
     .reference = [](const Array& x) { return x; },
     .inputs = {{real({3, 4})}},
     .any_shape = true},
    {.name = "contiguous_copy",
     .f = [](const Tensor& x) { return x.transpose(0, 1).contiguous(); },
     .reference =
         [](const Array& x) {
           Array y = Array::filled({x.shape[1], x.shape[0]}, 0);
           for (std::int64_t i = 0; i < x.shape[0]; ++i) {
             for (std::int64_t j = 0; j < x.shape[1]; ++j) y(j, i) = x(i, j);
           }
           return y;
         },
     .inputs = {{real({3, 4})}, {real({70, 33})}, {real({0, 2})}}},
    {.name = "to",  // between floating dtypes: see below, differences do not see through rounding
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return x.to(int64); },
     .reference =
         [](const Array& x) {
           Array y = x;
           for (long double& v : y.values) v = std::trunc(v);
           return y;
         },
     .inputs = {{real({3, 4}, -9, 9)}},
     .any_shape = true,
     .without = {Check::nonfinite}},  // no whole number stands for NaN
});

BOOST_AUTO_TEST_SUITE(creation)

BOOST_AUTO_TEST_CASE(filled) {
  for (const DType dtype : {boolean, uint8, int64, float32, float64}) {
    BOOST_TEST((zeros({2, 3}, dtype).dtype() == dtype));
    XTAPE_SAME(zeros({3}, dtype), {0, 0, 0});
    XTAPE_SAME(ones({3}, dtype), {1, 1, 1});
    XTAPE_SAME(full({2}, 1, dtype), {1, 1});
    BOOST_TEST((empty_like(zeros({2, 3}, dtype)).dtype() == dtype));
    BOOST_TEST((empty_like(zeros({2, 3}, dtype)).shape() == Shape{2, 3}));
    XTAPE_SAME(scalar_tensor(1, dtype), {1});
    BOOST_TEST(zeros({0, 3}, dtype).numel() == 0);
    BOOST_TEST((empty({2, 0}, dtype).shape() == Shape{2, 0}));
    const Tensor like = full_like(ones({2, 3}, dtype), 1);
    BOOST_TEST((like.dtype() == dtype && like.shape() == Shape{2, 3}));
    BOOST_TEST((zeros_like(like).dtype() == dtype));
    BOOST_TEST((ones_like(like).shape() == Shape{2, 3}));
  }
  XTAPE_SAME(full({2}, 2.75, int64), {2, 2});
  XTAPE_SAME(full({1}, (std::int64_t{1} << 53) + 2, int64), {9007199254740994.0});
  BOOST_TEST((ones({2}).dtype() == float32));
  BOOST_TEST(scalar_tensor(3, float64).dim() == 0);
  BOOST_CHECK_EXCEPTION(zeros({2, -1}), ShapeError, says("-1"));
  BOOST_CHECK_EXCEPTION(zeros({1 << 30, 1 << 30, 1 << 30}), Error, says(""));
}

BOOST_AUTO_TEST_CASE(ranges) {
  XTAPE_SAME(arange(4), {0, 1, 2, 3});
  XTAPE_SAME(arange(2, 5), {2, 3, 4});
  XTAPE_SAME(arange(5, 0, -2), {5, 3, 1});
  XTAPE_SAME(arange(0, 1, 0.25), {0, 0.25, 0.5, 0.75});
  XTAPE_SAME(arange(1, 0, 1), {});
  XTAPE_SAME(arange(0, 3, 1, float64), {0, 1, 2});
  XTAPE_SAME(arange(0, 3, 1, uint8), {0, 1, 2});
  BOOST_TEST((arange(3).dtype() == int64));
  BOOST_TEST((arange(3.0).dtype() == float32));
  BOOST_TEST((arange(0, 3, 0.5).dtype() == float32));
  BOOST_CHECK_EXCEPTION(arange(0, 1, 0), ValueError, says("arange: step must not be 0"));
  BOOST_CHECK_EXCEPTION(arange(0, std::nan(""), 1), ValueError,
                        says("arange: the range is not finite"));
  BOOST_CHECK_EXCEPTION(arange(0, std::numeric_limits<double>::infinity(), 1), ValueError,
                        says("arange: the range is not finite"));
}

BOOST_AUTO_TEST_CASE(points_between) {
  XTAPE_SAME(linspace(0, 1, 5), {0, 0.25, 0.5, 0.75, 1});
  XTAPE_SAME(linspace(3, -1, 3), {3, 1, -1});
  XTAPE_SAME(linspace(2, 9, 1), {2});
  XTAPE_SAME(linspace(2, 9, 0), {});
  const Tensor x = linspace(0.1, 0.7, 1000, float64);
  BOOST_TEST(x[0].item<double>() == 0.1);
  BOOST_TEST(x[999].item<double>() == 0.7);
  BOOST_CHECK_EXCEPTION(linspace(0, 1, -1), ValueError,
                        says("linspace: expected steps >= 0, got -1"));
}

BOOST_AUTO_TEST_CASE(identity) {
  XTAPE_SAME(eye(2), {1, 0, 0, 1});
  XTAPE_SAME(eye(2, 3), {1, 0, 0, 0, 1, 0});
  XTAPE_SAME(eye(3, 1, int64), {1, 0, 0});
  BOOST_TEST((eye(0).shape() == Shape{0, 0}));
}

BOOST_AUTO_TEST_CASE(given_values) {
  XTAPE_SAME(tensor({1, 2.5}), {1, 2.5});
  XTAPE_SAME(tensor({{1, 2}, {3, 4}}, int64), {1, 2, 3, 4});
  BOOST_TEST((tensor({{1, 2, 3}, {4, 5, 6}}).shape() == Shape{2, 3}));
  BOOST_TEST((tensor({1, 2}, uint8).dtype() == uint8));
  BOOST_CHECK_EXCEPTION(tensor({{1, 2}, {3}}), ShapeError,
                        says("tensor: rows of 2 and of 1 numbers"));
  const std::vector<float> single{1, 2, 3, 4, 5, 6};
  const Tensor x = from_values<float>(single, {2, 3});
  BOOST_TEST((x.dtype() == float32 && x.shape() == Shape{2, 3}));
  BOOST_TEST(x.data<float>() != single.data());
  const std::vector<std::int64_t> whole{1, 2};
  BOOST_TEST((from_values<std::int64_t>(whole, {2}).dtype() == int64));
  BOOST_CHECK_EXCEPTION(from_values<float>(single, {4}), ShapeError,
                        says("from_values: 6 values do not fill shape [4]"));
}

BOOST_AUTO_TEST_CASE(conversions) {
  XTAPE_SAME(tensor({-1.5, 0, 2.75}).to(int64), {-1, 0, 2});
  XTAPE_SAME(tensor({-1.5, 0, 2.75}).to(boolean), {1, 0, 1});
  XTAPE_SAME(tensor({0, 0.25, 300}).to(boolean), {0, 1, 1});
  XTAPE_SAME(tensor({1, 0}, boolean).to(float64), {1, 0});
  XTAPE_SAME(tensor({255, 3}, uint8).to(int64), {255, 3});
  const Tensor x = ones({2});
  BOOST_TEST(x.to(float32).value() == x.value());
  BOOST_TEST(x.contiguous().value() == x.value());
  BOOST_TEST(x.clone().data<float>() != x.data<float>());
  const Tensor leaf32 = ones({2}).requires_grad_();
  BOOST_TEST(!leaf32.to(int64).requires_grad());
  (leaf32.to(float64) * 3).sum().backward();
  BOOST_TEST((leaf32.grad().dtype() == float32));
  XTAPE_SAME(leaf32.grad(), {3, 3});
  BOOST_TEST((ones({3, 4}).t().clone().strides()[0] == 1));  // in the order of memory
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
