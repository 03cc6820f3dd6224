// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/scans.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

// y_k = f(y_(k-1), x_k) along `dim`, from `start`.
template <class F>
Array running(const Array& x, int dim, long double start, F f) {
  if (x.shape.rank() == 0) {
    return made({}, [&](const Shape& i) { return f(start, at(x, i)); });
  }
  return made(x.shape, [&](Shape i) {
    const std::int64_t end = i[dim];
    long double y = start;
    for (i[dim] = 0; i[dim] <= end; ++i[dim]) y = f(y, at(x, i));
    return y;
  });
}

// Values and places of the largest so far, after turning the sign of smallest.
Arrays running_largest(const Array& x, int dim, int sign) {
  Arrays y{x, x};
  std::size_t k = 0;
  each_index(x.shape, [&](Shape i) {
    const std::int64_t end = i.rank() ? i[dim] : 0;
    long double best = 0;
    std::int64_t place = 0;
    for (std::int64_t p = 0; p <= end; ++p) {
      if (i.rank()) i[dim] = p;
      const long double v = at(x, i);
      if (p > 0 && !std::isnan(v) && (std::isnan(best) || sign * v < sign * best)) continue;
      best = v;
      place = p;
    }
    y[0].values[k] = best;
    y[1].values[k++] = static_cast<long double>(place);
  });
  return y;
}

Tensors both(const ValuesAndIndices& y) { return {y.values, y.indices}; }

const Rows rows({
    {.name = "diff",
     .f = [](const Tensor& x) { return diff(x, 2, 1); },
     .reference =
         [](const Array& x) {
           Shape shape = x.shape;
           shape[1] = std::max<std::int64_t>(0, shape[1] - 2);
           return made(shape, [&](Shape i) {
             const long double first = at(x, i);
             ++i[1];
             const long double second = at(x, i);
             ++i[1];
             return at(x, i) - 2 * second + first;
           });
         },
     .inputs = {{real({2, 5, 3})}, {real({3, 3})}, {real({3, 1})}, {real({0, 4})}},
     .errors = {throws<ValueError>([] { return diff(zeros({2}), -1); },
                                   "diff: expected n >= 0, got -1"),
                throws<IndexError>([] { return diff(zeros({2}), 1, 1); }, "diff: expected dim in"),
                throws<ShapeError>([] { return diff(scalar_tensor(1, float32)); },
                                   "diff: expected at least 1 dimension")}},
    {.name = "cumsum",
     .f = [](const Tensor& x) { return cumsum(x, 1); },
     .reference =
         [](const Array& x) {
           return running(x, 1, 0, [](long double y, long double v) { return y + v; });
         },
     .inputs = {{real({3, 4})}, {real({2, 5, 70})}, {real({2, 0})}, {integer({3, 4}, -3, 4)}},
     .errors = {throws<IndexError>([] { return cumsum(zeros({2}), 1); }, "cumsum: expected dim")}},
    {.name = "cumsum_last",
     .f = [](const Tensor& x) { return cumsum(x, -1); },
     .reference =
         [](const Array& x) {
           return running(x, x.shape.rank() - 1, 0,
                          [](long double y, long double v) { return y + v; });
         },
     .inputs = {{real({3, 4})}},
     .any_shape = true},
    {.name = "cumprod",
     .f = [](const Tensor& x) { return cumprod(x, 0); },
     .reference =
         [](const Array& x) {
           return running(x, 0, 1, [](long double y, long double v) { return y * v; });
         },
     .inputs = {{real({4, 3})},
                {given({5}, {2, 0, 3, -1, 2})},
                {given({5, 1}, {2, 0, 3, 0, 2})},
                {real({})},
                {real({0, 2})},
                {integer({3, 4}, -3, 4)}},
     .errors = {throws<IndexError>([] { return cumprod(zeros({2}), 1); }, "cumprod")}},
    {.name = "linear_scan",
     .f = [](const Tensor& a,
             const Tensor& x) { return xtape::detail::linear_scan(a, x, 1, false); },
     .reference =
         [](const Array& a, const Array& x) {
           Array y = a;
           for (std::int64_t i = 0; i < a.shape[0]; ++i) {
             for (std::int64_t j = 1; j < a.shape[1]; ++j) y(i, j) += x(i, j) * y(i, j - 1);
           }
           return y;
         },
     .inputs = {{real({3, 4}), real({3, 4})}},
     .errors = {throws<ShapeError>(
         [] { return xtape::detail::linear_scan(zeros({2}), zeros({3}), 0); },
         "two floating tensors of one kind")}},
    {.name = "linear_scan_reverse",
     .f = [](const Tensor& a,
             const Tensor& x) { return xtape::detail::linear_scan(a, x, 0, true); },
     .reference =
         [](const Array& a, const Array& x) {
           Array y = a;
           for (std::int64_t i = a.shape[0] - 2; i >= 0; --i) {
             for (std::int64_t j = 0; j < a.shape[1]; ++j) y(i, j) += x(i, j) * y(i + 1, j);
           }
           return y;
         },
     .inputs = {{real({3, 4}), real({3, 4})}}},
    {.name = "cummax",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return both(cummax(x, -1)); },
     .reference = [](const Array& x) { return running_largest(x, x.shape.rank() - 1, 1); },
     .inputs = {{distinct({3, 4})}, {distinct({2, 3, 5})}},
     .any_shape = true},
    {.name = "cummin",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return both(cummin(x, 0)); },
     .reference = [](const Array& x) { return running_largest(x, 0, -1); },
     .inputs = {{distinct({4, 3})}, {distinct({5, 70})}, {integer({6}, 0, 3)}},
     .any_shape = true},
});

BOOST_AUTO_TEST_SUITE(scans)

BOOST_AUTO_TEST_CASE(results_of_integers_are_int64) {
  for (const DType dtype : {boolean, uint8, int64}) {
    const Tensor x = tensor({1, 0, 1}, dtype);
    BOOST_TEST((cumsum(x, 0).dtype() == int64));
    XTAPE_SAME(cumsum(x, 0), {1, 1, 2});
    XTAPE_SAME(cumprod(x, 0), {1, 0, 0});
    BOOST_TEST((cummax(x, 0).values.dtype() == dtype));
    XTAPE_SAME(cummax(x, 0).indices, {0, 0, 2});
    XTAPE_SAME(cummin(x, 0).indices, {0, 1, 1});
    BOOST_TEST((cumsum(x, 0, float64).dtype() == float64));
    XTAPE_SAME(cumsum(x, 0, float64), {1, 1, 2});
    XTAPE_SAME(cumprod(x, 0, float32), {1, 0, 0});
  }
}

BOOST_AUTO_TEST_CASE(long_sums_of_float32_run_in_double) {
  const Tensor y = cumsum(full({3'000'000}, 0.1), 0);
  BOOST_TEST(y[-1].item<double>() == 300'000.0, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
