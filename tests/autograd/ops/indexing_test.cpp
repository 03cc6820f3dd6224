// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

std::int64_t whole(long double x) { return static_cast<std::int64_t>(x); }

const Rows rows({
    {.name = "slice",
     .f =
         [](const Tensor& x) {
           return Tensors{x[1], x[{slice(0, 3, 2), ellipsis, 1}], x[{ellipsis, none, slice(-2)}],
                          x[{slice(none, none, -2), slice(1, -1)}]};
         },
     .reference =
         [](const Array& x) {
           const Shape s = x.shape;
           return Arrays{made({s[1], s[2]},
                              [&](const Shape& i) {
                                return at(x, {1, i[0], i[1]});
                              }),
                         made({2, s[1]},
                              [&](const Shape& i) {
                                return at(x, {2 * i[0], i[1], 1});
                              }),
                         made({s[0], s[1], 1, 2},
                              [&](const Shape& i) {
                                return at(x, {i[0], i[1], s[2] - 2 + i[3]});
                              }),
                         made({(s[0] + 1) / 2, s[1] - 2, s[2]}, [&](const Shape& i) {
                           return at(x, {s[0] - 1 - 2 * i[0], i[1] + 1, i[2]});
                         })};
         },
     .inputs = {{real({4, 3, 2})}, {real({3, 4, 5})}},
     .errors = {throws<IndexError>(
                    [] {
                      return zeros({2, 3})[2];
                    },
                    "index 2 is out of range for dimension 0 of size 2"),
                throws<IndexError>(
                    [] {
                      return zeros({2, 3})[{0, -4}];
                    },
                    "index -4 is out of range for dimension 1 of size 3"),
                throws<IndexError>(
                    [] {
                      return zeros({2})[{0, 0}];
                    },
                    "2 indices for shape [2]"),
                throws<IndexError>(
                    [] {
                      return zeros({2})[{ellipsis, ellipsis}];
                    },
                    "more than one"),
                throws<ValueError>([] { return zeros({2})[{slice(0, 2, 0)}]; }, "must not be 0"),
                throws<IndexError>([] { return zeros({})[0]; }, "0 dimensions")},
     .covers = {"slice_backward"}},
    {.name = "select",
     .f = [](const Tensor& x) { return select(x, 1, -1); },
     .reference =
         [](const Array& x) {
           return made({x.shape[0]}, [&](const Shape& i) { return at(x, {i[0], x.shape[1] - 1}); });
         },
     .inputs = {{real({3, 4})}}},
    {.name = "narrow",
     .f = [](const Tensor& x) { return narrow(x, 1, 1, 2); },
     .reference =
         [](const Array& x) {
           return made({x.shape[0], 2}, [&](const Shape& i) { return at(x, {i[0], i[1] + 1}); });
         },
     .inputs = {{real({3, 4})}, {real({2, 3})}},
     .errors = {throws<IndexError>(
                    [] {
                      return narrow(zeros({2, 3}), 1, 2, 2);
                    },
                    "start 2 with length 2 is out of range for dimension 1 of size 3"),
                throws<IndexError>([] { return narrow(zeros({3}), 0, 0, -1); }, "out of range")}},
    {.name = "index_select",
     .f = [](const Tensor& x, const Tensor& i) { return index_select(x, 1, i); },
     .reference =
         [](const Array& x, const Array& index) {
           Shape shape = x.shape;
           shape[1] = index.shape.numel();
           return made(shape, [&](Shape i) {
             i[1] = whole(index.values[static_cast<std::size_t>(i[1])]);
             return at(x, i);
           });
         },
     .inputs = {{real({2, 3}), given({4}, {2, 0, 2, 1}, int64)},
                {real({2, 3, 5}), given({2}, {1, 1}, int64)},
                {real({2, 3}), given({0}, {}, int64)}},
     .errors = {throws<IndexError>(
                    [] {
                      return index_select(zeros({2, 3}), 1, tensor({0, 3}, int64));
                    },
                    "index 3 is out of range for dimension 1 of size 3"),
                throws<DTypeError>([] { return index_select(zeros({2}), 0, zeros({1})); }, "int64"),
                throws<ShapeError>(
                    [] {
                      return index_select(zeros({2}), 0, zeros({1, 1}, int64));
                    },
                    "1-d index")}},
    {.name = "index_add",
     .f = [](const Tensor& x, const Tensor& i, const Tensor& s) { return index_add(x, 0, i, s); },
     .reference =
         [](const Array& x, const Array& index, const Array& source) {
           Array y = x;
           each_index(source.shape, [&](const Shape& i) {
             y(whole(index.values[static_cast<std::size_t>(i[0])]), i[1]) += at(source, i);
           });
           return y;
         },
     .inputs = {{real({3, 2}), given({4}, {2, 0, 2, 1}, int64), real({4, 2})}},
     .errors = {throws<ShapeError>(
                    [] { return index_add(zeros({3}), 0, tensor({0}, int64), zeros({2})); },
                    "takes a source of shape [1], got [2]"),
                throws<IndexError>(
                    [] { return index_add(zeros({3}), 0, tensor({-1}, int64), zeros({1})); },
                    "index -1 is out of range"),
                throws<DTypeError>(
                    [] {
                      return index_add(zeros({3}), 0, tensor({0}, int64), zeros({1}, float64));
                    },
                    "of the dtype of")}},
    {.name = "index_add_alpha",
     .f = [](const Tensor& x, const Tensor& i,
             const Tensor& s) { return index_add(x, 1, i, s, -0.5); },
     .reference =
         [](const Array& x, const Array& index, const Array& source) {
           Array y = x;
           each_index(source.shape, [&](const Shape& i) {
             y(i[0], whole(index.values[static_cast<std::size_t>(i[1])])) -= at(source, i) / 2;
           });
           return y;
         },
     .inputs = {{real({2, 3}), given({4}, {2, 0, 2, 1}, int64), real({2, 4})}},
     .errors = {throws<DTypeError>(
         [] { return index_add(zeros({3}, int64), 0, tensor({0}, int64), ones({1}, int64), 0.5); },
         "index_add: expected a source of the dtype of int64 [3]")}},
    {.name = "index_copy",
     .f = [](const Tensor& x, const Tensor& i, const Tensor& s) { return index_copy(x, -2, i, s); },
     .reference =
         [](const Array& x, const Array& index, const Array& source) {
           Array y = x;
           each_index(source.shape, [&](const Shape& i) {
             y(whole(index.values[static_cast<std::size_t>(i[0])]), i[1]) = at(source, i);
           });
           return y;
         },
     .inputs = {{real({3, 2}), given({2}, {2, 0}, int64), real({2, 2})},
                {real({3, 2}), given({3}, {1, 0, 1}, int64), real({3, 2})},
                {real({3, 2}), given({0}, {}, int64), real({0, 2})}},
     .errors = {throws<ShapeError>(
                    [] { return index_copy(zeros({3}), 0, tensor({0}, int64), zeros({2})); },
                    "index_copy: x [3] at [1] positions of dimension 0 takes a source of shape"),
                throws<IndexError>(
                    [] { return index_copy(zeros({3}), 0, tensor({3}, int64), zeros({1})); },
                    "index_copy: index 3 is out of range")}},
    {.name = "index_fill",
     .f = [](const Tensor& x, const Tensor& i) { return index_fill(x, 1, i, -2.5); },
     .reference =
         [](const Array& x, const Array& index) {
           Array y = x;
           for (const long double at : index.values) {
             for (std::int64_t i = 0; i < x.shape[0]; ++i) y(i, whole(at)) = -2.5L;
           }
           return y;
         },
     .inputs = {{real({3, 4}), given({3}, {3, 0, 3}, int64)},
                {real({2, 3}), given({0}, {}, int64)}},
     .errors = {throws<ShapeError>(
                    [] {
                      return index_fill(zeros({3}), 0, zeros({1, 1}, int64), 0);
                    },
                    "index_fill: expected a 1-d index, got shape [1, 1]"),
                throws<IndexError>([] { return index_fill(zeros({3}), 0, tensor({-1}, int64), 0); },
                                   "index_fill: index -1 is out of range")}},
    {.name = "gather",
     .f = [](const Tensor& x, const Tensor& i) { return gather(x, 1, i); },
     .reference =
         [](const Array& x, const Array& index) {
           return made(index.shape, [&](Shape i) {
             i[1] = whole(at(index, i));
             return at(x, i);
           });
         },
     .inputs = {{real({3, 4}), integer({2, 5}, 0, 4)},
                {real({2, 3, 4}), integer({2, 2, 3}, 0, 3)},
                {real({2, 3}), integer({0, 2}, 0, 3)}},
     .errors = {throws<IndexError>(
                    [] {
                      return gather(zeros({2, 3}), 1, full({2, 1}, 3, int64));
                    },
                    "index 3 is out of range for dimension 1 of size 3"),
                throws<ShapeError>(
                    [] {
                      return gather(zeros({2, 3}), 1, zeros({3, 1}, int64));
                    },
                    "an index of shape [3, 1] does not fit x of shape [2, 3]")}},
    {.name = "scatter_add",
     .f = [](const Tensor& x, const Tensor& i, const Tensor& s) { return scatter_add(x, 0, i, s); },
     .reference =
         [](const Array& x, const Array& index, const Array& source) {
           Array y = x;
           each_index(index.shape,
                      [&](const Shape& i) { y(whole(at(index, i)), i[1]) += at(source, i); });
           return y;
         },
     .inputs = {{real({3, 4}), integer({5, 2}, 0, 3), real({5, 2})}},
     .errors = {throws<ShapeError>(
         [] { return scatter_add(zeros({3}), 0, zeros({2}, int64), zeros({1})); },
         "of the index's shape [2], got [1]")}},
    {.name = "take_along_dim",
     .f = [](const Tensor& x) { return take_along_dim(x, argmax(x, 1, true), 1); },
     .reference =
         [](const Array& x) {
           return reduced(x, {1}, true, [](const std::vector<long double>& g) {
             return *std::max_element(g.begin(), g.end());
           });
         },
     .inputs = {{distinct({3, 4})}},
     .errors = {throws<ShapeError>(
         [] {
           return take_along_dim(zeros({2, 3}), zeros({1}, int64), 1);
         },
         "as many")}},
    {.name = "masked_fill",
     .f = [](const Tensor& x, const Tensor& mask) { return masked_fill(x, mask, 7); },
     .reference =
         [](const Array& x, const Array& mask) {
           return made(x.shape,
                       [&](const Shape& i) { return at(mask, {i[1]}) != 0 ? 7 : at(x, i); });
         },
     .inputs = {{real({3, 4}), given({4}, {0, 1, 1, 0}, boolean)}},
     .errors = {throws<DTypeError>([] { return masked_fill(zeros({2}), zeros({2}), 1); },
                                   "boolean mask")}},
    {.name = "masked_select",
     .f = [](const Tensor& x, const Tensor& mask) { return masked_select(x, mask); },
     .reference =
         [](const Array& x, const Array& mask) {
           Array y{{0}, {}};
           each_index(x.shape, [&](const Shape& i) {
             if (at(mask, i) != 0) y.values.push_back(at(x, i));
           });
           y.shape[0] = static_cast<std::int64_t>(y.values.size());
           return y;
         },
     .inputs = {{real({2, 3}), given({2, 3}, {0, 1, 1, 0, 0, 1}, boolean)}}},
    {.name = "nonzero",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return nonzero(x); },
     .reference =
         [](const Array& x) {
           Array y{{0, x.shape.rank()}, {}};
           each_index(x.shape, [&](const Shape& i) {
             if (at(x, i) == 0) return;
             ++y.shape[0];
             for (const std::int64_t k : i) y.values.push_back(static_cast<long double>(k));
           });
           return y;
         },
     .inputs = {{integer({3, 4}, -1, 2)}, {flags({2, 3, 2})}, {flags({0})}}},
    {.name = "one_hot",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return one_hot(x, 4); },
     .reference =
         [](const Array& x) {
           Shape shape = x.shape;
           shape.push_back(4);
           return made(shape, [&](Shape i) {
             const std::int64_t c = i.back();
             i.erase(i.rank() - 1);
             return whole(at(x, i)) == c ? 1.0L : 0.0L;
           });
         },
     .inputs = {{integer({3, 2}, 0, 4)}, {integer({}, 0, 4)}},
     .errors = {throws<IndexError>(
                    [] {
                      return one_hot(tensor({0, 4}, int64), 4);
                    },
                    "index 4 is out of range for 4 classes"),
                throws<DTypeError>([] { return one_hot(zeros({2}), 4); }, "int64")}},
    {.name = "index",  // by tensors of positions
     .f =
         [](const Tensor& x, const Tensor& i, const Tensor& j) {
           return Tensors{x[{i, j}], x[{slice(), i}], x[{i, slice(), j}], x[{none, ellipsis, j}]};
         },
     .reference =
         [](const Array& x, const Array& i, const Array& j) {
           const Shape s = x.shape;
           const auto pick = [](const Array& index, std::int64_t k, std::int64_t size) {
             const std::int64_t p = whole(index.values[static_cast<std::size_t>(k)]);
             return p < 0 ? p + size : p;
           };
           return Arrays{made({3, s[2]},
                              [&](const Shape& k) {
                                return at(x, {pick(i, k[0], s[0]), pick(j, k[0], s[1]), k[1]});
                              }),
                         made({s[0], 3, s[2]},
                              [&](const Shape& k) {
                                return at(x, {k[0], pick(i, k[1], s[1]), k[2]});
                              }),
                         made({3, s[1]},
                              [&](const Shape& k) {
                                return at(x, {pick(i, k[0], s[0]), k[1], pick(j, k[0], s[2])});
                              }),
                         made({1, s[0], s[1], 3}, [&](const Shape& k) {
                           return at(x, {k[1], k[2], pick(j, k[3], s[2])});
                         })};
         },
     .inputs = {{real({2, 3, 4}), given({3}, {1, 0, -1}, int64), given({3}, {0, 2, -2}, int64)}},
     .errors = {throws<IndexError>(
                    [] {
                      return zeros({2, 3})[{tensor({2}, int64)}];
                    },
                    "index 2 is out of range for dimension 0 of size 2"),
                throws<ShapeError>(
                    [] {
                      return zeros({2, 3})[{tensor({0, 1}, int64), tensor({0, 1, 1}, int64)}];
                    },
                    "do not broadcast"),
                throws<DTypeError>([] { return zeros({2})[{tensor({0.0})}]; }, "int64 index")}},
});

BOOST_AUTO_TEST_SUITE(indexing)

BOOST_AUTO_TEST_CASE(basic_indices_are_views) {
  const Tensor x = arange(12, 24, 1, float32).view({3, 4});
  BOOST_TEST(x[1].data<float>() == x.data<float>() + 4);
  BOOST_TEST((x[{slice(), slice(1, 3)}].data<float>()) == x.data<float>() + 1);
  BOOST_TEST((elements(x[{slice(none, none, -1), 0}]) == Values{20, 16, 12}));
  BOOST_TEST((elements(x[{-1, slice(-2)}]) == Values{22, 23}));
  BOOST_TEST((x[{none, ellipsis, none}].shape() == Shape{1, 3, 4, 1}));
}

BOOST_AUTO_TEST_CASE(slices_are_clamped_as_in_python) {
  const Tensor x = arange(5);
  BOOST_TEST((elements(x[{slice(2, 100)}]) == Values{2, 3, 4}));
  BOOST_TEST((elements(x[{slice(-100, 2)}]) == Values{0, 1}));
  BOOST_TEST((x[{slice(3, 1)}].numel() == 0));
  BOOST_TEST((elements(x[{slice(3, 0, -2)}]) == Values{3, 1}));
  BOOST_TEST((elements(x[{slice(100, none, -3)}]) == Values{4, 1}));
  BOOST_TEST((elements(x[{slice(1, -1, 2)}]) == Values{1, 3}));
  BOOST_TEST((x[{slice(5)}].shape() == Shape{0}));
}

BOOST_AUTO_TEST_CASE(masks) {
  const Tensor x = leaf({1, 2, 3, 4}).view({2, 2}).detach().requires_grad_();
  const Tensor y = x[{gt(x, 1.5)}];
  BOOST_TEST((elements(y) == Values{2, 3, 4}));
  (y * y).sum().backward();
  BOOST_TEST((elements(x.grad()) == Values{0, 4, 6, 8}));
  BOOST_TEST((x[{slice(), tensor({1, 0}).to(boolean)}].shape() == Shape{2, 1}));
  BOOST_CHECK_EXCEPTION((x[{tensor({1, 0, 1}).to(boolean)}]), IndexError,
                        says("a mask of shape [3] does not fit"));
}

BOOST_AUTO_TEST_CASE(one_hot_counts_the_classes) {
  BOOST_TEST((one_hot(tensor({0, 2}, int64)).shape() == Shape{2, 3}));
  BOOST_CHECK_THROW(one_hot(zeros({0}, int64)), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
