// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/resampling.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

using Mode = InterpolateMode;

// How much of element k output i takes along one direction of `size` elements.
using Share = long double (*)(std::int64_t i, std::int64_t k, std::int64_t size,
                              std::int64_t count);

long double tent(long double distance) { return std::max(0.0L, 1 - std::abs(distance)); }

long double place(std::int64_t i, std::int64_t size, std::int64_t count) {
  return (static_cast<long double>(i) + 0.5L) * static_cast<long double>(size) /
             static_cast<long double>(count) -
         0.5L;
}

long double linear(std::int64_t i, std::int64_t k, std::int64_t size, std::int64_t count) {
  const long double inside =
      std::clamp(place(i, size, count), 0.0L, static_cast<long double>(size - 1));
  return tent(inside - static_cast<long double>(k));
}

long double aligned(std::int64_t i, std::int64_t k, std::int64_t size, std::int64_t count) {
  const long double at =
      count == 1 ? 0
                 : static_cast<long double>(i * (size - 1)) / static_cast<long double>(count - 1);
  return tent(at - static_cast<long double>(k));
}

long double nearest(std::int64_t i, std::int64_t k, std::int64_t size, std::int64_t count) {
  return k == i * size / count;
}
long double nearest_exact(std::int64_t i, std::int64_t k, std::int64_t size, std::int64_t count) {
  return k == (2 * i + 1) * size / (2 * count);
}

// Keys' kernel.
long double keys(long double x, long double a) {
  x = std::abs(x);
  if (x < 1) return (a + 2) * x * x * x - (a + 3) * x * x + 1;
  return x < 2 ? a * (x * x * x - 5 * x * x + 8 * x - 4) : 0.0L;
}

// With a = -3/4; what lies outside is the edge.
long double cubic(std::int64_t i, std::int64_t k, std::int64_t size, std::int64_t count) {
  long double sum = 0;
  for (std::int64_t outside = -4; outside < size + 4; ++outside) {
    if (std::clamp<std::int64_t>(outside, 0, size - 1) != k) continue;
    sum += keys(place(i, size, count) - static_cast<long double>(outside), -0.75L);
  }
  return sum;
}

// A filter as wide as the step, its sum over the elements that there are being 1.
long double widened(long double (*filter)(long double), std::int64_t i, std::int64_t k,
                    std::int64_t size, std::int64_t count) {
  const long double step = static_cast<long double>(size) / static_cast<long double>(count);
  const auto at = [&](std::int64_t element) {
    const long double distance = place(i, size, count) - static_cast<long double>(element);
    return filter(distance / std::max(step, 1.0L));
  };
  long double sum = 0;
  for (std::int64_t element = 0; element < size; ++element) sum += at(element);
  return at(k) / sum;
}
long double wide_linear(std::int64_t i, std::int64_t k, std::int64_t size, std::int64_t count) {
  return widened(tent, i, k, size, count);
}
long double wide_cubic(std::int64_t i, std::int64_t k, std::int64_t size, std::int64_t count) {
  return widened([](long double x) { return keys(x, -0.5L); }, i, k, size, count);
}

// The same share along each direction of x [N, C, ...].
Array resampled(const Array& x, const Shape& size, Share share) {
  Array y = x;
  for (int d = 0; d < size.rank(); ++d) {
    const std::int64_t from = y.shape[2 + d];
    Shape shape = y.shape;
    shape[2 + d] = size[d];
    y = made(shape, [&](const Shape& i) {
      long double sum = 0;
      for (std::int64_t k = 0; k < from; ++k) {
        Shape source = i;
        source[2 + d] = k;
        const long double weight = share(i[2 + d], k, from, size[d]);
        if (weight != 0) sum += weight * at(y, source);
      }
      return sum;
    });
  }
  return y;
}

const Rows rows({
    {.name = "interpolate",
     .f =
         [](const Tensor& x) {
           return interpolate(x, {.size = {5, 6}, .mode = Mode::bilinear});
         },
     .reference =
         [](const Array& x) {
           return resampled(x, {5, 6}, linear);
         },
     .inputs =
         {{real({2, 3, 3, 4})}, {real({1, 2, 8, 9})}, {real({1, 1, 1, 1})}, {real({0, 2, 3, 4})}},
     .errors = {throws<ValueError>(
                    [] {
                      return interpolate(zeros({1, 1, 2}), {});
                    },
                    "interpolate: expected either a size or a scale factor"),
                throws<ValueError>(
                    [] {
                      return interpolate(zeros({1, 1, 2}), {.size = {4}, .scale_factor = 2});
                    },
                    "interpolate: expected either a size or a scale factor"),
                throws<ValueError>(
                    [] {
                      return interpolate(zeros({1, 1, 2, 2, 2}), {.size = {4, 4}});
                    },
                    "interpolate: expected one number or 3, got 2"),
                throws<ValueError>(
                    [] {
                      return interpolate(zeros({1, 1, 2}), {.size = {4}, .align_corners = true});
                    },
                    "interpolate: corners are aligned in linear and cubic modes only"),
                throws<ValueError>(
                    [] {
                      return interpolate(zeros({1, 1, 2}), {.scale_factor = 0.4});
                    },
                    "interpolate: the output of shape [1, 1, 2] would have no elements"),
                throws<ValueError>(
                    [] {
                      return interpolate(zeros({1, 1, 2}), {.scale_factor = std::nan("")});
                    },
                    "would have no elements, or too many"),
                throws<ShapeError>(
                    [] {
                      return interpolate(zeros({1, 2, 2}), {.size = {4}, .mode = Mode::bilinear});
                    },
                    "interpolate: expected input [N, C, H, W] for this mode, got shape [1, 2, 2]"),
                throws<ShapeError>(
                    [] {
                      return interpolate(zeros({1, 2, 0}), {.size = {4}});
                    },
                    "interpolate: nothing to take from shape [1, 2, 0]"),
                throws<DTypeError>(
                    [] {
                      return interpolate(zeros({1, 2, 2}, uint8), {.size = {4}});
                    },
                    "interpolate: expected a floating tensor")}},
    {.name = "interpolate_aligned",
     .f =
         [](const Tensor& x) {
           return interpolate(x, {.size = {5, 1}, .mode = Mode::bilinear, .align_corners = true});
         },
     .reference =
         [](const Array& x) {
           return resampled(x, {5, 1}, aligned);
         },
     .inputs = {{real({2, 3, 3, 4})}, {real({1, 2, 8, 1})}}},
    {.name = "interpolate_linear",
     .f =
         [](const Tensor& x) {
           return interpolate(
               x, {.scale_factor = 2.5, .mode = Mode::linear, .recompute_scale_factor = true});
         },
     .reference = [](const Array& x) { return resampled(x, {x.shape[2] * 5 / 2}, linear); },
     .inputs = {{real({2, 3, 4})}, {real({1, 2, 5})}}},
    {.name = "interpolate_trilinear",
     .f =
         [](const Tensor& x) {
           return interpolate(x, {.size = {3, 3, 2}, .mode = Mode::trilinear});
         },
     .reference =
         [](const Array& x) {
           return resampled(x, {3, 3, 2}, linear);
         },
     .inputs = {{real({1, 2, 2, 4, 3})}}},
    {.name = "interpolate_nearest",
     .f =
         [](const Tensor& x) {
           return interpolate(x, {.size = {5, 3}});
         },
     .reference =
         [](const Array& x) {
           return resampled(x, {5, 3}, nearest);
         },
     .inputs = {{real({2, 3, 3, 4})}, {real({1, 2, 10, 6})}}},
    {.name = "interpolate_nearest_exact",
     .f =
         [](const Tensor& x) { return interpolate(x, {.size = {7}, .mode = Mode::nearest_exact}); },
     .reference = [](const Array& x) { return resampled(x, {7}, nearest_exact); },
     .inputs = {{real({2, 3, 4})}, {real({2, 3, 9})}}},
    {.name = "interpolate_bicubic",
     .f =
         [](const Tensor& x) {
           return interpolate(x, {.size = {5, 3}, .mode = Mode::bicubic});
         },
     .reference =
         [](const Array& x) {
           return resampled(x, {5, 3}, cubic);
         },
     .inputs = {{real({2, 2, 3, 4})}, {real({1, 2, 1, 2})}}},
    {.name = "interpolate_antialias",
     .f =
         [](const Tensor& x) {
           return interpolate(x, {.size = {3, 5}, .mode = Mode::bilinear, .antialias = true});
         },
     .reference =
         [](const Array& x) {
           return resampled(x, {3, 5}, wide_linear);
         },
     .inputs = {{real({2, 2, 7, 4})}, {real({1, 2, 2, 16})}, {real({1, 1, 3, 1})}},
     .errors = {throws<ValueError>(
         [] {
           return interpolate(zeros({1, 1, 2}),
                              {.size = {4}, .mode = Mode::linear, .antialias = true});
         },
         "interpolate: antialias is of the modes bilinear and bicubic only")}},
    {.name = "interpolate_antialias_bicubic",
     .f =
         [](const Tensor& x) {
           return interpolate(x, {.size = {3, 5}, .mode = Mode::bicubic, .antialias = true});
         },
     .reference =
         [](const Array& x) {
           return resampled(x, {3, 5}, wide_cubic);
         },
     .inputs = {{real({2, 2, 7, 4})}, {real({1, 2, 2, 16})}, {real({1, 1, 3, 1})}}},
    {.name = "pixel_shuffle",
     .f = [](const Tensor& x) { return pixel_shuffle(x, 2); },
     .reference =
         [](const Array& x) {
           return made({x.shape[0], x.shape[1] / 4, 2 * x.shape[2], 2 * x.shape[3]},
                       [&](const Shape& i) {
                         const std::int64_t channel = i[1] * 4 + i[2] % 2 * 2 + i[3] % 2;
                         return at(x, {i[0], channel, i[2] / 2, i[3] / 2});
                       });
         },
     .inputs = {{real({2, 8, 2, 3})}, {real({0, 4, 2, 3})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return pixel_shuffle(zeros({6, 2, 2}), 2);
                    },
                    "pixel_shuffle: 6 channels do not divide into squares of 4"),
                throws<ShapeError>(
                    [] {
                      return pixel_shuffle(zeros({4, 2}), 2);
                    },
                    "pixel_shuffle: expected input [..., C, H, W], got shape [4, 2]"),
                throws<ValueError>(
                    [] {
                      return pixel_shuffle(zeros({4, 2, 2}), 0);
                    },
                    "pixel_shuffle: the factor is at least 1, got 0")}},
    {.name = "pixel_unshuffle",
     .f = [](const Tensor& x) { return pixel_unshuffle(x, 3); },
     .reference =
         [](const Array& x) {
           return made({x.shape[0] * 9, x.shape[1] / 3, x.shape[2] / 3}, [&](const Shape& i) {
             return at(x, {i[0] / 9, 3 * i[1] + i[0] % 9 / 3, 3 * i[2] + i[0] % 3});
           });
         },
     .inputs = {{real({2, 6, 3})}},
     .errors = {throws<ShapeError>(
         [] {
           return pixel_unshuffle(zeros({1, 4, 3}), 2);
         },
         "pixel_unshuffle: squares of 2 do not fill the shape")}},
});

BOOST_AUTO_TEST_SUITE(resampling)

// A scale factor is the step's inverse, though the sizes' quotient is another number.
BOOST_AUTO_TEST_CASE(scale_factor_counts) {
  const Tensor x = leaf({0, 1, 2}).view({1, 1, 3});
  const Tensor y = interpolate(x, {.scale_factor = 1.5, .mode = Mode::linear});
  const Tensor z =
      interpolate(x, {.scale_factor = 1.5, .mode = Mode::linear, .recompute_scale_factor = true});
  BOOST_TEST((y.shape() == Shape{1, 1, 4}));
  BOOST_TEST(elements(y)[1] == 0.5, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(elements(z)[1] == 0.625, boost::test_tools::tolerance(1e-12));
}

// Elements that an output does not use do not reach it, were they infinite.
BOOST_AUTO_TEST_CASE(infinities_stay_where_they_are) {
  const Tensor x = leaf({1, 2, HUGE_VAL}).view({1, 1, 3});
  const Tensor y = interpolate(x, {.size = {5}, .mode = Mode::linear, .align_corners = true});
  XTAPE_SAME(y, {1, 1.5, 2, HUGE_VAL, HUGE_VAL});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
