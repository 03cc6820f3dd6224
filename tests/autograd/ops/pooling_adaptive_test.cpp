// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/pooling.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

using Numbers = std::vector<long double>;

// f(elements) for each of count windows along each of the last two dimensions.
template <class F>
Array even(const Array& x, std::int64_t rows, std::int64_t columns, F f) {
  const auto inside = [](std::int64_t i, std::int64_t window, std::int64_t n, std::int64_t size) {
    return (i + 1) * n > window * size && i * n < (window + 1) * size;  // any part of it
  };
  return made({x.shape[0], x.shape[1], rows, columns}, [&](const Shape& w) {
    Numbers elements;
    each_index({x.shape[2], x.shape[3]}, [&](const Shape& i) {
      if (inside(i[0], w[2], rows, x.shape[2]) && inside(i[1], w[3], columns, x.shape[3])) {
        elements.push_back(at(x, {w[0], w[1], i[0], i[1]}));
      }
    });
    return f(elements);
  });
}

long double mean_of(const Numbers& v) {
  long double sum = 0;
  for (const long double x : v) sum += x;
  return sum / static_cast<long double>(v.size());
}
long double largest(const Numbers& v) { return *std::max_element(v.begin(), v.end()); }

// [N, C, L] as pictures of height one and back.
Array flat(const Array& x) { return {{x.shape[0], x.shape[1], 1, x.shape[2]}, x.values}; }
Array line(const Array& y) { return {{y.shape[0], y.shape[1], y.shape[3]}, y.values}; }

const Rows rows({
    {.name = "adaptive_avg_pool1d",
     .f = [](const Tensor& x) { return adaptive_avg_pool1d(x, 5); },
     .reference = [](const Array& x) { return line(even(flat(x), 1, 5, mean_of)); },
     .inputs = {{real({2, 3, 7})}, {real({1, 2, 10})}, {real({2, 2, 5})}, {real({2, 1, 3})}},
     .errors = {throws<ShapeError>([] { return adaptive_avg_pool1d(zeros({4}), 2); },
                                   "adaptive_avg_pool1d: expected input [N, C, L] or [C, L], got"),
                throws<ShapeError>(
                    [] {
                      return adaptive_avg_pool1d(zeros({2, 3, 0}), 2);
                    },
                    "adaptive_avg_pool1d: nothing to pool in input of shape [2, 3, 0]"),
                throws<ValueError>(
                    [] {
                      return adaptive_avg_pool1d(zeros({2, 3, 4}), 0);
                    },
                    "adaptive_avg_pool1d: output sizes are at least 1, or -1"),
                throws<DTypeError>(
                    [] {
                      return adaptive_avg_pool1d(zeros({2, 3, 4}, int64), 2);
                    },
                    "adaptive_avg_pool1d: expected a floating tensor")}},
    {.name = "adaptive_avg_pool2d",
     .f =
         [](const Tensor& x) {
           return adaptive_avg_pool2d(x, {3, 4});
         },
     .reference = [](const Array& x) { return even(x, 3, 4, mean_of); },
     .inputs =
         {{real({2, 3, 5, 7})}, {real({1, 2, 6, 8})}, {real({1, 2, 2, 4})}, {real({0, 2, 5, 7})}},
     .covers = {"resample"}},
    {.name = "adaptive_avg_pool2d_one",
     .f = [](const Tensor& x) { return adaptive_avg_pool2d(x, 1); },
     .reference = [](const Array& x) { return even(x, 1, 1, mean_of); },
     .inputs = {{real({2, 3, 5, 4})}}},
    {.name = "adaptive_avg_pool2d_kept",
     .f =
         [](const Tensor& x) {
           return adaptive_avg_pool2d(x, {-1, 3});
         },
     .reference = [](const Array& x) { return even(x, x.shape[2], 3, mean_of); },
     .inputs = {{real({2, 3, 5, 4})}}},
    {.name = "adaptive_max_pool1d",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return adaptive_max_pool1d(x, 3); },
     .reference = [](const Array& x) { return line(even(flat(x), 1, 3, largest)); },
     .inputs = {{distinct({2, 3, 7})}, {distinct({1, 2, 6})}, {distinct({1, 2, 2})}},
     .errors = {throws<ValueError>(
         [] {
           return adaptive_max_pool1d(zeros({2, 3, 4}), -2);
         },
         "adaptive_max_pool1d: output sizes are at least 1, or -1")}},
    {.name = "adaptive_max_pool2d",
     .kind = Kind::kinked,
     .f =
         [](const Tensor& x) {
           return adaptive_max_pool2d(x, {2, 3});
         },
     .reference = [](const Array& x) { return even(x, 2, 3, largest); },
     .inputs = {{distinct({2, 3, 5, 4})}, {distinct({0, 3, 5, 4})}},
     .errors = {throws<ShapeError>(
         [] {
           return adaptive_max_pool2d(zeros({4, 4}), 2);
         },
         "adaptive_max_pool2d: expected input [N, C, H, W] or [C, H, W]")}},
    {.name = "adaptive_max_pool2d_unbatched",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return adaptive_max_pool2d(x, 2); },
     .reference =
         [](const Array& x) {
           Array y = x;
           y.shape.insert(0, 1);
           y = even(y, 2, 2, largest);
           y.shape.erase(0);
           return y;
         },
     .inputs = {{distinct({3, 5, 4})}}},
});

BOOST_AUTO_TEST_SUITE(pooling_adaptive)

BOOST_AUTO_TEST_CASE(where_the_maxima_are) {
  const Tensor x = leaf({1, 5, 2, 5, 0, std::nan(""), 3, std::nan("")}).view({1, 1, 2, 4});
  const auto [y, indices] = adaptive_max_pool2d_with_indices(x, {1, 2});
  BOOST_TEST((indices.shape() == Shape{1, 1, 1, 2}));
  BOOST_TEST(indices.data<std::int64_t>()[0] == 5);  // the NaN
  BOOST_TEST(indices.data<std::int64_t>()[1] == 7);
  BOOST_TEST(std::isnan(elements(y)[1]));
  const Tensor equal = ones({1, 4});
  const auto [z, first] = adaptive_max_pool1d_with_indices(equal, 3);
  BOOST_TEST((first.shape() == Shape{1, 3}));
  XTAPE_SAME(first.to(float64), {0, 1, 2});
}

// One mean over a large plane is summed as means are.
BOOST_AUTO_TEST_CASE(large_planes) {
  const Tensor x = full({1, 1, 1500, 1500}, 0.1f);
  for (const Size2& size : {Size2(1), Size2(1, 7)}) {
    BOOST_TEST(adaptive_avg_pool2d(x, size).data<float>()[0] == 0.1f,
               boost::test_tools::tolerance(1e-6f));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
