// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/pooling.hpp>
#include <xtape/autograd/ops/reductions.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

struct Window {
  Size2 kernel, stride, padding, dilation;
  bool ceil_mode;
};

std::int64_t fits(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                  std::int64_t dilation, bool ceil_mode) {
  // Count the windows: each begins in the input or its left padding, and ends in the padded input,
  // or, in ceil mode, anywhere.
  std::int64_t count = 0;
  for (std::int64_t begin = -padding;; begin += stride, ++count) {
    const bool ends = begin + dilation * (kernel - 1) < in + padding;
    if (!ends && !ceil_mode) return count;
    if (!ends && (begin >= in || begin - stride + dilation * (kernel - 1) + 1 >= in + padding)) {
      return count;
    }
  }
}

// f(begin of the window, its rows and columns in the padded input, elements inside)
template <class F>
Array pooled(const Array& x, const Window& w, F f) {
  const std::int64_t height = x.shape[2], width = x.shape[3];
  const Shape shape{
      x.shape[0], x.shape[1],
      fits(height, w.kernel.height, w.stride.height, w.padding.height, w.dilation.height,
           w.ceil_mode),
      fits(width, w.kernel.width, w.stride.width, w.padding.width, w.dilation.width, w.ceil_mode)};
  return made(shape, [&](const Shape& i) {
    std::vector<long double> inside;
    std::int64_t padded = 0;
    each_index({w.kernel.height, w.kernel.width}, [&](const Shape& k) {
      const std::int64_t row = i[2] * w.stride.height - w.padding.height + k[0] * w.dilation.height;
      const std::int64_t column = i[3] * w.stride.width - w.padding.width + k[1] * w.dilation.width;
      padded += row < height + w.padding.height && column < width + w.padding.width;
      if (row < 0 || row >= height || column < 0 || column >= width) return;
      inside.push_back(at(x, {i[0], i[1], row, column}));
    });
    return f(inside, padded);
  });
}

Array largest(const Array& x, const Window& w) {
  return pooled(x, w, [](const std::vector<long double>& inside, std::int64_t) {
    long double top = -std::numeric_limits<long double>::infinity();
    for (const long double v : inside)
      top = std::isnan(v) || v > top || std::isnan(top) ? (std::isnan(top) ? top : v) : top;
    return top;
  });
}

long double total(const std::vector<long double>& values) {
  long double sum = 0;
  for (const long double v : values) sum += v;
  return sum;
}

Array means(const Array& x, const Window& w, bool count_pad, std::int64_t divisor = 0) {
  return pooled(x, w, [&](const std::vector<long double>& inside, std::int64_t padded) {
    const auto count = divisor     ? divisor
                       : count_pad ? padded
                                   : static_cast<std::int64_t>(inside.size());
    return total(inside) / static_cast<long double>(count);
  });
}

Array batched(Array x) {
  x.shape = {1, x.shape[0], x.shape[1], x.shape[2]};
  return x;
}
Array unbatched(Array y) {
  y.shape = {y.shape[1], y.shape[2], y.shape[3]};
  return y;
}

// The elements of x at places that differ: 3 k mod 2 H W for the k-th of a plane of H W.
Tensor spread_places(const Tensor& x) {
  const std::int64_t plane = x.size(-2) * x.size(-1);
  return remainder(3 * arange(plane), 2 * plane)
      .reshape({x.size(-2), x.size(-1)})
      .expand(x.shape());
}

const Rows rows({
    {.name = "max_unpool2d",
     .f =
         [](const Tensor& x) {
           return max_unpool2d(x, spread_places(x), {1, 2},
                               {.output_size = {x.size(2), 2 * x.size(3)}});
         },
     .reference =
         [](const Array& x) {
           const std::int64_t plane = x.shape[2] * x.shape[3];
           Array y = Array::filled({x.shape[0], x.shape[1], x.shape[2], 2 * x.shape[3]}, 0);
           for (std::int64_t i = 0; i < x.shape.numel(); ++i) {
             const std::int64_t to = i / plane * 2 * plane + i % plane * 3 % (2 * plane);
             y.values[static_cast<std::size_t>(to)] = x.values[static_cast<std::size_t>(i)];
           }
           return y;
         },
     .inputs = {{real({2, 3, 2, 2})}, {real({1, 1, 5, 4})}, {real({0, 2, 2, 2})}},
     .errors =
         {throws<ShapeError>(
              [] {
                return max_unpool2d(zeros({1, 2, 2}), zeros({1, 2, 3}, int64), 2);
              },
              "max_unpool2d: expected indices of shape [1, 2, 2], got int64 [1, 2, 3]"),
          throws<DTypeError>(
              [] {
                return max_unpool2d(zeros({1, 2, 2}), zeros({1, 2, 2}), 2);
              },
              "expected an int64 index, got float32"),
          throws<IndexError>(
              [] {
                return max_unpool2d(zeros({1, 1, 1}), full({1, 1, 1}, 4, int64), 2);
              },
              "index 4 is out of range"),
          throws<ValueError>(
              [] {
                return max_unpool2d(zeros({1, 1, 1}), zeros({1, 1, 1}, int64), 0);
              },
              "max_unpool2d: expected a kernel of at least 1 and nothing negative"),
          throws<ShapeError>(
              [] {
                return max_unpool2d(zeros({1, 1, 1}), zeros({1, 1, 1}, int64), 2, {.padding = 1});
              },
              "max_unpool2d: nothing is left of input of shape [1, 1, 1]")}},
    {.name = "max_unpool1d",
     .f =
         [](const Tensor& x) {
           return max_unpool1d(x, 2 * arange(x.size(-1)).expand(x.shape()), 2);
         },
     .reference =
         [](const Array& x) {
           return made({x.shape[0], x.shape[1], 2 * x.shape[2]}, [&](const Shape& i) {
             return i[2] % 2 == 0 ? at(x, {i[0], i[1], i[2] / 2}) : 0.0L;
           });
         },
     .inputs = {{real({2, 3, 4})}}},
    {.name = "max_pool2d",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return max_pool2d(x, 2); },
     .reference =
         [](const Array& x) {
           return largest(x, {2, 2, 0, 1, false});
         },
     .inputs = {{distinct({2, 3, 4, 5})},
                {distinct({1, 1, 2, 2})},
                {distinct({2, 17, 6, 4})},
                {distinct({0, 3, 4, 5})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return max_pool2d(zeros({4, 4}), 2);
                    },
                    "max_pool2d: expected input [N, C, H, W] or [C, H, W], got shape"),
                throws<ShapeError>(
                    [] {
                      return max_pool2d(zeros({1, 1, 1, 4}), 2);
                    },
                    "max_pool2d: the window [2, 2] does not fit the input of shape"),
                throws<ValueError>(
                    [] {
                      return max_pool2d(zeros({1, 1, 4, 4}), 2, {.padding = 2});
                    },
                    "max_pool2d: padding is at most half of the kernel size"),
                throws<ValueError>(
                    [] {
                      return max_pool2d(zeros({1, 1, 4, 4}), 0);
                    },
                    "max_pool2d: kernel size, stride and dilation are at least 1"),
                throws<DTypeError>(
                    [] {
                      return max_pool2d(zeros({1, 1, 4, 4}, int64), 2);
                    },
                    "max_pool2d: expected a floating tensor, got int64 [1, 1, 4, 4]")},
     .covers = {"max_pool2d_backward", "max_pool2d_gather"}},
    {.name = "max_pool2d_strided",
     .kind = Kind::kinked,
     .f =
         [](const Tensor& x) {
           return max_pool2d(x, {3, 2}, {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}});
         },
     .reference =
         [](const Array& x) {
           return largest(x, {{3, 2}, {2, 1}, {1, 0}, {1, 2}, false});
         },
     .inputs = {{distinct({2, 3, 6, 5})}}},
    {.name = "max_pool2d_ceil",
     .kind = Kind::kinked,
     .f =
         [](const Tensor& x) {
           return max_pool2d(x, 3, {.stride = 2, .padding = 1, .ceil_mode = true});
         },
     .reference =
         [](const Array& x) {
           return largest(x, {3, 2, 1, 1, true});
         },
     .inputs = {{distinct({2, 2, 6, 4})}, {distinct({1, 2, 5, 7})}}},
    {.name = "max_pool2d_large",  // more places in a window than a byte can count
     .kind = Kind::kinked,
     .f =
         [](const Tensor& x) {
           return max_pool2d(x, {17, 16}, {.stride = 1});
         },
     .reference =
         [](const Array& x) {
           return largest(x, {{17, 16}, 1, 0, 1, false});
         },
     .inputs = {{distinct({1, 2, 18, 17}, -200, 200)}}},
    {.name = "max_pool2d_unbatched",
     .kind = Kind::kinked,
     .f = [](const Tensor& x) { return max_pool2d(x, 2, {.stride = 1}); },
     .reference =
         [](const Array& x) {
           return unbatched(largest(batched(x), {2, 1, 0, 1, false}));
         },
     .inputs = {{distinct({3, 4, 5})}}},
    {.name = "avg_pool2d",
     .f = [](const Tensor& x) { return avg_pool2d(x, 2); },
     .reference =
         [](const Array& x) {
           return means(x, {2, 2, 0, 1, false}, true);
         },
     .inputs = {{real({2, 3, 4, 5})}, {real({2, 17, 6, 4})}, {real({0, 3, 4, 5})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return avg_pool2d(zeros({4, 4}), 2);
                    },
                    "avg_pool2d: expected input [N, C, H, W] or [C, H, W], got shape"),
                throws<ShapeError>(
                    [] {
                      return avg_pool2d(zeros({1, 1, 1, 4}), 2);
                    },
                    "avg_pool2d: the window [2, 2] does not fit the input of shape"),
                throws<ValueError>(
                    [] {
                      return avg_pool2d(zeros({1, 1, 4, 4}), 2, {.divisor_override = -1});
                    },
                    "avg_pool2d: the divisor is positive"),
                throws<DTypeError>(
                    [] {
                      return avg_pool2d(zeros({1, 1, 4, 4}, int64), 2);
                    },
                    "avg_pool2d: expected a floating tensor")},
     .covers = {"avg_pool2d_backward"}},
    {.name = "avg_pool2d_padded",
     .f =
         [](const Tensor& x) {
           return avg_pool2d(x, {3, 2}, {.stride = {2, 1}, .padding = 1});
         },
     .reference =
         [](const Array& x) {
           return means(x, {{3, 2}, {2, 1}, 1, 1, false}, true);
         },
     .inputs = {{real({2, 3, 6, 5})}}},
    {.name = "avg_pool2d_without_pad",
     .f =
         [](const Tensor& x) {
           return avg_pool2d(x, 3, {.stride = 2, .padding = 1, .count_include_pad = false});
         },
     .reference =
         [](const Array& x) {
           return means(x, {3, 2, 1, 1, false}, false);
         },
     .inputs = {{real({2, 3, 6, 5})}}},
    {.name = "avg_pool2d_ceil",
     .f =
         [](const Tensor& x) {
           return Tensors{
               avg_pool2d(x, 3, {.stride = 2, .padding = 1, .ceil_mode = true}),
               avg_pool2d(x, 3, {.stride = 2, .ceil_mode = true, .count_include_pad = false})};
         },
     .reference =
         [](const Array& x) {
           return Arrays{means(x, {3, 2, 1, 1, true}, true), means(x, {3, 2, 0, 1, true}, false)};
         },
     .inputs = {{real({2, 3, 6, 4})}, {real({1, 2, 5, 7})}}},
    {.name = "avg_pool2d_divisor",
     .f =
         [](const Tensor& x) {
           return avg_pool2d(x, 2, {.stride = 1, .padding = 1, .divisor_override = 3});
         },
     .reference =
         [](const Array& x) {
           return means(x, {2, 1, 1, 1, false}, true, 3);
         },
     .inputs = {{real({2, 3, 4, 5})}}},
    {.name = "avg_pool2d_unbatched",
     .f = [](const Tensor& x) { return avg_pool2d(x, 2, {.stride = 1}); },
     .reference =
         [](const Array& x) {
           return unbatched(means(batched(x), {2, 1, 0, 1, false}, true));
         },
     .inputs = {{real({3, 4, 5})}}},
});

BOOST_AUTO_TEST_SUITE(pooling)

// PyTorch 2: a window of padding alone does not exist, and the first of equal elements wins.
BOOST_AUTO_TEST_CASE(ties_and_nan) {
  const Tensor x = leaf({1, 3, 3, 1, std::nan(""), 5});
  const Tensor y = max_pool2d(x.view({1, 1, 1, 6}), {1, 2}, {.stride = 2});
  const Values maxima = elements(y);
  BOOST_TEST(maxima[0] == 3);
  BOOST_TEST(maxima[1] == 3);
  BOOST_TEST(std::isnan(maxima[2]));
  y.sum().backward();
  XTAPE_SAME(x.grad(), {0, 1, 1, 0, 1, 0});
  const Tensor equal = ones({1, 1, 4, 4}, float64).requires_grad_();
  max_pool2d(equal, 2).sum().backward();
  XTAPE_SAME(equal.grad(), {1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0});
}

BOOST_AUTO_TEST_CASE(ceil_mode_gives_no_window_to_too_little_input) {
  const MaxPool2dOptions ceil{.stride = 2, .ceil_mode = true};
  BOOST_CHECK_THROW(max_pool2d(zeros({1, 1, 1, 1}), 3, ceil), ShapeError);
  BOOST_TEST(max_pool2d(zeros({1, 1, 2, 2}), 3, ceil).numel() == 1);
}

BOOST_AUTO_TEST_CASE(minus_infinity_is_a_number) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor x = full({1, 2, 4, 4}, -infinity).requires_grad_();
  const Tensor y = max_pool2d(x, 3, {.stride = 2, .padding = 1});
  XTAPE_SAME(
      y, {-infinity, -infinity, -infinity, -infinity, -infinity, -infinity, -infinity, -infinity});
  y.sum().backward();
  double sum = 0;
  for (const double g : elements(x.grad())) sum += g;
  BOOST_TEST(sum == 8);
}

BOOST_AUTO_TEST_CASE(channels_last_stays) {
  const Tensor x = zeros({2, 4, 4, 3}).permute({0, 3, 1, 2});
  BOOST_TEST(max_pool2d(x, 2).strides()[1] == 1);
  BOOST_TEST(avg_pool2d(x, 2).strides()[1] == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
