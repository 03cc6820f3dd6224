// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/grid_sample.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

using Mode = GridSampleMode;
using Outside = GridPadding;

// Where a place outside of [0, size - 1] is taken from, mirror by mirror.
long double moved(long double place, std::int64_t size, const GridSampleOptions& o) {
  const auto last = static_cast<long double>(size - 1);
  const long double edge = o.align_corners ? 0 : 0.5L;
  if (o.padding_mode == Outside::reflection) {
    while (last + 2 * edge > 0 && (place < -edge || place > last + edge)) {
      place = place < -edge ? -2 * edge - place : 2 * (last + edge) - place;
    }
  }
  return o.padding_mode == Outside::zeros ? place : std::clamp(place, 0.0L, last);
}

Array sampled(const Array& x, const Array& grid, const GridSampleOptions& o) {
  const auto element = [&](const Shape& i, long double row, long double column) -> long double {
    if (row < 0 || column < 0 || row >= static_cast<long double>(x.shape[2]) ||
        column >= static_cast<long double>(x.shape[3])) {
      return 0;
    }
    return at(x, {i[0], i[1], static_cast<std::int64_t>(row), static_cast<std::int64_t>(column)});
  };
  const auto keys = [](long double distance) {
    const long double d = std::abs(distance);
    if (d < 1) return (1.25L * d - 2.25L) * d * d + 1;
    return d < 2 ? -0.75L * (((d - 5) * d + 8) * d - 4) : 0.0L;
  };
  const auto place = [&](long double g, std::int64_t size) {
    const auto n = static_cast<long double>(size);
    return o.align_corners ? (g + 1) / 2 * (n - 1) : ((g + 1) * n - 1) / 2;
  };
  return made({x.shape[0], x.shape[1], grid.shape[1], grid.shape[2]}, [&](const Shape& i) {
    long double across = place(at(grid, {i[0], i[2], i[3], 0}), x.shape[3]);
    long double down = place(at(grid, {i[0], i[2], i[3], 1}), x.shape[2]);
    long double sum = 0;
    if (o.mode == Mode::bicubic) {
      for (int k = 0; k < 16; ++k) {
        const long double row = std::floor(down) - 1 + k / 4;
        const long double column = std::floor(across) - 1 + k % 4;
        sum += keys(down - row) * keys(across - column) *
               element(i, moved(row, x.shape[2], o), moved(column, x.shape[3], o));
      }
      return sum;
    }
    across = moved(across, x.shape[3], o);
    down = moved(down, x.shape[2], o);
    if (o.mode == Mode::nearest) return element(i, std::nearbyint(down), std::nearbyint(across));
    const long double left = std::floor(across), top = std::floor(down);
    for (int k = 0; k < 4; ++k) {
      const long double row = top + k / 2, column = left + k % 2;
      const long double weight = (1 - std::abs(down - row)) * (1 - std::abs(across - column));
      if (weight != 0) sum += weight * element(i, row, column);
    }
    return sum;
  });
}

// Pictures of 4 x 5; no place is an element's, a middle's between two, or a mirror's.
std::vector<Sample> pictures_and_grids() {
  std::vector<Sample> samples;
  for (const long double scale : {1.0L, 3.0L}) {
    std::vector<long double> places;
    for (int k = 0; k < 24; ++k) {
      places.push_back(scale * (-0.93L + 0.0817L * static_cast<long double>((k * 7) % 24)));
    }
    samples.push_back({real({2, 3, 4, 5}), given({2, 3, 2, 2}, places)});
  }
  return samples;
}

template <Outside outside, bool align, Mode mode = Mode::bilinear>
Tensor f(const Tensor& x, const Tensor& grid) {
  return grid_sample(x, grid, {mode, outside, align});
}
template <Outside outside, bool align, Mode mode = Mode::bilinear>
Array reference(const Array& x, const Array& grid) {
  return sampled(x, grid, {mode, outside, align});
}

const Rows rows({
    {.name = "grid_sample",
     .kind = Kind::kinked,
     .f = f<Outside::zeros, false>,
     .reference = reference<Outside::zeros, false>,
     .inputs = pictures_and_grids(),
     .errors = {throws<ShapeError>(
                    [] {
                      return grid_sample(zeros({2, 1, 3, 3}), zeros({1, 2, 2, 2}));
                    },
                    "grid_sample: expected input [N, C, H, W] and grid [N, OH, OW, 2], got"),
                throws<ShapeError>(
                    [] {
                      return grid_sample(zeros({1, 1, 0, 3}), zeros({1, 2, 2, 2}));
                    },
                    "grid_sample: nothing to take from shape [1, 1, 0, 3]"),
                throws<DTypeError>(
                    [] {
                      return grid_sample(zeros({1, 1, 3, 3}), zeros({1, 2, 2, 2}, float64));
                    },
                    "grid_sample: expected one floating dtype, got input float32, grid float64")}},
    {.name = "grid_sample_aligned",
     .kind = Kind::kinked,
     .f = f<Outside::zeros, true>,
     .reference = reference<Outside::zeros, true>,
     .inputs = pictures_and_grids()},
    {.name = "grid_sample_border",
     .kind = Kind::kinked,
     .f = f<Outside::border, false>,
     .reference = reference<Outside::border, false>,
     .inputs = pictures_and_grids()},
    {.name = "grid_sample_border_aligned",
     .kind = Kind::kinked,
     .f = f<Outside::border, true>,
     .reference = reference<Outside::border, true>,
     .inputs = pictures_and_grids()},
    {.name = "grid_sample_reflection",
     .kind = Kind::kinked,
     .f = f<Outside::reflection, false>,
     .reference = reference<Outside::reflection, false>,
     .inputs = pictures_and_grids()},
    {.name = "grid_sample_reflection_aligned",
     .kind = Kind::kinked,
     .f = f<Outside::reflection, true>,
     .reference = reference<Outside::reflection, true>,
     .inputs = pictures_and_grids()},
    {.name = "grid_sample_bicubic",
     .kind = Kind::kinked,
     .f = f<Outside::zeros, false, Mode::bicubic>,
     .reference = reference<Outside::zeros, false, Mode::bicubic>,
     .inputs = pictures_and_grids(),
     .tolerance32 = 5e-6},
    {.name = "grid_sample_bicubic_aligned",
     .kind = Kind::kinked,
     .f = f<Outside::zeros, true, Mode::bicubic>,
     .reference = reference<Outside::zeros, true, Mode::bicubic>,
     .inputs = pictures_and_grids(),
     .tolerance32 = 5e-6},
    {.name = "grid_sample_bicubic_border",
     .kind = Kind::kinked,
     .f = f<Outside::border, false, Mode::bicubic>,
     .reference = reference<Outside::border, false, Mode::bicubic>,
     .inputs = pictures_and_grids(),
     .tolerance32 = 5e-6},
    {.name = "grid_sample_bicubic_border_aligned",
     .kind = Kind::kinked,
     .f = f<Outside::border, true, Mode::bicubic>,
     .reference = reference<Outside::border, true, Mode::bicubic>,
     .inputs = pictures_and_grids(),
     .tolerance32 = 5e-6},
    {.name = "grid_sample_bicubic_reflection",
     .kind = Kind::kinked,
     .f = f<Outside::reflection, false, Mode::bicubic>,
     .reference = reference<Outside::reflection, false, Mode::bicubic>,
     .inputs = pictures_and_grids(),
     .tolerance32 = 5e-6},
    {.name = "grid_sample_bicubic_reflection_aligned",
     .kind = Kind::kinked,
     .f = f<Outside::reflection, true, Mode::bicubic>,
     .reference = reference<Outside::reflection, true, Mode::bicubic>,
     .inputs = pictures_and_grids(),
     .tolerance32 = 5e-6},
    {.name = "grid_sample_nearest",
     .f =
         [](const Tensor& x) {
           const Tensor grid =
               tensor({-1.4, -0.9, -0.3, 0.2, 0.45, 0.8, 1.7, 0.1, -5, 0, 3.3, 0.62})
                   .to(x.dtype())
                   .view({1, 2, 3, 2});
           Tensors y;
           for (const Outside outside : {Outside::zeros, Outside::border, Outside::reflection}) {
             for (const bool align : {false, true}) {
               y.push_back(grid_sample(x, grid, {Mode::nearest, outside, align}));
             }
           }
           return y;
         },
     .reference =
         [](const Array& x) {
           const Array grid{
               {1, 2, 3, 2},
               {-1.4L, -0.9L, -0.3L, 0.2L, 0.45L, 0.8L, 1.7L, 0.1L, -5, 0, 3.3L, 0.62L}};
           Arrays y;
           for (const Outside outside : {Outside::zeros, Outside::border, Outside::reflection}) {
             for (const bool align : {false, true}) {
               y.push_back(sampled(x, grid, {Mode::nearest, outside, align}));
             }
           }
           return y;
         },
     .inputs = {{real({1, 2, 4, 5})}}},
    {.name = "affine_grid",
     .f =
         [](const Tensor& theta) {
           return affine_grid(theta, {2, 1, 3, 4});
         },
     .reference =
         [](const Array& theta) {
           return made({2, 3, 4, 2}, [&](const Shape& i) {
             const long double across = (2 * static_cast<long double>(i[2]) - 3) / 4;
             const long double down = (2 * static_cast<long double>(i[1]) - 2) / 3;
             return at(theta, {i[0], i[3], 0}) * across + at(theta, {i[0], i[3], 1}) * down +
                    at(theta, {i[0], i[3], 2});
           });
         },
     .inputs = {{real({2, 2, 3})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return affine_grid(zeros({2, 2, 3}), {1, 1, 4, 4});
                    },
                    "affine_grid: expected theta [N, 2, 3] and size [N, C, H, W], got"),
                throws<DTypeError>(
                    [] {
                      return affine_grid(zeros({1, 2, 3}, int64), {1, 1, 4, 4});
                    },
                    "affine_grid: expected a floating tensor")}},
    {.name = "affine_grid_aligned",
     .f =
         [](const Tensor& theta) {
           return affine_grid(theta, {1, 1, 3, 1}, true);
         },
     .reference =
         [](const Array& theta) {
           return made({1, 3, 1, 2}, [&](const Shape& i) {
             const long double down = static_cast<long double>(i[1]) - 1;
             return at(theta, {0, i[3], 1}) * down + at(theta, {0, i[3], 2});
           });
         },
     .inputs = {{real({1, 2, 3})}}},
});

BOOST_AUTO_TEST_SUITE(grid_sampling)

// The grid of the identity gives the picture back.
BOOST_AUTO_TEST_CASE(identity) {
  const Tensor x = leaf({1, 2, 3, 4, 5, 6}).view({1, 1, 2, 3});
  const Tensor theta = tensor({{1, 0, 0}, {0, 1, 0}}, float64).view({1, 2, 3});
  for (const bool align : {false, true}) {
    const Tensor y =
        grid_sample(x, affine_grid(theta, {1, 1, 2, 3}, align), {.align_corners = align});
    const Values got = elements(y);
    for (std::size_t i = 0; i < 6; ++i) {
      BOOST_TEST(got[i] == static_cast<double>(i + 1), boost::test_tools::tolerance(1e-12));
    }
  }
}

// At an edge that stops it, a place's gradient is 0; places of any size are safe.
BOOST_AUTO_TEST_CASE(edges_and_far_places) {
  const Tensor x = leaf({1, 2, 3, 4}).view({1, 1, 2, 2});
  const Tensor grid = leaf({1, -1, 1e300, -HUGE_VAL});
  const GridSampleOptions o{.padding_mode = GridPadding::border, .align_corners = true};
  const Tensor y = grid_sample(x, grid.view({1, 1, 2, 2}), o);
  XTAPE_SAME(y, {2, 2});
  y.sum().backward();
  XTAPE_SAME(grid.grad(), {0, 0, 0, 0});
  const Tensor far = tensor({1e30, -1e30}, float64).view({1, 1, 1, 2});
  XTAPE_SAME(grid_sample(x, far, {.mode = GridSampleMode::nearest}), {0});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
