// SPDX-License-Identifier: BSD-3-Clause
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

std::int64_t fits(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                  std::int64_t dilation) {
  return (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

// The definition, sum by sum; `bias` may be null.
Array convolved(const Array& x, const Array& w, const Array* bias, const Conv2dOptions& o) {
  const std::int64_t height = x.shape[2], width = x.shape[3], channels = w.shape[1];
  const std::int64_t outputs = w.shape[0] / o.groups;
  const Shape shape{x.shape[0], w.shape[0],
                    fits(height, w.shape[2], o.stride.height, o.padding.height, o.dilation.height),
                    fits(width, w.shape[3], o.stride.width, o.padding.width, o.dilation.width)};
  return made(shape, [&](const Shape& i) {
    long double sum = bias ? bias->values[static_cast<std::size_t>(i[1])] : 0;
    const std::int64_t first = i[1] / outputs * channels;
    each_index({channels, w.shape[2], w.shape[3]}, [&](const Shape& k) {
      const std::int64_t row = i[2] * o.stride.height - o.padding.height + k[1] * o.dilation.height;
      const std::int64_t column = i[3] * o.stride.width - o.padding.width + k[2] * o.dilation.width;
      if (row < 0 || row >= height || column < 0 || column >= width) return;
      sum += at(x, {i[0], first + k[0], row, column}) * at(w, {i[1], k[0], k[1], k[2]});
    });
    return sum;
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

constexpr Conv2dOptions kPlain{};
constexpr Conv2dOptions kStrided{.stride = {2, 1}, .padding = {1, 2}};
constexpr Conv2dOptions kDilated{.padding = 2, .dilation = {1, 2}};
constexpr Conv2dOptions kGrouped{.stride = 2, .padding = 1, .groups = 2};
constexpr Conv2dOptions kDepthwise{.padding = 1, .groups = 3};

// A row with bias for one set of options.
template <const Conv2dOptions& o>
Tensor with_bias(const Tensor& x, const Tensor& w, const Tensor& b) {
  return conv2d(x, w, b, o);
}
template <const Conv2dOptions& o>
Array reference(const Array& x, const Array& w, const Array& b) {
  return convolved(x, w, &b, o);
}

const Rows rows({
    {.name = "conv2d",
     .f = with_bias<kPlain>,
     .reference = reference<kPlain>,
     .inputs = {{real({2, 3, 5, 4}), real({4, 3, 3, 2}), real({4})},
                {real({1, 1, 3, 3}), real({1, 1, 3, 3}), real({1})},
                {real({2, 3, 3, 4}), real({2, 3, 1, 1}), real({2})},
                {real({0, 3, 5, 4}), real({4, 3, 3, 2}), real({4})}},
     .errors = {throws<ShapeError>(
                    [] {
                      return conv2d(zeros({5, 5}), zeros({1, 1, 3, 3}));
                    },
                    "conv2d: expected input [N, C, H, W] or [C, H, W], got shape [5, 5]"),
                throws<ShapeError>(
                    [] {
                      return conv2d(zeros({1, 1, 5, 5}), zeros({1, 3, 3}));
                    },
                    "conv2d: expected weight [O, C / groups, KH, KW], got shape [1, 3, 3]"),
                throws<ShapeError>(
                    [] {
                      return conv2d(zeros({1, 2, 5, 5}), zeros({4, 3, 3, 3}));
                    },
                    "conv2d: expected 3 input channels, got input of shape [1, 2, 5, 5]"),
                throws<ShapeError>(
                    [] {
                      return conv2d(zeros({1, 4, 5, 5}), zeros({3, 2, 3, 3}), {}, {.groups = 2});
                    },
                    "conv2d: 3 output channels do not divide into 2 groups"),
                throws<ShapeError>(
                    [] {
                      return conv2d(zeros({1, 1, 5, 5}), zeros({2, 1, 3, 3}), zeros({3}));
                    },
                    "conv2d: expected bias [2], got shape [3]"),
                throws<ShapeError>(
                    [] {
                      return conv2d(zeros({1, 1, 2, 5}), zeros({1, 1, 3, 3}));
                    },
                    "conv2d: the kernel [3, 3] does not fit the padded input of shape"),
                throws<ValueError>(
                    [] {
                      return conv2d(zeros({1, 1, 5, 5}), zeros({1, 1, 3, 3}), {}, {.stride = 0});
                    },
                    "conv2d: stride, dilation and groups are at least 1, padding at least 0"),
                throws<DTypeError>(
                    [] {
                      return conv2d(zeros({1, 1, 5, 5}), zeros({1, 1, 3, 3}, float64));
                    },
                    "conv2d: expected one floating dtype, got input float32, weight"),
                throws<DTypeError>(
                    [] {
                      return conv2d(zeros({1, 1, 5, 5}, int64), zeros({1, 1, 3, 3}, int64));
                    },
                    "conv2d: expected one floating dtype, got input int64")},
     .covers = {"conv2d_backward_data", "conv2d_backward_weight"},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv2d_no_bias",
     .f = [](const Tensor& x, const Tensor& w) { return conv2d(x, w); },
     .reference = [](const Array& x, const Array& w) { return convolved(x, w, nullptr, kPlain); },
     .inputs = {{real({2, 3, 5, 4}), real({4, 3, 3, 2})},
                {real({2, 2, 9, 20}), real({17, 2, 3, 3})}}},
    {.name = "conv2d_strided",
     .f = with_bias<kStrided>,
     .reference = reference<kStrided>,
     .inputs = {{real({2, 2, 6, 5}), real({3, 2, 3, 3}), real({3})}},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv2d_dilated",
     .f = with_bias<kDilated>,
     .reference = reference<kDilated>,
     .inputs = {{real({2, 2, 5, 6}), real({3, 2, 2, 3}), real({3})}},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv2d_grouped",
     .f = with_bias<kGrouped>,
     .reference = reference<kGrouped>,
     .inputs = {{real({2, 4, 5, 5}), real({6, 2, 3, 3}), real({6})}},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv2d_depthwise",
     .f = with_bias<kDepthwise>,
     .reference = reference<kDepthwise>,
     .inputs = {{real({2, 3, 5, 5}), real({3, 1, 3, 3}), real({3})}},
     .without = {Check::undefined}},  // the bias may be undefined
    {.name = "conv2d_unbatched",
     .f = [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {}, kStrided); },
     .reference =
         [](const Array& x, const Array& w) {
           return unbatched(convolved(batched(x), w, nullptr, kStrided));
         },
     .inputs = {{real({2, 6, 5}), real({3, 2, 3, 3})}}},
});

BOOST_AUTO_TEST_SUITE(convolution)

// Large enough for every engine, in float32, with gradients, against the loops.
BOOST_AUTO_TEST_CASE(of_real_size) {
  Tensor x = empty({3, 16, 14, 15}), w = empty({32, 16, 3, 3}), b = empty({32});
  for (const Tensor* t : {&x, &w, &b}) {
    float* data = xtape::detail::fresh_data<float>(*t);
    for (std::int64_t i = 0; i < t->numel(); ++i) {
      data[i] = static_cast<float>(std::sin(0.37 * static_cast<double>(i)));
    }
  }
  x.requires_grad_(), w.requires_grad_(), b.requires_grad_();
  const Conv2dOptions o{.padding = 1};
  const Tensor y = conv2d(x, w, b, o);
  const Array bias = to_array(b), expected = convolved(to_array(x), to_array(w), &bias, o);
  const Array got = to_array(y);
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    BOOST_TEST_REQUIRE(std::abs(got.values[i] - expected.values[i]) < 5e-5L);
  }
  (y * y).sum().backward();
  // The same in float64, where the rows have shown the gradients right.
  const Tensor dx = to_tensor(to_array(x)).requires_grad_();
  const Tensor dw = to_tensor(to_array(w)).requires_grad_();
  const Tensor db = to_tensor(to_array(b)).requires_grad_();
  const Tensor dy = conv2d(dx, dw, db, o);
  (dy * dy).sum().backward();
  const auto close = [](const Tensor& a, const Tensor& e) {
    const Values p = elements(a), q = elements(e);
    double largest = 0, worst = 0;
    for (std::size_t i = 0; i < q.size(); ++i) {
      largest = std::max(largest, std::abs(q[i]));
      worst = std::max(worst, std::abs(p[i] - q[i]));
    }
    return worst <= 5e-6 * largest;
  };
  BOOST_TEST(close(x.grad(), dx.grad()));
  BOOST_TEST(close(w.grad(), dw.grad()));
  BOOST_TEST(close(b.grad(), db.grad()));
}

// y is bilinear, so the sum of y^3 has derivatives of every order: the third along one direction.
BOOST_AUTO_TEST_CASE(third_derivative) {
  const Tensor x = leaf({1, 2, 3, 4}), k = leaf({0.5, -1});
  const Tensor y = conv2d(x.view({1, 1, 1, 4}), k.view({1, 1, 1, 2}));
  const Tensor z = (y * y * y).sum();
  Tensor g = z;
  for (int order = 0; order < 3; ++order) {
    g = grad({g.sum()}, {x}, {.create_graph = true})[0];
  }
  // y_i = x_i / 2 - x_(i+1); d = (1, 1, 1, 1) moves each y by -1/2; here each derivative sums the
  // last one's gradient over x, so the result is d^2/dd^2 of dz/dx.
  Values expected(4, 0.0);
  const double move = -0.5;
  for (int i = 0; i < 3; ++i) {
    expected[static_cast<std::size_t>(i)] += 6 * move * move * 0.5;
    expected[static_cast<std::size_t>(i) + 1] += 6 * move * move * -1.0;
  }
  BOOST_TEST(elements(g) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
