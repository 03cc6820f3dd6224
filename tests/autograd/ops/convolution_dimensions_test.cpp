// SPDX-License-Identifier: BSD-3-Clause
// Convolutions of one and three dimensions, transposed ones, and padding that keeps the size.
#include <boost/test/unit_test.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/convolution.hpp>
#include <xtape/autograd/ops/reductions.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

// One entry for each direction.
struct Plan {
  Shape stride, padding, dilation, out;
  std::int64_t groups = 1;
};

// f(index of y, index of x, index of weight) for each product of a convolution of x [N, C, ...] to
// y [N, O, ...] with weight [O, C / groups, ...].
template <class F>
void each_product(const Shape& x, const Shape& w, const Shape& y, const Plan& p, F f) {
  each_index(y, [&](const Shape& i) {
    const std::int64_t first = i[1] / (w[0] / p.groups) * w[1];
    Shape taps(w);
    taps.erase(0);
    each_index(taps, [&](const Shape& k) {
      Shape from = i, weight = k;
      from[1] = first + k[0];
      weight.insert(0, i[1]);
      for (int d = 0; d < p.stride.rank(); ++d) {
        const std::int64_t at = i[2 + d] * p.stride[d] - p.padding[d] + k[1 + d] * p.dilation[d];
        if (at < 0 || at >= x[2 + d]) return;
        from[2 + d] = at;
      }
      f(i, from, weight);
    });
  });
}

std::size_t place(const Shape& shape, const Shape& index) {
  std::int64_t k = 0;
  for (int i = 0; i < shape.rank(); ++i) k = k * shape[i] + index[i];
  return static_cast<std::size_t>(k);
}

Array zeros_of(const Shape& x, std::int64_t channels, const Shape& places, const Array& bias) {
  Shape shape{x[0], channels};
  for (const std::int64_t n : places) shape.push_back(n);
  return made(shape, [&](const Shape& i) { return bias.values[static_cast<std::size_t>(i[1])]; });
}

Array convolved(const Array& x, const Array& w, const Array& bias, const Plan& p) {
  Array y = zeros_of(x.shape, w.shape[0], p.out, bias);
  each_product(x.shape, w.shape, y.shape, p,
               [&](const Shape& to, const Shape& from, const Shape& weight) {
                 y.values[place(y.shape, to)] += at(x, from) * at(w, weight);
               });
  return y;
}

// What goes from y to x there goes from x to y here.
Array transposed(const Array& x, const Array& w, const Array& bias, const Plan& p) {
  Array y = zeros_of(x.shape, w.shape[1] * p.groups, p.out, bias);
  each_product(y.shape, w.shape, x.shape, p,
               [&](const Shape& from, const Shape& to, const Shape& weight) {
                 y.values[place(y.shape, to)] += at(x, from) * at(w, weight);
               });
  return y;
}

const Rows rows({
    {.name = "conv1d",
     .f = [](const Tensor& x, const Tensor& w, const Tensor& b) { return conv1d(x, w, b); },
     .reference =
         [](const Array& x, const Array& w, const Array& b) {
           return convolved(x, w, b, {{1}, {0}, {1}, {x.shape[2] - w.shape[2] + 1}});
         },
     .inputs = {{real({2, 3, 7}), real({4, 3, 3}), real({4})},
                {real({0, 3, 7}), real({4, 3, 3}), real({4})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return conv1d(zeros({5}), zeros({1, 1, 3}));
                    },
                    "conv1d: expected input [N, C, L] or [C, L], got shape [5]"),
                throws<ShapeError>(
                    [] {
                      return conv1d(zeros({1, 1, 5}), zeros({1, 1, 3, 3}));
                    },
                    "conv1d: expected weight [O, C / groups, K], got shape [1, 1, 3, 3]"),
                throws<ShapeError>(
                    [] {
                      return conv1d(zeros({2, 5}), zeros({4, 3, 3}));
                    },
                    "conv1d: expected 3 input channels, got input of shape [2, 5]"),
                throws<ShapeError>(
                    [] {
                      return conv1d(zeros({1, 1, 2}), zeros({1, 1, 3}));
                    },
                    "conv1d: the kernel [3] does not fit the padded input of shape [1, 1, 2]"),
                throws<ValueError>(
                    [] {
                      return conv1d(zeros({1, 1, 5}), zeros({1, 1, 3}), {},
                                    {.stride = 2, .padding = same});
                    },
                    "conv1d: padding that keeps the size takes a stride of 1, not 2")},
     .covers = {"conv1d_backward_data", "conv1d_backward_weight"},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv1d_all",
     .f =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           return conv1d(x, w, b, {.stride = 2, .padding = 3, .dilation = 2, .groups = 2});
         },
     .reference =
         [](const Array& x, const Array& w, const Array& b) {
           return convolved(x, w, b, {{2}, {3}, {2}, {5}, 2});
         },
     .inputs = {{real({2, 4, 8}), real({6, 2, 3}), real({6})}},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv1d_same",
     .f = [](const Tensor& x, const Tensor& w,
             const Tensor& b) { return conv1d(x, w, b, {.padding = same, .dilation = 3}); },
     .reference =
         [](const Array& x, const Array& w, const Array& b) {
           return convolved(x, w, b, {{1}, {4}, {3}, {x.shape[2]}});
         },
     .inputs = {{real({2, 2, 6}), real({3, 2, 4}), real({3})}},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv2d_same",
     .f =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           return conv2d(x, w, b, {.padding = same, .dilation = {1, 2}});
         },
     .reference =
         [](const Array& x, const Array& w, const Array& b) {
           return convolved(x, w, b, {{1, 1}, {0, 2}, {1, 2}, {x.shape[2], x.shape[3]}});
         },
     .inputs = {{real({2, 2, 4, 5}), real({3, 2, 2, 3}), real({3})}},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv3d",
     .f = [](const Tensor& x, const Tensor& w, const Tensor& b) { return conv3d(x, w, b); },
     .reference =
         [](const Array& x, const Array& w, const Array& b) {
           const Shape out{x.shape[2] - w.shape[2] + 1, x.shape[3] - w.shape[3] + 1,
                           x.shape[4] - w.shape[4] + 1};
           return convolved(x, w, b, {{1, 1, 1}, {0, 0, 0}, {1, 1, 1}, out});
         },
     .inputs = {{real({2, 2, 3, 4, 3}), real({3, 2, 2, 3, 2}), real({3})},
                {real({0, 2, 3, 4, 3}), real({3, 2, 2, 3, 2}), real({3})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return conv3d(zeros({1, 1, 5}), zeros({1, 1, 1, 1, 1}));
                    },
                    "conv3d: expected input [N, C, D, H, W] or [C, D, H, W], got shape"),
                throws<ShapeError>(
                    [] {
                      return conv3d(zeros({1, 1, 1, 4, 4}), zeros({1, 1, 2, 2, 2}));
                    },
                    "conv3d: the kernel [2, 2, 2] does not fit the padded input of shape")},
     .covers = {"conv3d_backward_data", "conv3d_backward_weight"},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv3d_all",
     .f =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           return conv3d(
               x, w, b,
               {.stride = {2, 1, 2}, .padding = {1, 0, 2}, .dilation = {2, 1, 1}, .groups = 2});
         },
     .reference =
         [](const Array& x, const Array& w, const Array& b) {
           return convolved(x, w, b, {{2, 1, 2}, {1, 0, 2}, {2, 1, 1}, {2, 2, 3}, 2});
         },
     .inputs = {{real({2, 2, 4, 3, 3}), real({4, 1, 2, 2, 2}), real({4})}},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv3d_same",
     .f = [](const Tensor& x, const Tensor& w) { return conv3d(x, w, {}, {.padding = same}); },
     .reference =
         [](const Array& x, const Array& w) {
           Array batched = x;
           batched.shape.insert(0, 1);
           Array y = convolved(batched, w, Array::filled({w.shape[0]}, 0),
                               {{1, 1, 1}, {0, 1, 1}, {1, 1, 1}, {3, 2, 4}});
           y.shape.erase(0);
           return y;
         },
     .inputs = {{real({2, 3, 2, 4}), real({2, 2, 2, 3, 4})}}},
    {.name = "conv_transpose1d",
     .f = [](const Tensor& x, const Tensor& w,
             const Tensor& b) { return conv_transpose1d(x, w, b); },
     .reference =
         [](const Array& x, const Array& w, const Array& b) {
           return transposed(x, w, b, {{1}, {0}, {1}, {x.shape[2] + w.shape[2] - 1}});
         },
     .inputs = {{real({2, 3, 5}), real({3, 2, 3}), real({2})},
                {real({0, 3, 5}), real({3, 2, 3}), real({2})}},
     .errors =
         {throws<ShapeError>(
              [] {
                return conv_transpose1d(zeros({1, 2, 5}), zeros({3, 2, 3}));
              },
              "conv_transpose1d: expected 3 input channels, got input of shape"),
          throws<ShapeError>(
              [] {
                return conv_transpose1d(zeros({1, 1, 1}), zeros({1, 1, 1}), {}, {.padding = 1});
              },
              "conv_transpose1d: nothing is left of the output for input of shape"),
          throws<ValueError>(
              [] {
                return conv_transpose1d(zeros({1, 1, 4}), zeros({1, 1, 2}), {},
                                        {.stride = 2, .output_padding = 2});
              },
              "conv_transpose1d: output padding 2 is not smaller than the stride or")},
     .covers = {"conv_transpose1d_backward_data", "conv_transpose1d_backward_weight"},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv_transpose1d_all",
     .f =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           return conv_transpose1d(
               x, w, b,
               {.stride = 2, .padding = 1, .output_padding = 2, .groups = 2, .dilation = 3});
         },
     .reference =
         [](const Array& x, const Array& w, const Array& b) {
           return transposed(x, w, b, {{2}, {1}, {3}, {11}, 2});
         },
     .inputs = {{real({2, 4, 3}), real({4, 3, 3}), real({6})}},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv_transpose2d",
     .f =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           return conv_transpose2d(x, w, b, {.stride = {2, 1}, .padding = {1, 0}});
         },
     .reference =
         [](const Array& x, const Array& w, const Array& b) {
           const Shape out{2 * x.shape[2] + w.shape[2] - 4, x.shape[3] + w.shape[3] - 1};
           return transposed(x, w, b, {{2, 1}, {1, 0}, {1, 1}, out});
         },
     .inputs = {{real({2, 3, 3, 4}), real({3, 2, 3, 2}), real({2})},
                {real({2, 17, 5, 5}), real({17, 16, 3, 3}), real({16})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return conv_transpose2d(zeros({1, 2, 5, 5}), zeros({2, 3, 3}));
                    },
                    "conv_transpose2d: expected weight [C, O / groups, KH, KW], got shape"),
                throws<ShapeError>(
                    [] {
                      return conv_transpose2d(zeros({1, 3, 5, 5}), zeros({3, 2, 3, 3}), {},
                                              {.groups = 2});
                    },
                    "conv_transpose2d: 3 input channels do not divide into 2 groups"),
                throws<ShapeError>(
                    [] {
                      return conv_transpose2d(zeros({1, 2, 5, 5}), zeros({2, 3, 3, 3}), zeros({2}));
                    },
                    "conv_transpose2d: expected bias [3], got shape [2]")},
     .covers = {"conv_transpose2d_backward_data", "conv_transpose2d_backward_weight"},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv_transpose2d_all",
     .f =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           return conv_transpose2d(x, w, b,
                                   {.stride = {3, 2},
                                    .padding = {1, 0},
                                    .output_padding = {2, 1},
                                    .groups = 2,
                                    .dilation = {1, 2}});
         },
     .reference =
         [](const Array& x, const Array& w, const Array& b) {
           return transposed(x, w, b, {{3, 2}, {1, 0}, {1, 2}, {6, 8}, 2});
         },
     .inputs = {{real({2, 4, 2, 2}), real({4, 3, 3, 3}), real({6})}},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv_transpose2d_unbatched",
     .f = [](const Tensor& x, const Tensor& w) { return conv_transpose2d(x, w); },
     .reference =
         [](const Array& x, const Array& w) {
           Array batched = x;
           batched.shape.insert(0, 1);
           Array y = transposed(batched, w, Array::filled({w.shape[1]}, 0),
                                {{1, 1}, {0, 0}, {1, 1}, {4, 4}});
           y.shape.erase(0);
           return y;
         },
     .inputs = {{real({2, 3, 2}), real({2, 3, 2, 3})}}},
});

}  // namespace
