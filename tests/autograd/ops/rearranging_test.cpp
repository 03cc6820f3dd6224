// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <xtape/autograd/ops/joining.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

std::int64_t wrapped(std::int64_t i, std::int64_t size) { return (i % size + size) % size; }

// x [h, w] padded by 1 row above, 2 below, 2 columns before and 1 after; f(position, size).
template <class F>
Array padded(const Array& x, F f) {
  return made({x.shape[0] + 3, x.shape[1] + 3}, [&](const Shape& i) {
    return at(x, {f(i[0] - 1, x.shape[0]), f(i[1] - 2, x.shape[1])});
  });
}

const Rows rows({
    {.name = "roll",
     .f =
         [](const Tensor& x) {
           return Tensors{roll(x, 1, 0), roll(x, {-2, 7}, {0, 1}), roll(x, 3)};
         },
     .reference =
         [](const Array& x) {
           const std::int64_t h = x.shape[0], w = x.shape[1];
           return Arrays{made(x.shape,
                              [&](const Shape& i) {
                                return at(x, {wrapped(i[0] - 1, h), i[1]});
                              }),
                         made(x.shape,
                              [&](const Shape& i) {
                                return at(x, {wrapped(i[0] + 2, h), wrapped(i[1] - 7, w)});
                              }),
                         made(x.shape, [&](const Shape& i) {
                           const std::int64_t k = wrapped(i[0] * w + i[1] - 3, h * w);
                           return at(x, {k / w, k % w});
                         })};
         },
     .inputs = {{real({3, 4})}, {real({5, 2})}},
     .errors = {throws<ValueError>(
                    [] {
                      return roll(zeros({2, 3}), {1, 2}, {0});
                    },
                    "as many shifts as dims"),
                throws<IndexError>(
                    [] {
                      return roll(zeros({2, 3}), 1, 2);
                    },
                    "roll")}},
    {.name = "rot90",
     .f =
         [](const Tensor& x) {
           return Tensors{rot90(x), rot90(x, 2), rot90(x, -1), rot90(x, 4)};
         },
     .reference =
         [](const Array& x) {
           const std::int64_t h = x.shape[0], w = x.shape[1];
           return Arrays{made({w, h},
                              [&](const Shape& i) {
                                return at(x, {i[1], w - 1 - i[0]});
                              }),
                         made({h, w},
                              [&](const Shape& i) {
                                return at(x, {h - 1 - i[0], w - 1 - i[1]});
                              }),
                         made({w, h},
                              [&](const Shape& i) {
                                return at(x, {h - 1 - i[1], i[0]});
                              }),
                         x};
         },
     .inputs = {{real({3, 4})}},
     .errors = {throws<IndexError>(
                    [] {
                      return rot90(zeros({2, 3}), 1, {0, 0});
                    },
                    "two different dims"),
                throws<ValueError>(
                    [] {
                      return rot90(zeros({2, 3}), 1, {0});
                    },
                    "two dims")}},
    {.name = "repeat_interleave",
     .f = [](const Tensor& x, const Tensor& n) { return repeat_interleave(x, n, 1); },
     .reference =
         [](const Array& x, const Array& n) {
           std::vector<std::int64_t> from;
           for (std::int64_t j = 0; j < x.shape[1]; ++j) {
             const auto times = static_cast<std::int64_t>(
                 n.values[n.values.size() == 1 ? 0 : static_cast<std::size_t>(j)]);
             from.insert(from.end(), static_cast<std::size_t>(times), j);
           }
           return made({x.shape[0], static_cast<std::int64_t>(from.size())}, [&](const Shape& i) {
             return at(x, {i[0], from[static_cast<std::size_t>(i[1])]});
           });
         },
     .inputs = {{real({2, 3}), given({3}, {2, 0, 3}, int64)},
                {real({2, 3}), given({1}, {2}, int64)}},
     .errors = {throws<ShapeError>(
                    [] {
                      return repeat_interleave(zeros({2, 3}), ones({2}, int64), 1);
                    },
                    "1 or 3 repeats for dimension 1 of shape [2, 3], got int64 [2]"),
                throws<ValueError>([] { return repeat_interleave(zeros({2}), -1, 0); },
                                   "-1 repeats are negative"),
                throws<DTypeError>([] { return repeat_interleave(zeros({2}), ones({2}), 0); },
                                   "int64 repeats")}},
    {.name = "repeat_interleave_all",
     .f = [](const Tensor& x) { return repeat_interleave(x, 2); },
     .reference =
         [](const Array& x) {
           return made({2 * x.shape.numel()}, [&](const Shape& i) {
             return x.values[static_cast<std::size_t>(i[0] / 2)];
           });
         },
     .inputs = {{real({2, 3})}, {real({})}}},
    {.name = "meshgrid",
     .f =
         [](const Tensor& a, const Tensor& b, const Tensor& c) {
           std::vector<Tensor> y = meshgrid({a, b, c});
           for (Tensor& grid : meshgrid({a, b, c}, MeshIndexing::xy)) y.push_back(grid);
           return y;
         },
     .reference =
         [](const Array& a, const Array& b, const Array& c) {
           const std::int64_t n = a.shape.numel(), m = b.shape.numel(), k = c.shape.numel();
           const auto grid = [&](const Array& x, const Shape& shape, int dim) {
             return made(
                 shape, [&](const Shape& i) { return x.values[static_cast<std::size_t>(i[dim])]; });
           };
           return Arrays{grid(a, {n, m, k}, 0), grid(b, {n, m, k}, 1), grid(c, {n, m, k}, 2),
                         grid(a, {m, n, k}, 1), grid(b, {m, n, k}, 0), grid(c, {m, n, k}, 2)};
         },
     .inputs = {{real({2}), real({3}), real({})}},
     .errors = {throws<ShapeError>(
         [] {
           return meshgrid({zeros({2, 2})});
         },
         "at most 1")}},
    {.name = "pad_reflect",
     .f =
         [](const Tensor& x) {
           return pad(x, {2, 1, 1, 2}, PadMode::reflect);
         },
     .reference =
         [](const Array& x) {
           return padded(x, [](std::int64_t i, std::int64_t n) {
             return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
           });
         },
     .inputs = {{real({3, 3})}, {real({4, 5})}},
     .errors = {throws<ShapeError>(
         [] {
           return pad(zeros({3, 3}), {3, 0}, PadMode::reflect);
         },
         "padding [3, 0] is too much for dimension 1 of shape [3, 3]")}},
    {.name = "pad_replicate",
     .f =
         [](const Tensor& x) {
           return pad(x, {2, 1, 1, 2}, PadMode::replicate);
         },
     .reference =
         [](const Array& x) {
           return padded(x, [](std::int64_t i, std::int64_t n) {
             return std::clamp<std::int64_t>(i, 0, n - 1);
           });
         },
     .inputs = {{real({1, 1})}, {real({4, 5})}},
     .errors = {throws<ShapeError>(
         [] {
           return pad(zeros({0}), {1, 0}, PadMode::replicate);
         },
         "too much")}},
    {.name = "pad_circular",
     .f =
         [](const Tensor& x) {
           return pad(x, {2, 1, 1, 2}, PadMode::circular);
         },
     .reference = [](const Array& x) { return padded(x, wrapped); },
     .inputs = {{real({2, 2})}, {real({4, 5})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return pad(zeros({2}), {3, 0}, PadMode::circular);
                    },
                    "too much"),
                throws<ShapeError>([] { return pad(zeros({2}), {1}, PadMode::circular); },
                                   "{before, after}")}},
});

BOOST_AUTO_TEST_SUITE(rearranging)

BOOST_AUTO_TEST_CASE(nothing_to_move) {
  const Tensor x = ones({2, 0});
  BOOST_TEST((roll(x, 1, 1).shape() == Shape{2, 0}));
  BOOST_TEST((roll(ones({}), 3).shape() == Shape{}));
  XTAPE_SAME(pad(tensor({1, 2, 3}), {-1, 1}, PadMode::replicate), {2, 3, 3});
  XTAPE_SAME(pad(tensor({1, 2}), {1, 0}, PadMode::constant), {0, 1, 2});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
