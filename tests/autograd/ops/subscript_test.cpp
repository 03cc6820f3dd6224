// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <type_traits>
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

std::size_t whole(long double x) { return static_cast<std::size_t>(x); }

const Rows rows({
    {.name = "take",
     .f = [](const Tensor& x, const Tensor& i) { return take(x, i); },
     .reference =
         [](const Array& x, const Array& i) {
           return made(i.shape, [&](const Shape& k) {
             const long double p = at(i, k);
             return x.values[whole(p < 0 ? p + static_cast<long double>(x.values.size()) : p)];
           });
         },
     .inputs = {{real({2, 3}), given({2, 2}, {0, 5, -1, 0}, int64)}},
     .errors = {throws<IndexError>([] { return take(zeros({2}), tensor({2}, int64)); },
                                   "take: index 2 is out of range"),
                throws<DTypeError>([] { return take(zeros({2}), zeros({1})); }, "int64")}},
    {.name = "put",
     .f = [](const Tensor& x, const Tensor& i, const Tensor& v) { return put(x, i, v); },
     .reference =
         [](Array x, const Array& i, const Array& v) {
           for (std::size_t k = 0; k < i.values.size(); ++k)
             x.values[whole(i.values[k])] = v.values[k];
           return x;
         },
     .inputs = {{real({2, 3}), given({3}, {0, 5, 2}, int64), real({3})},
                {real({2, 3}), given({2, 2}, {4, 4, 1, 4}, int64), real({2, 2})},
                {real({2, 3}), given({0}, {}, int64), real({0})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return put(zeros({3}), tensor({0, 1}, int64), zeros({3}));
                    },
                    "of the index's shape [2], got float32 [3]"),
                throws<IndexError>([] { return put(zeros({3}), tensor({3}, int64), zeros({1})); },
                                   "put: index 3")}},
    {.name = "put_accumulate",
     .f = [](const Tensor& x, const Tensor& i, const Tensor& v) { return put(x, i, v, true); },
     .reference =
         [](Array x, const Array& i, const Array& v) {
           for (std::size_t k = 0; k < i.values.size(); ++k)
             x.values[whole(i.values[k])] += v.values[k];
           return x;
         },
     .inputs = {{real({2, 3}), given({2, 2}, {4, 4, 1, 4}, int64), real({2, 2})}}},
    {.name = "scatter",
     .f = [](const Tensor& x, const Tensor& i, const Tensor& v) { return scatter(x, 1, i, v); },
     .reference =
         [](Array x, const Array& i, const Array& v) {
           each_index(i.shape, [&](const Shape& k) { x(k[0], whole(at(i, k))) = at(v, k); });
           return x;
         },
     .inputs = {{real({3, 4}), given({2, 2}, {3, 0, 1, 1}, int64), real({2, 2})}},
     .errors = {throws<IndexError>(
                    [] {
                      return scatter(zeros({2, 3}), 1, full({2, 1}, 3, int64), 1);
                    },
                    "scatter: index 3 is out of range for dimension 1 of size 3"),
                throws<ShapeError>(
                    [] {
                      return scatter(zeros({2, 3}), 1, zeros({3, 1}, int64), 1);
                    },
                    "does not fit x of shape [2, 3]")}},
    {.name = "scatter_number",
     .f = [](const Tensor& x, const Tensor& i) { return scatter(x, 0, i, 7); },
     .reference =
         [](Array x, const Array& i) {
           each_index(i.shape, [&](const Shape& k) { x(whole(at(i, k)), k[1]) = 7; });
           return x;
         },
     .inputs = {{real({3, 4}), given({1, 2}, {2, 0}, int64)}}},
    {.name = "index_put",
     .f =
         [](const Tensor& x, const Tensor& v) {
           return index_put(x, {1, slice(0, 4, 2)}, v);
         },
     .reference =
         [](Array x, const Array& v) {
           for (std::int64_t j = 0; j < 2; ++j) {
             for (std::int64_t k = 0; k < 3; ++k) x(1, 2 * j, k) = v.shape.rank() ? v(k) : v();
           }
           return x;
         },
     .inputs = {{real({2, 4, 3}), real({3})}, {real({2, 4, 3}), real({})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return index_put(zeros({2, 3}), {1}, zeros({2}));
                    },
                    "index_put"),
                throws<IndexError>(
                    [] {
                      return index_put(zeros({2, 3}), {2}, zeros({3}));
                    },
                    "index 2 is out of range")}},
    {.name = "index_put_tensors",
     .f =
         [](const Tensor& x, const Tensor& i, const Tensor& v) {
           return index_put(x, {slice(), i, none, slice(1)}, v, true);
         },
     .reference =
         [](Array x, const Array& i, const Array& v) {
           for (std::int64_t a = 0; a < 2; ++a) {
             for (std::size_t b = 0; b < 3; ++b) {
               for (std::int64_t c = 0; c < 2; ++c) {
                 x(a, whole(i.values[b]), c + 1) += v(static_cast<std::int64_t>(b), 0, c);
               }
             }
           }
           return x;
         },
     .inputs = {{real({2, 4, 3}), given({3}, {3, 0, 3}, int64), real({3, 1, 2})}}},
    {.name = "index_put_mask",
     .f =
         [](const Tensor& x, const Tensor& m, const Tensor& v) {
           return index_put(x, {ellipsis, m}, v);
         },
     .reference =
         [](Array x, const Array& m, const Array& v) {
           for (std::int64_t a = 0; a < x.shape[0]; ++a) {
             std::int64_t n = 0;
             for (std::int64_t b = 0; b < x.shape[1]; ++b) {
               if (m(b) != 0) x(a, b) = v(a, n++);
             }
           }
           return x;
         },
     .inputs = {{real({2, 4}), given({4}, {0, 1, 0, 1}, boolean), real({2, 2})}}},
    {.name = "index_put_",
     .kind = Kind::no_gradient,
     .f =
         [](const Tensor& x, const Tensor& i, const Tensor& v) {
           Tensor y = x.detach().clone();
           y.index_put_({i, slice(1)}, v.detach());
           return y;
         },
     .reference =
         [](Array x, const Array& i, const Array& v) {
           for (std::size_t k = 0; k < i.values.size(); ++k) {
             for (std::int64_t c = 1; c < x.shape[1]; ++c) {
               x(whole(i.values[k]), c) = v(static_cast<std::int64_t>(k), c - 1);
             }
           }
           return x;
         },
     .inputs = {{real({4, 3}), given({3}, {3, 0, 3}, int64), real({3, 2})}},
     .errors = {throws<IndexError>([] { zeros({2}).index_put_({2}, 1); }, "out of range"),
                throws<GradError>(
                    [] {
                      leaf({1, 2}).index_put_({0}, 1);
                    },
                    "index_put_: a leaf")}},
});

BOOST_AUTO_TEST_SUITE(subscript)

BOOST_AUTO_TEST_CASE(leaves_are_written) {
  Tensor x = zeros({3, 4});
  x.index_put_({1, slice(0, 4, 2)}, 5);
  XTAPE_SAME(x[1], {5, 0, 5, 0});
  x.index_put_({ellipsis, -1}, tensor({1, 2, 3}, float64));
  XTAPE_SAME(select(x, 1, 3), {1, 2, 3});
  const Tensor at = tensor({2, 0, 2}, int64);
  x.index_put_({at, 1}, tensor({7, 8, 9}));
  XTAPE_SAME(select(x, 1, 1), {8, 0, 9});
  x.index_put_({at, 1}, tensor({1}), true);
  XTAPE_SAME(select(x, 1, 1), {9, 0, 11});
  x.index_put_({x > 4}, -1);
  XTAPE_SAME(x, {0, -1, 0, 1, -1, 0, -1, 2, 0, -1, 0, 3});
  x.index_put_({slice(0, 1)}, 2, true);
  XTAPE_SAME(x[0], {2, 1, 2, 3});
}

BOOST_AUTO_TEST_CASE(views_in_any_layout_are_written) {
  const Tensor base = zeros({4, 3});
  Tensor turned = base.t()[{slice(none, none, -1)}];  // [3, 4], reversed rows
  turned.index_put_({tensor({0, 1}, int64), tensor({3, -4}, int64)}, tensor({5, 6}));
  XTAPE_SAME(base, {0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5});
  // The source may be the target itself.
  Tensor x = tensor({1, 2, 3});
  x.index_put_({tensor({2, 1, 0}, int64)}, x);
  XTAPE_SAME(x, {3, 2, 1});
}

BOOST_AUTO_TEST_CASE(what_may_not_be_written) {
  Tensor x = leaf({1, 2, 3}), y = x * x;
  BOOST_CHECK_THROW(x.index_put_({0}, 1), GradError);
  BOOST_CHECK_THROW(y.index_put_({0}, 1), GradError);
  BOOST_CHECK_EXCEPTION(zeros({2, 3}).index_put_({0}, zeros({2})), ShapeError,
                        says("index_put_: shapes"));
  BOOST_CHECK_EXCEPTION(zeros({2, 3}).index_put_({tensor({0}, int64)}, zeros({2})), ShapeError,
                        says("index_put_: "));
  {
    const NoGrad no_grad;
    x.index_put_({tensor({0, 2}, int64)}, 9);
    XTAPE_SAME(x, {9, 2, 9});
  }
  BOOST_CHECK_THROW(sum(y).backward(), GradError);  // x was saved
  // Would change nothing: x[0] = y does not compile.
  static_assert(!std::is_assignable_v<Tensor, const Tensor&>);
  static_assert(!std::is_assignable_v<Tensor, Tensor>);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
