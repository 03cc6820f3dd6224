// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/ops/windows.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

// Windows of 2 x 3, dilation 2 x 1, padding 1 x 1, stride 1 x 2.
const UnfoldOptions kOptions{.dilation = {2, 1}, .padding = 1, .stride = {1, 2}};

struct Columns {
  std::int64_t rows, columns;
  explicit Columns(std::int64_t h, std::int64_t w)
      : rows(h + 2 - 2), columns((w + 2 - 3) / 2 + 1) {}
  // f(channel, y, x, row of the result, column of it) for each element of each window, padding too.
  template <class F>
  void each(std::int64_t channels, F f) const {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t ky = 0; ky < 2; ++ky) {
        for (std::int64_t kx = 0; kx < 3; ++kx) {
          for (std::int64_t l = 0; l < rows * columns; ++l) {
            f(c, l / columns + 2 * ky - 1, 2 * (l % columns) + kx - 1, (c * 2 + ky) * 3 + kx, l);
          }
        }
      }
    }
  }
};

const Rows rows({
    {.name = "unfold",
     .f = [](const Tensor& x) { return unfold(x, 1, 3, 2); },
     .reference =
         [](const Array& x) {
           return made({x.shape[0], (x.shape[1] - 3) / 2 + 1, 3}, [&](const Shape& i) {
             return at(x, {i[0], 2 * i[1] + i[2]});
           });
         },
     .inputs = {{real({2, 5})}, {real({2, 8})}, {real({1, 3})}},
     .errors = {throws<ValueError>(
                    [] {
                      return unfold(zeros({2, 3}), 1, 4, 1);
                    },
                    "windows of 4 with step 1 do not fit into dimension 1 of shape [2, 3]"),
                throws<ValueError>([] { return unfold(zeros({3}), 0, 2, 0); }, "with step 0")}},
    {.name = "unfold_overlapping",
     .f = [](const Tensor& x) { return unfold(x, 0, 3, 1); },
     .reference =
         [](const Array& x) {
           return made({x.shape[0] - 2, x.shape[1], 3}, [&](const Shape& i) {
             return at(x, {i[0] + i[2], i[1]});
           });
         },
     .inputs = {{real({5, 2})}}},
    {.name = "unfold_columns",
     .f =
         [](const Tensor& x) {
           return unfold(x, {2, 3}, kOptions);
         },
     .reference =
         [](const Array& x) {
           const std::int64_t h = x.shape[2], w = x.shape[3];
           const Columns all(h, w);
           Array y = Array::filled({x.shape[0], x.shape[1] * 6, all.rows * all.columns}, 0);
           for (std::int64_t n = 0; n < x.shape[0]; ++n) {
             all.each(x.shape[1], [&](std::int64_t c, std::int64_t iy, std::int64_t ix,
                                      std::int64_t row, std::int64_t l) {
               if (iy >= 0 && iy < h && ix >= 0 && ix < w) y(n, row, l) = x(n, c, iy, ix);
             });
           }
           return y;
         },
     .inputs = {{real({2, 2, 3, 5})}, {real({1, 1, 4, 4})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return unfold(zeros({1, 1, 2, 2}), 3);
                    },
                    "no window fits into shape [1, 1, 2, 2]"),
                throws<ShapeError>(
                    [] {
                      return unfold(zeros({2, 2}), 2);
                    },
                    "[N, C, H, W]"),
                throws<ValueError>(
                    [] {
                      return unfold(zeros({1, 2, 2}), 0);
                    },
                    "must be positive")}},
    {.name = "fold",
     .f =
         [](const Tensor& x) {
           return fold(x, {3, 5}, {2, 3}, kOptions);
         },
     .reference =
         [](const Array& x) {
           const Columns all(3, 5);
           Array y = Array::filled({x.shape[0], x.shape[1] / 6, 3, 5}, 0);
           for (std::int64_t n = 0; n < x.shape[0]; ++n) {
             all.each(y.shape[1], [&](std::int64_t c, std::int64_t iy, std::int64_t ix,
                                      std::int64_t row, std::int64_t l) {
               if (iy >= 0 && iy < 3 && ix >= 0 && ix < 5) y(n, c, iy, ix) += x(n, row, l);
             });
           }
           return y;
         },
     .inputs = {{real({2, 12, 9})}, {real({1, 6, 9})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return fold(zeros({1, 5, 4}), 3, 2);
                    },
                    "4 windows of 4 elements for each channel"),
                throws<ShapeError>([] { return fold(zeros({4}), 3, 2); }, "fold: expected"),
                throws<ShapeError>(
                    [] {
                      return fold(zeros({1, 4, 4}), 1, 2);
                    },
                    "no window fits into shape [1, 1]")}},
});

BOOST_AUTO_TEST_SUITE(windows)

BOOST_AUTO_TEST_CASE(without_a_batch) {
  const Tensor x = arange(2 * 3 * 4).to(float32).reshape({2, 3, 4});
  const Tensor columns = unfold(x, 2);
  BOOST_TEST((columns.shape() == Shape{8, 6}));
  BOOST_TEST((fold(columns, {3, 4}, 2).shape() == Shape{2, 3, 4}));
  BOOST_TEST((fold(columns, {3, 4}, 2)[{0, 1, 1}].item<float>() == 4 * 5));
}

BOOST_AUTO_TEST_CASE(columns_make_a_convolution_a_product) {
  const Tensor x = arange(2 * 2 * 4 * 5).to(float64).reshape({2, 2, 4, 5}) * 0.1;
  const Tensor weight = arange(3 * 2 * 2 * 3).to(float64).reshape({3, 2, 2, 3}) * 0.01;
  const Conv2dOptions same{.stride = {1, 2}, .padding = 1, .dilation = {2, 1}};
  const Tensor y = matmul(weight.reshape({3, 12}), unfold(x, {2, 3}, kOptions));
  const Tensor z = conv2d(x, weight, {}, same);
  const auto a = elements(y.reshape(z.shape())), b = elements(z);
  for (std::size_t i = 0; i < a.size(); ++i) {
    BOOST_TEST(a[i] == b[i], boost::test_tools::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
