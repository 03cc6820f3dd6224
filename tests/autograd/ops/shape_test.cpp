// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <xtape/autograd/ops/alias.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

Array with_shape(Array a, const Shape& shape) {
  a.shape = shape;
  return a;
}

const Rows rows({
    {.name = "reshape",
     .f =
         [](const Tensor& x) {
           return reshape(x, {2, -1});
         },
     .reference =
         [](const Array& x) {
           return with_shape(x, {2, x.shape.numel() / 2});
         },
     .inputs = {{real({4, 3})}, {real({2})}, {real({2, 3, 5})}, {real({0, 4})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return reshape(zeros({2, 5}), {3, -1});
                    },
                    "shape [3, -1] does not fit the 10 elements of [2, 5]"),
                throws<ShapeError>(
                    [] {
                      return reshape(zeros({4}), {-1, -1});
                    },
                    "does not fit"),
                throws<ShapeError>(
                    [] {
                      return reshape(zeros({4}), {-2, 2});
                    },
                    "negative size"),
                throws<ShapeError>(
                    [] {
                      return reshape(zeros({0, 4}), {0, -1});
                    },
                    "does not fit"),
                throws<ShapeError>([] { return reshape(zeros({4}), {5}); }, "does not fit")}},
    {.name = "view",
     .f =
         [](const Tensor& x) {
           return view(x, {3, -1});
         },
     .reference =
         [](const Array& x) {
           return with_shape(x, {3, x.shape.numel() / 3});
         },
     .inputs = {{real({3, 4})}, {real({3, 2, 2})}},
     .errors = {throws<ShapeError>(
         [] {
           return view(zeros({2, 3}).t(), {6});
         },
         "use reshape")},
     .without = {Check::layouts}},  // other layouts have no view of that shape
    {.name = "flatten",
     .f = [](const Tensor& x) { return flatten(x, 1); },
     .reference =
         [](const Array& x) {
           return with_shape(x, {x.shape[0], x.shape.numel() / x.shape[0]});
         },
     .inputs = {{real({2, 3, 4})}, {real({2, 3})}},
     .errors = {throws<IndexError>(
         [] {
           return flatten(zeros({2, 3}), 1, 0);
         },
         "lies after")}},
    {.name = "unflatten",
     .f =
         [](const Tensor& x) {
           return unflatten(x, -1, {2, -1});
         },
     .reference =
         [](const Array& x) {
           return with_shape(x, {x.shape[0], 2, x.shape[1] / 2});
         },
     .inputs = {{real({3, 4})}, {real({2, 6})}},
     .errors = {throws<ShapeError>(
         [] {
           return unflatten(zeros({2, 3}), 1, {2, -1});
         },
         "does not split into [2, -1]")}},
    {.name = "alias",
     .f = [](const Tensor& x) { return xtape::detail::alias(x); },
     .reference = [](const Array& x) { return x; },
     .inputs = {{real({2, 3})}, {real({})}, {real({0, 3})}}},
    {.name = "squeeze",
     .f =
         [](const Tensor& x) {
           return Tensors{squeeze(x), squeeze(x, 1), squeeze(x, 0)};
         },
     .reference =
         [](const Array& x) {
           return Arrays{with_shape(x, {3, 2}), with_shape(x, {3, 2}), x};
         },
     .inputs = {{real({3, 1, 2})}},
     .errors = {throws<IndexError>([] { return squeeze(zeros({2}), 1); }, "expected dim in")}},
    {.name = "unsqueeze",
     .f =
         [](const Tensor& x) {
           return Tensors{unsqueeze(x, 0), unsqueeze(x, -1)};
         },
     .reference =
         [](const Array& x) {
           Shape front = x.shape, back = x.shape;
           front.insert(0, 1);
           back.push_back(1);
           return Arrays{with_shape(x, front), with_shape(x, back)};
         },
     .inputs = {{real({3, 2})}, {real({})}},
     .errors = {throws<IndexError>([] { return unsqueeze(zeros({2}), 2); }, "expected dim in")}},
    {.name = "transpose",
     .f = [](const Tensor& x) { return transpose(x, 0, -1); },
     .reference =
         [](const Array& x) {
           return made({x.shape[2], x.shape[1], x.shape[0]}, [&](const Shape& i) {
             return at(x, {i[2], i[1], i[0]});
           });
         },
     .inputs = {{real({2, 3, 4})}, {real({2, 0, 1})}},
     .errors = {throws<IndexError>([] { return transpose(zeros({2}), 0, 1); }, "expected dim in")}},
    {.name = "t",
     .f = [](const Tensor& x) { return x.t(); },
     .reference =
         [](const Array& x) {
           return made({x.shape[1], x.shape[0]}, [&](const Shape& i) {
             return at(x, {i[1], i[0]});
           });
         },
     .inputs = {{real({2, 3})}},
     .errors = {throws<ShapeError>(
         [] {
           return zeros({1, 2, 3}).t();
         },
         "at most 2 dimensions")}},
    {.name = "permute",
     .f =
         [](const Tensor& x) {
           return permute(x, {1, -1, 0});
         },
     .reference =
         [](const Array& x) {
           return made({x.shape[1], x.shape[2], x.shape[0]}, [&](const Shape& i) {
             return at(x, {i[2], i[0], i[1]});
           });
         },
     .inputs = {{real({2, 3, 4})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return permute(zeros({2, 3}), {0, 0});
                    },
                    "permutation"),
                throws<ShapeError>(
                    [] {
                      return permute(zeros({2, 3}), {0});
                    },
                    "permutation")}},
    {.name = "movedim",
     .f =
         [](const Tensor& x) {
           return Tensors{movedim(x, 0, 2), movedim(x, {2, 0}, {0, 1})};
         },
     .reference =
         [](const Array& x) {
           const Shape s = x.shape;
           return Arrays{made({s[1], s[2], s[0]},
                              [&](const Shape& i) {
                                return at(x, {i[2], i[0], i[1]});
                              }),
                         made({s[2], s[0], s[1]}, [&](const Shape& i) {
                           return at(x, {i[1], i[2], i[0]});
                         })};
         },
     .inputs = {{real({2, 3, 4})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return movedim(zeros({2, 3}), {0, 0}, {0, 1});
                    },
                    "once"),
                throws<ShapeError>(
                    [] {
                      return movedim(zeros({2, 3}), {0}, {0, 1});
                    },
                    "length")}},
    {.name = "expand",
     .f =
         [](const Tensor& x) {
           return expand(x, {4, 3, -1});
         },
     .reference =
         [](const Array& x) {
           return made({4, 3, x.shape[1]}, [&](const Shape& i) {
             return at(x, {x.shape[0] == 1 ? 0 : i[1], i[2]});
           });
         },
     .inputs = {{real({1, 2})}, {real({3, 2})}, {real({3, 1})}, {real({1, 0})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return expand(zeros({2, 3}), {3, 3});
                    },
                    "shape [2, 3] does not broadcast to [3, 3]"),
                throws<ShapeError>(
                    [] {
                      return expand(zeros({2, 3}), {3});
                    },
                    "does not")}},
    {.name = "flip",
     .f =
         [](const Tensor& x) {
           return flip(x, {0, -1});
         },
     .reference =
         [](const Array& x) {
           return made(x.shape, [&](const Shape& i) {
             return at(x, {x.shape[0] - 1 - i[0], i[1], x.shape[2] - 1 - i[2]});
           });
         },
     .inputs = {{real({2, 3, 4})}, {real({2, 0, 1})}},
     .errors = {throws<IndexError>(
         [] {
           return flip(zeros({2, 3}), {1, 1});
         },
         "appears twice")}},
});

BOOST_AUTO_TEST_SUITE(shape)

BOOST_AUTO_TEST_CASE(views_share_memory) {
  const Tensor x = arange(24, 48, 1, float32).view({2, 3, 4});
  const float* data = x.data<float>();
  BOOST_TEST(x.reshape({6, 4}).data<float>() == data);
  BOOST_TEST(x.transpose(0, 2).data<float>() == data);
  BOOST_TEST(x.permute({2, 0, 1}).permute({1, 2, 0}).reshape({24}).data<float>() == data);
  BOOST_TEST(x.unsqueeze(1).squeeze(1).data<float>() == data);
  BOOST_TEST(unflatten(x.transpose(0, 1), 2, {2, 2}).data<float>() == data);
  BOOST_TEST(x.transpose(0, 1).reshape({3, 2, 2, 2}).data<float>() == data);
  BOOST_TEST(flip(x, {0, 1, 2}).data<float>() == data + 23);
  BOOST_TEST(x.expand({5, 2, 3, 4}).data<float>() == data);
  BOOST_TEST(x.transpose(0, 1).reshape({24}).data<float>() != data);
  BOOST_TEST((elements(x.transpose(0, 1).reshape({24})[4]) == Values{36}));
}

BOOST_AUTO_TEST_CASE(too_many_elements_to_count) {
  BOOST_CHECK_THROW(ones({1}).expand({1ll << 32, 1ll << 32}), ShapeError);
}

BOOST_AUTO_TEST_CASE(dimensions_of_size_one_and_none) {
  const Tensor x = arange(6).view({1, 2, 1, 3});
  BOOST_TEST((x.transpose(1, 3).reshape({3, 2}).shape() == Shape{3, 2}));
  BOOST_TEST((elements(x.transpose(1, 3).reshape({6})) == Values{0, 3, 1, 4, 2, 5}));
  BOOST_TEST((x.squeeze().shape() == Shape{2, 3}));
  BOOST_TEST((zeros({0, 3}).reshape({3, 0, 7}).shape() == Shape{3, 0, 7}));
  BOOST_TEST((scalar_tensor(1, float32).flatten().shape() == Shape{1}));
  BOOST_TEST((scalar_tensor(1, float32).reshape({1, 1}).reshape({}).dim() == 0));
  BOOST_TEST((zeros({2, 3}).t().shape() == Shape{3, 2}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
