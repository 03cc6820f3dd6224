// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <xtape/autograd/ops/diagonal.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

Array diagonal_of(const Array& x, std::int64_t down, std::int64_t right, std::int64_t length) {
  return made({x.shape[0], length}, [&](const Shape& i) {
    return at(x, {i[0], i[1] + down, i[1] + right});
  });
}

Array triangle(const Array& x, bool upper, std::int64_t diagonal) {
  return made(x.shape, [&](const Shape& i) {
    const std::int64_t above = i[i.rank() - 1] - i[i.rank() - 2];
    return (upper ? above >= diagonal : above <= diagonal) ? at(x, i) : 0.0L;
  });
}

const Rows rows({
    {.name = "diagonal",
     .f =
         [](const Tensor& x) {
           return Tensors{diagonal(x, 0, 1, 2), diagonal(x, 1, -2, -1), diagonal(x, -2, 1, 2)};
         },
     .reference =
         [](const Array& x) {
           return Arrays{diagonal_of(x, 0, 0, 3), diagonal_of(x, 0, 1, 3), diagonal_of(x, 2, 0, 1)};
         },
     .inputs = {{real({2, 3, 4})}},
     .errors = {throws<IndexError>(
                    [] {
                      return diagonal(zeros({2, 3}), 0, 1, -1);
                    },
                    "diagonal: dimensions 1 and -1 of 2 must be two different ones"),
                throws<IndexError>([] { return diagonal(zeros({3})); }, "diagonal")}},
    {.name = "diagonal_swapped",
     .f = [](const Tensor& x) { return diagonal(x, 1, 2, 0); },
     .reference =
         [](const Array& x) {
           return made({x.shape[1], 2}, [&](const Shape& i) {
             return at(x, {i[1] + 1, i[0], i[1]});
           });
         },
     .inputs = {{real({3, 2, 4})}}},
    {.name = "diag_embed",
     .f = [](const Tensor& x) { return diag_embed(x); },
     .reference =
         [](const Array& x) {
           Shape shape = x.shape;
           shape.push_back(x.shape.back());
           return made(shape, [&](Shape i) {
             const std::int64_t column = i.back();
             i.erase(i.rank() - 1);
             return column == i.back() ? at(x, i) : 0.0L;
           });
         },
     .inputs = {{real({3})}, {real({2, 3})}, {real({2, 0})}},
     .errors = {throws<ShapeError>([] { return diag_embed(zeros({})); }, "at least one"),
                throws<IndexError>([] { return diag_embed(zeros({2}), 0, 1, 1); },
                                   "two different ones")}},
    {.name = "diag_embed_below",
     .f = [](const Tensor& x) { return diag_embed(x, -1, 0, 2); },
     .reference =
         [](const Array& x) {
           const std::int64_t n = x.shape[1] + 1;
           return made({n, x.shape[0], n}, [&](const Shape& i) {
             return i[0] == i[2] + 1 ? at(x, {i[1], i[2]}) : 0.0L;
           });
         },
     .inputs = {{real({2, 3})}}},
    {.name = "tril",
     .f =
         [](const Tensor& x) {
           return Tensors{tril(x), tril(x, 1), tril(x, -2)};
         },
     .reference =
         [](const Array& x) {
           return Arrays{triangle(x, false, 0), triangle(x, false, 1), triangle(x, false, -2)};
         },
     .inputs = {{real({3, 4})}, {real({2, 4, 3})}, {integer({3, 3}, 0, 9)}},
     .errors = {throws<ShapeError>([] { return tril(zeros({3})); }, "at least 2 dimensions")}},
    {.name = "triu",
     .f =
         [](const Tensor& x) {
           return Tensors{triu(x), triu(x, 1), triu(x, -1)};
         },
     .reference =
         [](const Array& x) {
           return Arrays{triangle(x, true, 0), triangle(x, true, 1), triangle(x, true, -1)};
         },
     .inputs = {{real({3, 4})}, {real({2, 4, 3})}},
     .errors = {throws<ShapeError>([] { return triu(zeros({3})); }, "at least 2 dimensions")}},
});

BOOST_AUTO_TEST_SUITE(diagonals)

BOOST_AUTO_TEST_CASE(outside_of_the_matrix_there_is_nothing) {
  BOOST_TEST((diagonal(zeros({2, 3}), 3).shape() == Shape{0}));
  BOOST_TEST((diagonal(zeros({2, 3}), -5).shape() == Shape{0}));
  XTAPE_SAME(tril(ones({2, 2}), -5), {0, 0, 0, 0});
  XTAPE_SAME(triu(ones({2, 2}), -5), {1, 1, 1, 1});
}

BOOST_AUTO_TEST_CASE(nan_in_the_other_triangle_is_gone) {
  const Tensor x = tensor({{1, std::nan("")}, {3, 4}});
  XTAPE_SAME(tril(x), {1, 0, 3, 4});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
