// SPDX-License-Identifier: BSD-3-Clause
// Pooling of one dimension, p-norms over windows, and where maxima are.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/pooling.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

using Numbers = std::vector<long double>;

struct Window {
  std::int64_t size, step, padding, dilation, count;
};

// f(elements, elements with those of the padding) for the windows of x [N, C, L].
template <class F>
Array pooled(const Array& x, const Window& w, F f) {
  const std::int64_t length = x.shape[2];
  return made({x.shape[0], x.shape[1], w.count}, [&](const Shape& i) {
    Numbers inside;
    std::int64_t padded = 0;
    for (std::int64_t k = 0; k < w.size; ++k) {
      const std::int64_t place = i[2] * w.step - w.padding + k * w.dilation;
      padded += place < length + w.padding;
      if (place >= 0 && place < length) inside.push_back(at(x, {i[0], i[1], place}));
    }
    return f(inside, padded);
  });
}

Array largest(const Array& x, const Window& w) {
  return pooled(
      x, w, [](const Numbers& v, std::int64_t) { return *std::max_element(v.begin(), v.end()); });
}

long double total(const Numbers& v) {
  long double sum = 0;
  for (const long double x : v) sum += x;
  return sum;
}

// The mean over what of the window is there, as if there were `size` of it.
Array norms(const Array& x, const Window& w, long double p) {
  return pooled(x, w, [&](Numbers v, std::int64_t padded) {
    for (long double& e : v) e = std::pow(e, p);
    return std::pow(total(v) * static_cast<long double>(w.size) / static_cast<long double>(padded),
                    1 / p);
  });
}

const Rows rows({
    {.name = "max_pool1d",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return max_pool1d(x, 2); },
     .reference =
         [](const Array& x) {
           return largest(x, {2, 2, 0, 1, x.shape[2] / 2});
         },
     .inputs = {{distinct({2, 3, 7})}, {distinct({0, 3, 7})}},
     .errors = {throws<ShapeError>([] { return max_pool1d(zeros({4}), 2); },
                                   "max_pool1d: expected input [N, C, L] or [C, L], got shape [4]"),
                throws<ShapeError>(
                    [] {
                      return max_pool1d(zeros({1, 1}), 2);
                    },
                    "max_pool1d: the window [2] does not fit the input of shape [1, 1]"),
                throws<ValueError>(
                    [] {
                      return max_pool1d(zeros({1, 4}), 2, {.padding = 2});
                    },
                    "max_pool1d: padding is at most half of the kernel size")},
     .covers = {"max_pool1d_backward", "max_pool1d_gather"}},
    {.name = "max_pool1d_all",
     .kind = Kind::kinked,
     .f =
         [](const Tensor& x) {
           return max_pool1d(x, 3, {.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true});
         },
     .reference =
         [](const Array& x) {
           return largest(x, {3, 2, 1, 2, 4});
         },
     .inputs = {{distinct({2, 3, 8})}}},
    {.name = "avg_pool1d",
     .f = [](const Tensor& x) { return avg_pool1d(x, 3, {.stride = 2, .padding = 1}); },
     .reference =
         [](const Array& x) {
           return pooled(x, {3, 2, 1, 1, (x.shape[2] - 1) / 2 + 1},
                         [](const Numbers& v, std::int64_t) { return total(v) / 3; });
         },
     .inputs = {{real({2, 3, 8})}, {real({1, 1, 5})}},
     .errors = {throws<DTypeError>(
                    [] {
                      return avg_pool1d(zeros({1, 4}, int64), 2);
                    },
                    "avg_pool1d: expected a floating tensor"),
                throws<ValueError>(
                    [] {
                      return avg_pool1d(zeros({1, 4}), 0);
                    },
                    "avg_pool1d: kernel size, stride and dilation are at least 1")},
     .covers = {"avg_pool1d_backward"}},
    {.name = "avg_pool1d_inside",
     .f =
         [](const Tensor& x) {
           return avg_pool1d(
               x, 3, {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false});
         },
     .reference =
         [](const Array& x) {
           return pooled(x, {3, 2, 1, 1, 5}, [](const Numbers& v, std::int64_t) {
             return total(v) / static_cast<long double>(v.size());
           });
         },
     .inputs = {{real({2, 3, 8})}}},
    {.name = "lp_pool1d",
     .f = [](const Tensor& x) { return lp_pool1d(x, 3, 2, {.stride = 3, .ceil_mode = true}); },
     .reference =
         [](const Array& x) {
           return norms(x, {2, 3, 0, 1, 3}, 3);
         },
     .inputs = {{real({2, 3, 7}, 0.5, 2)}},
     .errors = {throws<ValueError>(
         [] {
           return lp_pool1d(zeros({1, 4}), 0, 2);
         },
         "lp_pool1d: norm_type is above 0")},
     .covers = {"lp_pool1d_backward"}},
    {.name = "lp_pool2d",
     .f =
         [](const Tensor& x) {
           return lp_pool2d(x, 2, {1, 3});
         },
     .reference =
         [](const Array& x) {
           Array lines{{x.shape[0], x.shape[1] * x.shape[2], x.shape[3]}, x.values};
           Array y = norms(lines, {3, 3, 0, 1, 2}, 2);
           y.shape = {x.shape[0], x.shape[1], x.shape[2], 2};
           return y;
         },
     .inputs = {{real({2, 3, 2, 7}, 0.5, 2)}, {real({2, 3, 2, 6}, -2, -0.5)}},
     .errors = {throws<ShapeError>(
         [] {
           return lp_pool2d(zeros({4, 4}), 2, 2);
         },
         "lp_pool2d: expected input [N, C, H, W] or [C, H, W]")},
     .covers = {"lp_pool2d_backward"}},
    {.name = "lp_pool2d_sum",
     .f =
         [](const Tensor& x) {
           return lp_pool2d(x, 1, {1, 2}, {.stride = 1});
         },
     .reference =
         [](const Array& x) {
           Array lines{{x.shape[0], x.shape[1] * x.shape[2], x.shape[3]}, x.values};
           Array y = norms(lines, {2, 1, 0, 1, 3}, 1);
           y.shape = {x.shape[0], x.shape[1], x.shape[2], 3};
           return y;
         },
     .inputs = {{real({2, 1, 2, 4})}}},
});

BOOST_AUTO_TEST_SUITE(pooling_sequences)

// Each index finds its maximum, whatever the order in memory and the size of the window.
BOOST_AUTO_TEST_CASE(where_the_maxima_are) {
  const Tensor wide = to_tensor(made({2, 9, 21, 20}, [](const Shape& i) {
    return std::sin(static_cast<long double>(i[0] * 7 + i[1] * 5 + i[2] * 31 + i[3] * 17));
  }));
  const Tensor last = wide.permute({0, 2, 3, 1}).contiguous().permute({0, 3, 1, 2});
  for (const Tensor& x : {wide, last}) {
    for (const Size2& kernel : {Size2(3, 2), Size2(17, 16)}) {
      const MaxPool2dOptions o{.stride = {2, 3}, .padding = {1, 1}, .ceil_mode = true};
      const auto [y, indices] = max_pool2d_with_indices(x, kernel, o);
      BOOST_TEST((indices.shape() == y.shape()));
      BOOST_TEST(indices.is_contiguous());
      const Tensor found = gather(flatten(x, 2, 3), 2, flatten(indices, 2, 3));
      BOOST_TEST(elements(found) == elements(y), boost::test_tools::per_element());
      BOOST_TEST(elements(max_pool2d(x, kernel, o)) == elements(y),
                 boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(indices_of_sequences) {
  const Tensor x = leaf({3, 1, 4, 1, 5, 9});
  const auto [y, indices] = max_pool1d_with_indices(x.view({1, 6}), 2, {.stride = 2});
  XTAPE_SAME(indices.to(float64), {0, 2, 5});
  y.sum().backward();
  XTAPE_SAME(x.grad(), {1, 0, 1, 0, 0, 1});
  // Taps at -1 and 4 miss three elements; the next window begins at 0.
  const auto [z, none] = max_pool1d_with_indices(leaf({1, 2, 3}).view({1, 3}), 2,
                                                 {.stride = 1, .padding = 1, .dilation = 4});
  XTAPE_SAME(none.to(float64), {-1});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
