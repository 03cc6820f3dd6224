// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/joining.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

Array joined(const Arrays& parts, int dim) {
  Shape shape = parts[0].shape;
  shape[dim] = 0;
  for (const Array& part : parts) shape[dim] += part.shape[dim];
  return made(shape, [&](Shape i) {
    std::size_t k = 0;
    while (i[dim] >= parts[k].shape[dim]) i[dim] -= parts[k++].shape[dim];
    return at(parts[k], i);
  });
}

Array part(const Array& x, int dim, std::int64_t begin, std::int64_t size) {
  Shape shape = x.shape;
  shape[dim] = size;
  return made(shape, [&](Shape i) {
    i[dim] += begin;
    return at(x, i);
  });
}

const Rows rows({
    {.name = "cat",
     .f =
         [](const Tensor& a, const Tensor& b, const Tensor& c) {
           return cat({a, b, c}, 1);
         },
     .reference =
         [](const Array& a, const Array& b, const Array& c) {
           return joined({a, b, c}, 1);
         },
     .inputs = {{real({2, 3}), real({2, 1}), real({2, 4})},
                {real({3, 2, 2}), real({3, 0, 2}), real({3, 1, 2})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return cat({zeros({2, 3}), zeros({3, 3})}, 1);
                    },
                    "shapes [2, 3] and [3, 3] (tensor 1) differ"),
                throws<ValueError>([] { return cat(std::vector<Tensor>()); }, "at least one"),
                throws<ShapeError>(
                    [] {
                      return cat({zeros({}), zeros({})});
                    },
                    "got shape []"),
                throws<IndexError>([] { return cat({zeros({2})}, 1); }, "expected dim in")}},
    {.name = "stack",
     .f =
         [](const Tensor& a, const Tensor& b) {
           return Tensors{stack({a, b}), stack({a, b}, -1)};
         },
     .reference =
         [](const Array& a, const Array& b) {
           Shape front = a.shape, back = a.shape;
           front.insert(0, 2);
           back.push_back(2);
           return Arrays{made(front,
                              [&](Shape i) {
                                const Array& from = i[0] == 0 ? a : b;
                                i.erase(0);
                                return at(from, i);
                              }),
                         made(back, [&](Shape i) {
                           const Array& from = i.back() == 0 ? a : b;
                           i.erase(i.rank() - 1);
                           return at(from, i);
                         })};
         },
     .inputs = {{real({2, 3}), real({2, 3})}, {real({}), real({})}},
     .errors = {throws<ShapeError>(
         [] {
           return stack({zeros({2}), zeros({3})});
         },
         "shapes [2] and [3] (tensor 1) differ")}},
    {.name = "split",
     .f = [](const Tensor& x) { return split(x, 2, 1); },
     .reference =
         [](const Array& x) {
           return Arrays{part(x, 1, 0, 2), part(x, 1, 2, 2), part(x, 1, 4, 1)};
         },
     .inputs = {{real({3, 5})}, {real({2, 5, 2})}},
     .errors = {throws<ValueError>([] { return split(zeros({4}), 0)[0]; }, "at least 1"),
                throws<ShapeError>(
                    [] {
                      return split(zeros({4}), Shape{1, 2})[0];
                    },
                    "sizes [1, 2] do not add up"),
                throws<ShapeError>([] { return split(zeros({}), 1)[0]; }, "at least one")}},
    {.name = "split_many",  // more parts than one operation has outputs
     .f =
         [](const Tensor& x) {
           return split(x, Shape{1, 2, 1, 1, 0, 3, 1, 1, 2, 1, 1}, 0);
         },
     .reference =
         [](const Array& x) {
           Arrays y;
           std::int64_t begin = 0;
           for (const std::int64_t n : {1, 2, 1, 1, 0, 3, 1, 1, 2, 1, 1}) {
             y.push_back(part(x, 0, begin, n));
             begin += n;
           }
           return y;
         },
     .inputs = {{real({14, 2})}}},
    {.name = "chunk",
     .f = [](const Tensor& x) { return chunk(x, 3, -1); },
     .reference =
         [](const Array& x) {
           return Arrays{part(x, 1, 0, 2), part(x, 1, 2, 2), part(x, 1, 4, 1)};
         },
     .inputs = {{real({3, 5})}},
     .errors = {throws<ValueError>([] { return chunk(zeros({4}), 0)[0]; }, "at least 1")}},
    {.name = "unbind",
     .f = [](const Tensor& x) { return unbind(x, 1); },
     .reference =
         [](const Array& x) {
           Arrays y;
           for (std::int64_t i = 0; i < x.shape[1]; ++i) {
             y.push_back(part(x, 1, i, 1));
             y.back().shape.erase(1);
           }
           return y;
         },
     .inputs = {{real({3, 4})}, {real({2, 11, 2})}, {real({2, 1})}}},
    {.name = "repeat",
     .f =
         [](const Tensor& x) {
           return repeat(x, {3, 2, 1});
         },
     .reference =
         [](const Array& x) {
           return made({3, 2 * x.shape[0], x.shape[1]}, [&](const Shape& i) {
             return at(x, {i[1] % x.shape[0], i[2]});
           });
         },
     .inputs = {{real({2, 3})}, {real({1, 4})}, {real({1, 1})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return repeat(zeros({2, 3}), {2});
                    },
                    "fewer"),
                throws<ShapeError>([] { return repeat(zeros({2}), {-1}); }, "negative size")}},
    {.name = "tile",
     .f = [](const Tensor& x) { return tile(x, {2}); },
     .reference =
         [](const Array& x) {
           return made({x.shape[0], 2 * x.shape[1]}, [&](const Shape& i) {
             return at(x, {i[0], i[1] % x.shape[1]});
           });
         },
     .inputs = {{real({2, 3})}}},
    {.name = "pad",
     .f =
         [](const Tensor& x) {
           return pad(x, {1, 2, -1, 1}, 0.5);
         },
     .reference =
         [](const Array& x) {
           return made({x.shape[0], x.shape[1], x.shape[2] + 3},
                       [&](const Shape& i) -> long double {
                         const std::int64_t j = i[1] + 1, k = i[2] - 1;
                         const bool inside = j < x.shape[1] && k >= 0 && k < x.shape[2];
                         return inside ? at(x, {i[0], j, k}) : 0.5L;
                       });
         },
     .inputs = {{real({2, 3, 4})}, {real({1, 2, 1})}},
     .errors = {throws<ShapeError>([] { return pad(zeros({2}), {1}); }, "{before, after}"),
                throws<ShapeError>(
                    [] {
                      return pad(zeros({2}), {1, 1, 1, 1});
                    },
                    "at most 1"),
                throws<ShapeError>(
                    [] {
                      return pad(zeros({2}), {-2, -1});
                    },
                    "leaves nothing")}},
});

BOOST_AUTO_TEST_SUITE(joining)

BOOST_AUTO_TEST_CASE(cat_promotes_and_skips_nothing) {
  const Tensor y = cat({tensor({1, 2}, int64), tensor({0.5}, float32), empty({0}, float64)});
  BOOST_TEST((y.dtype() == float64));
  BOOST_TEST((elements(y) == Values{1, 2, 0.5}));
  const Tensor x = ones({2, 3});
  BOOST_TEST((cat({empty({0}), x}).shape() == x.shape()));
}

BOOST_AUTO_TEST_CASE(cat_keeps_channels_last) {
  const Tensor x = zeros({2, 4, 4, 3}).permute({0, 3, 1, 2});
  const Tensor y = cat({x, x}, 1);
  BOOST_TEST((y.shape() == Shape{2, 6, 4, 4}));
  BOOST_TEST(y.strides()[1] == 1);
}

BOOST_AUTO_TEST_CASE(only_parts_that_are_used_get_a_gradient) {
  const Tensor x = leaf({1, 2, 3, 4, 5, 6});
  const std::vector<Tensor> parts = split(x, 2);
  (parts[1] * 3).sum().backward();
  BOOST_TEST((elements(x.grad()) == Values{0, 0, 3, 3, 0, 0}));
  const Tensor y = leaf({1, 2, 3});
  (unbind(y)[2] * 2).backward();
  BOOST_TEST((elements(y.grad()) == Values{0, 0, 2}));
}

// Gradients of parts that lie side by side in one memory already are their whole.
BOOST_AUTO_TEST_CASE(what_lies_side_by_side_is_not_joined_again) {
  const Tensor x = ones({2, 3}, float64).requires_grad_();
  const Tensor seed = tensor({{1, 2, 3}, {4, 5, 6}}, float64);
  const std::vector<Tensor> parts = split(x, 1, 1);
  const auto gradient = [&](std::size_t a, std::size_t b, std::size_t c) {
    return grad({cat({parts[a], parts[b], parts[c]}, 1)}, {x},
                {.grad_outputs = {seed}, .retain_graph = true})[0];
  };
  BOOST_TEST(gradient(0, 1, 2).data<double>() == seed.data<double>());
  BOOST_TEST((elements(gradient(0, 1, 2)) == Values{1, 2, 3, 4, 5, 6}));
  BOOST_TEST((elements(gradient(1, 0, 2)) == Values{2, 1, 3, 5, 4, 6}));
  BOOST_TEST((elements(gradient(0, 0, 2)) == Values{3, 0, 3, 9, 0, 6}));
}

BOOST_AUTO_TEST_CASE(many_parts) {
  const Tensor x = ones({1000, 3}, float64).requires_grad_();
  std::vector<Tensor> rows = unbind(x);
  BOOST_TEST(rows.size() == 1000u);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = rows[i] * static_cast<double>(i);
  stack(rows).sum().backward();
  BOOST_TEST(elements(x.grad())[3 * 777 + 1] == 777);
}

BOOST_AUTO_TEST_CASE(repeat_is_a_copy) {
  const Tensor x = ones({1});
  BOOST_TEST(repeat(x, {3}).strides()[0] == 1);
  BOOST_TEST(repeat(x, {1}).data<float>() != x.data<float>());
  BOOST_TEST((repeat(x, {0}).shape() == Shape{0}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
