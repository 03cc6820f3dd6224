// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/ops/sorting.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Tensors both(const ValuesAndIndices& y) { return {y.values, y.indices}; }

// NaN is the greatest.
bool before(long double a, long double b) { return a < b || (std::isnan(b) && !std::isnan(a)); }

// Values and places of the first `count` (all where negative) along `dim` in order.
Arrays sorted_along(const Array& x, int dim, bool descending, std::int64_t count = -1) {
  if (x.shape.rank() == 0) return {x, Array::filled({}, 0)};
  Shape shape = x.shape;
  if (count >= 0) shape[dim] = count;
  Arrays y{Array::filled(shape, 0), Array::filled(shape, 0)};
  std::size_t k = 0;
  each_index(shape, [&](Shape i) {
    const auto rank = static_cast<std::size_t>(i[dim]);
    std::vector<std::pair<long double, std::int64_t>> all;
    for (i[dim] = 0; i[dim] < x.shape[dim]; ++i[dim]) all.emplace_back(at(x, i), i[dim]);
    std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
      return descending ? before(b.first, a.first) : before(a.first, b.first);
    });
    y[0].values[k] = all[rank].first;
    y[1].values[k++] = static_cast<long double>(all[rank].second);
  });
  return y;
}

long double quantile_of(std::vector<long double> x, long double q) {
  if (std::any_of(x.begin(), x.end(), [](long double v) { return std::isnan(v); })) return kNaN;
  std::sort(x.begin(), x.end());
  const long double place = q * static_cast<long double>(x.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const long double weight = place - static_cast<long double>(below);
  return weight == 0 ? x[below] : x[below] + weight * (x[below + 1] - x[below]);
}

long double median_of(std::vector<long double> x) {
  for (const long double v : x) {
    if (std::isnan(v)) return v;
  }
  std::sort(x.begin(), x.end());
  return x[(x.size() - 1) / 2];
}

// How many of s are not greater than each of v.
Array count_up_to(const Array& s, const Array& v) {
  Array y = v;
  for (long double& value : y.values) {
    const long double bound = value;
    const auto count = std::count_if(s.values.begin(), s.values.end(),
                                     [bound](long double x) { return x <= bound; });
    value = static_cast<long double>(count);
  }
  return y;
}

const Rows rows({
    {.name = "sort",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return both(sort(x)); },
     .reference = [](const Array& x) { return sorted_along(x, x.shape.rank() - 1, false); },
     .inputs = {{distinct({3, 4})}, {distinct({2, 3, 5})}, {integer({40}, 0, 5)}, {flags({7})}},
     .any_shape = true,
     .errors = {throws<IndexError>([] { return sort(zeros({2}), 1); }, "sort: expected dim")}},
    {.name = "sort_descending",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return both(sort(x, 0, true)); },
     .reference = [](const Array& x) { return sorted_along(x, 0, true); },
     .inputs = {{distinct({4, 3})}, {integer({40, 2}, -5, 5)}},
     .any_shape = true},
    {.name = "argsort",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return argsort(x, -2, true); },
     .reference = [](const Array& x) { return sorted_along(x, x.shape.rank() - 2, true)[1]; },
     .inputs = {{distinct({4, 3})}, {integer({9, 2}, 0, 3)}}},
    {.name = "topk",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return both(topk(x, 2, 0)); },
     .reference = [](const Array& x) { return sorted_along(x, 0, true, 2); },
     .inputs = {{distinct({4, 3})}, {distinct({2, 3})}, {integer({40, 2}, 0, 5)}},
     .errors = {throws<ValueError>([] { return topk(zeros({2}), 3); },
                                   "k = 3 is out of range for dimension 0 of shape [2]"),
                throws<ValueError>([] { return topk(zeros({2}), -1); }, "topk")}},
    {.name = "topk_smallest",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return both(topk(x, 3, -1, false)); },
     .reference = [](const Array& x) { return sorted_along(x, 1, false, 3); },
     .inputs = {{distinct({4, 5})}}},
    {.name = "kthvalue",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return both(kthvalue(x, 2, 0)); },
     .reference =
         [](const Array& x) {
           Arrays y = sorted_along(x, 0, false, 2);
           for (Array& a : y) {  // the second row
             const auto row = static_cast<std::ptrdiff_t>(a.values.size() / 2);
             a.values.erase(a.values.begin(), a.values.begin() + row);
             a.shape.erase(0);
           }
           return y;
         },
     .inputs = {{distinct({4, 3})}, {distinct({2, 3})}, {integer({40, 2}, 0, 5)}},
     .errors = {throws<ValueError>([] { return kthvalue(zeros({2}), 3); },
                                   "k = 3 is out of range for dimension 0 of shape [2]"),
                throws<ValueError>([] { return kthvalue(zeros({2}), 0); }, "kthvalue: k = 0")}},
    {.name = "median",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return median(x); },
     .reference = [](const Array& x) { return reduced(x, {}, false, median_of); },
     .inputs = {{distinct({3, 4})}, {distinct({5})}, {distinct({})}, {integer({9}, 0, 5)}},
     .errors = {throws<ValueError>([] { return median(zeros({0})); }, "median: no elements")}},
    {.name = "median_along",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return median(x, 1, true).values; },
     .reference = [](const Array& x) { return reduced(x, {1}, true, median_of); },
     .inputs = {{distinct({3, 4})}, {distinct({2, 5, 3})}},
     .errors = {throws<ValueError>(
         [] {
           return median(zeros({2, 0}), 1);
         },
         "no elements")}},
    {.name = "quantile",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return quantile(x, 0.3, 1); },
     .reference =
         [](const Array& x) {
           return reduced(x, {1}, false, [](const auto& g) { return quantile_of(g, 0.3); });
         },
     .inputs = {{distinct({3, 4})}, {distinct({2, 7, 3})}},
     .errors = {throws<ValueError>([] { return quantile(zeros({2}), 1.5); }, "q in [0, 1]"),
                throws<ValueError>([] { return quantile(zeros({0}), 0.5); }, "no elements"),
                throws<DTypeError>([] { return quantile(zeros({2}, int64), 0.5); }, "floating"),
                throws<ShapeError>([] { return quantile(zeros({2}), zeros({}), 0); }, "1-d q")}},
    {.name = "quantile_all",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return quantile(x, 0.75); },
     .reference =
         [](const Array& x) {
           return reduced(x, {}, false, [](const auto& g) { return quantile_of(g, 0.75); });
         },
     .inputs = {{distinct({3, 5})}, {distinct({})}}},
    {.name = "quantile_list",
     .kind = Kind::kinked,
     .f =
         [](const Tensor& x) {
           return quantile(x, tensor({0, 0.4, 1}, float64), -1, true);
         },
     .reference =
         [](const Array& x) {
           Array y{{3, x.shape[0], 1}, {}};
           for (const double q : {0.0, 0.4, 1.0}) {
             const Array part =
                 reduced(x, {1}, true, [q](const auto& g) { return quantile_of(g, q); });
             y.values.insert(y.values.end(), part.values.begin(), part.values.end());
           }
           return y;
         },
     .inputs = {{distinct({3, 5})}}},
    {.name = "searchsorted",
     .kind = Kind::no_gradient,
     .f =
         [](const Tensor& s, const Tensor& v) {
           return Tensors{searchsorted(s, v), searchsorted(s, v, true)};
         },
     .reference =
         [](const Array& s, const Array& v) {
           Arrays y{v, v};
           const auto size = static_cast<std::size_t>(s.shape.back());
           const bool shared = s.shape.rank() == 1;
           for (std::size_t i = 0; i < v.values.size(); ++i) {
             const std::size_t row =
                 shared ? 0 : i / static_cast<std::size_t>(v.shape.back()) * size;
             y[0].values[i] = y[1].values[i] = 0;
             for (std::size_t k = row; k < row + size; ++k) {
               y[0].values[i] += s.values[k] < v.values[i];
               y[1].values[i] += s.values[k] <= v.values[i];
             }
           }
           return y;
         },
     .inputs = {{given({4}, {-1, 0, 0, 2}), given({2, 3}, {-2, -1, 0, 1, 2, 3})},
                {given({2, 3}, {1, 2, 3, 4, 5, 6}), given({2, 2}, {2, 9, 4.5, 0})},
                {given({3}, {1, 3, 5}, int64), given({2}, {2.5, 3})},
                {given({0}, {}), real({2})},
                {given({3}, {1, 2, 3}), real({0})}},
     .errors = {throws<ShapeError>(
         [] {
           return searchsorted(zeros({2, 3}), zeros({3, 3}));
         },
         "of the leading dimensions of [3, 3], got [2, 3]")}},
    {.name = "searchsorted_sorter",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& s, const Tensor& v) { return searchsorted(s, v, true, argsort(s)); },
     .reference = count_up_to,
     .inputs = {{distinct({6}), real({2, 3})}, {given({3}, {5, 1, 3}), given({2}, {3, 0})}},
     .errors = {throws<ShapeError>(
         [] { return searchsorted(zeros({2}), zeros({3}), false, zeros({3}, int64)); },
         "searchsorted: expected a sorter of the shape of float32 [2], got int64 [3]")}},
    {.name = "bucketize",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& s, const Tensor& v) { return bucketize(v, sort(s).values, true); },
     .reference = count_up_to,
     .inputs = {{distinct({6}), real({2, 3})}, {given({3}, {5, 1, 3}), given({2}, {3, 0})}},
     .errors =
         {
             throws<ShapeError>(
                 [] {
                   return bucketize(zeros({3}), zeros({1, 2}));
                 },
                 "bucketize: expected 1-d boundaries, got float32 [1, 2]")}},
    {.name = "bincount",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return bincount(x, {}, 4); },
     .reference =
         [](const Array& x) {
           const long double most =
               x.values.empty() ? 0 : *std::max_element(x.values.begin(), x.values.end()) + 1;
           Array y = Array::filled({std::max<std::int64_t>(4, static_cast<std::int64_t>(most))}, 0);
           for (const long double v : x.values) y.values[static_cast<std::size_t>(v)] += 1;
           return y;
         },
     .inputs = {{integer({20}, 0, 7)}, {integer({3}, 0, 2)}, {integer({0}, 0, 2)}},
     .errors = {throws<ValueError>(
                    [] {
                      return bincount(tensor({1, -2}, int64));
                    },
                    "bincount: -2 is negative"),
                throws<DTypeError>([] { return bincount(zeros({2})); }, "whole numbers"),
                throws<ShapeError>(
                    [] {
                      return bincount(zeros({2, 2}, int64));
                    },
                    "1 dimension"),
                throws<ShapeError>([] { return bincount(zeros({2}, int64), zeros({3})); },
                                   "weights of the shape of")}},
    {.name = "bincount_weights",
     .f = [](const Tensor& x, const Tensor& w) { return bincount(x, w); },
     .reference =
         [](const Array& x, const Array& w) {
           Array y = Array::filled({3}, 0);
           for (std::size_t i = 0; i < x.values.size(); ++i) {
             y.values[static_cast<std::size_t>(x.values[i])] += w.values[i];
           }
           return y;
         },
     .inputs = {{given({5}, {0, 2, 2, 1, 0}, int64), real({5})}},
     .without = {Check::undefined}},
});

BOOST_AUTO_TEST_SUITE(sorting)

BOOST_AUTO_TEST_CASE(nan_is_the_greatest) {
  const Tensor x = tensor({2, kNaN, -kInfinity, kInfinity, -0.0, 0.0}, float64);
  XTAPE_SAME(argsort(x), {2, 4, 5, 0, 3, 1});
  XTAPE_SAME(argsort(x, 0, true), {1, 3, 0, 4, 5, 2});
  BOOST_TEST(std::isnan(topk(x, 1).values.item<double>()));
  BOOST_TEST(std::isnan(median(x).item<double>()));
  BOOST_TEST(median(x, 0).indices.item<std::int64_t>() == 1);
  BOOST_TEST(kthvalue(x, 5).values.item<double>() == kInfinity);
  BOOST_TEST(kthvalue(x, 6).indices.item<std::int64_t>() == 1);
  BOOST_TEST(std::isnan(quantile(x, 0.1).item<double>()));
}

BOOST_AUTO_TEST_CASE(quantiles_between_elements) {
  const Tensor x = tensor({1, 2, 4, 8}, float64);
  const auto of = [&](Interpolation how) { return quantile(x, 0.55, how).item<double>(); };
  BOOST_TEST(of(Interpolation::linear) == 2 + 0.65 * 2, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(of(Interpolation::lower) == 2);
  BOOST_TEST(of(Interpolation::higher) == 4);
  BOOST_TEST(of(Interpolation::midpoint) == 3);
  BOOST_TEST(of(Interpolation::nearest) == 4);
}

BOOST_AUTO_TEST_CASE(median_shares_its_gradient_among_equals) {
  const Tensor x = leaf({3, 1, 3, 3, 9, 0});
  median(x).backward();
  const double third = 1.0 / 3;
  XTAPE_SAME(x.grad(), {third, 0, third, third, 0, 0});
}

BOOST_AUTO_TEST_CASE(top_elements_in_any_order) {
  const Tensor x = to_tensor(to_array(tensor({5, 1, 4, 2, 3, 9, 7, 8})), float32);
  const auto y = topk(x, 5, 0, true, false);
  XTAPE_SAME(sort(y.values).values, {4, 5, 7, 8, 9});
  XTAPE_SAME(sort(y.indices).values, {0, 2, 5, 6, 7});
}

BOOST_AUTO_TEST_CASE(a_single_number_is_searched) {
  BOOST_TEST(searchsorted(tensor({1, 3, 5}), 3).item<std::int64_t>() == 1);
  BOOST_TEST(searchsorted(tensor({1, 3, 5}, int64), 3.5, true).item<std::int64_t>() == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
