// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <vector>
#include <xtape/autograd/ops/sorting.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

using Slice = std::vector<long double>;

Tensors all_of(const UniqueValues& y) { return {y.values, y.inverse, y.counts}; }

// What is different among slices in these places, which `values` lists in its order.
Arrays found(const std::vector<Slice>& slices, const std::vector<Slice>& values,
             const Shape& shape) {
  const auto n = static_cast<std::int64_t>(values.size());
  Arrays y{{{n}, {}}, {shape, {}}, Array::filled({n}, 0)};
  for (const Slice& value : values) {
    y[0].values.insert(y[0].values.end(), value.begin(), value.end());
  }
  for (const Slice& slice : slices) {
    const auto place = std::find(values.begin(), values.end(), slice) - values.begin();
    y[1].values.push_back(static_cast<long double>(place));
    y[2].values[static_cast<std::size_t>(place)] += 1;
  }
  return y;
}

std::vector<Slice> sorted(std::vector<Slice> slices) {
  std::sort(slices.begin(), slices.end());
  slices.erase(std::unique(slices.begin(), slices.end()), slices.end());
  return slices;
}

// Those of x [n, m]: its rows, or its columns as rows.
std::vector<Slice> slices_of(const Array& x, int dim) {
  std::vector<Slice> slices(static_cast<std::size_t>(x.shape[dim]));
  each_index(x.shape,
             [&](const Shape& i) { slices[static_cast<std::size_t>(i[dim])].push_back(at(x, i)); });
  return slices;
}

std::vector<Slice> elements_of(const Array& x) {
  std::vector<Slice> slices;
  for (const long double value : x.values) slices.push_back({value});
  return slices;
}

const Rows rows({
    {.name = "unique",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return all_of(unique(x)); },
     .reference =
         [](const Array& x) { return found(elements_of(x), sorted(elements_of(x)), x.shape); },
     .inputs = {{integer({3, 4}, -2, 3)},
                {given({5}, {2, -1, 2, 0, -1})},
                {flags({2, 3})},
                {real({0})},
                {real({})}}},
    {.name = "unique_rows",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return all_of(unique(x, 0)); },
     .reference =
         [](const Array& x) {
           const std::vector<Slice> slices = slices_of(x, 0);
           Arrays y = found(slices, sorted(slices), {x.shape[0]});
           y[0].shape = {y[0].shape[0], x.shape[1]};
           return y;
         },
     .inputs = {{integer({40, 2}, -2, 2)},
                {flags({20, 3})},
                {given({4, 2}, {2, -1, 2, -3, 2, -1, 0.5, 7})},
                {integer({9, 1}, 0, 4)},
                {real({0, 3})}},
     .errors = {throws<IndexError>(
                    [] {
                      return unique(zeros({2, 2}), 2).values;
                    },
                    "unique: expected dim"),
                throws<ShapeError>([] { return unique(zeros({}), 0).values; },
                                   "unique: no slices of shape []")}},
    {.name = "unique_columns",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return all_of(unique(x, -1)); },
     .reference =
         [](const Array& x) {
           const std::vector<Slice> slices = slices_of(x, 1), values = sorted(slices);
           Arrays y = found(slices, values, {x.shape[1]});
           y[0] = made({x.shape[0], y[0].shape[0]}, [&](const Shape& i) {
             return values[static_cast<std::size_t>(i[1])][static_cast<std::size_t>(i[0])];
           });
           return y;
         },
     .inputs = {{integer({2, 40}, -2, 2)}, {integer({3, 7}, 0, 2)}}},
    {.name = "unique_consecutive",
     .kind = Kind::no_gradient,
     .f = [](const Tensor& x) { return all_of(unique_consecutive(x)); },
     .reference =
         [](const Array& x) {
           Arrays y(3);
           y[1].shape = x.shape;
           for (std::size_t i = 0; i < x.values.size(); ++i) {
             if (i == 0 || x.values[i] != x.values[i - 1]) {
               y[0].values.push_back(x.values[i]);
               y[2].values.push_back(0);
             }
             y[1].values.push_back(static_cast<long double>(y[0].values.size() - 1));
             y[2].values.back() += 1;
           }
           y[0].shape = y[2].shape = {static_cast<std::int64_t>(y[0].values.size())};
           return y;
         },
     .inputs = {{integer({30}, 0, 3)}, {flags({4, 5})}, {real({0, 2})}, {real({})}},
     .errors = {throws<IndexError>([] { return unique_consecutive(zeros({2}), 1).values; },
                                   "unique_consecutive: expected dim")}},
});

BOOST_AUTO_TEST_SUITE(different_values)

BOOST_AUTO_TEST_CASE(nan_differs_from_all) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(unique(tensor({nan, 1, nan}, float64)).values.numel() == 3);
  const UniqueValues y = unique(tensor({{nan, 1}, {2, 3}, {2, 3}, {nan, 0}}, float64), 0);
  BOOST_TEST((y.values.shape() == Shape{3, 2}));
  XTAPE_SAME(y.inverse, {2, 0, 0, 1});
  XTAPE_SAME(y.counts, {2, 1, 1});
}

BOOST_AUTO_TEST_CASE(slices_of_three_dimensions) {
  const Tensor x = tensor({1, 2, 5, 6, 3, 4, 5, 6, 1, 2, 7, 8}).view({2, 3, 2});
  const UniqueValues y = unique(x, 1);  // {1, 2, 5, 6}, {5, 6, 1, 2}, {3, 4, 7, 8}
  XTAPE_SAME(y.values, {1, 2, 3, 4, 5, 6, 5, 6, 7, 8, 1, 2});
  XTAPE_SAME(y.inverse, {0, 2, 1});
  BOOST_TEST((unique(zeros({3, 0}), 0).values.shape() == Shape{1, 0}));
}

BOOST_AUTO_TEST_CASE(runs_of_slices) {
  const Tensor x = tensor({{1, 2}, {1, 2}, {0, 2}, {1, 2}});
  const UniqueValues rows_of = unique_consecutive(x, 0), columns = unique_consecutive(x, 1);
  XTAPE_SAME(rows_of.values, {1, 2, 0, 2, 1, 2});
  XTAPE_SAME(rows_of.inverse, {0, 0, 1, 2});
  XTAPE_SAME(rows_of.counts, {2, 1, 1});
  XTAPE_SAME(columns.values, {1, 2, 1, 2, 0, 2, 1, 2});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
