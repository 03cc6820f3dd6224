// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/normalization.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

// (x - mean) / sqrt(var + eps) over `dims`, in recorded operations.
Tensor standardized(const Tensor& x, const Shape& dims, double eps) {
  const Tensor d = x - mean(x, dims, true);
  return d / sqrt(mean(square(d), dims, true) + eps);
}

// [C] beside [N, C, ...]
Tensor by_channel(const Tensor& v, const Tensor& x) {
  Shape shape = Shape::filled(x.dim(), 1);
  shape[1] = v.size(0);
  return v.reshape(shape);
}

Shape all_but_channels(const Tensor& x) {
  Shape dims{0};
  for (int i = 2; i < x.dim(); ++i) dims.push_back(i);
  return dims;
}

Tensor training_norm(const Tensor& x, const Tensor& w, const Tensor& b) {
  return batch_norm(x, {}, {}, w, b, {.training = true, .eps = 1e-3});
}

const Rows rows({
    {.name = "layer_norm",
     .f = [](const Tensor& x, const Tensor& w,
             const Tensor& b) { return layer_norm(x, w.shape(), w, b, 1e-3); },
     .reference =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           const Shape dims = w.dim() == 2 ? Shape{-2, -1} : Shape{-1};
           return standardized(x, dims, 1e-3) * w + b;
         },
     .inputs = {{real({3, 4}), real({4}), real({4})},
                {real({2, 3, 37}), real({37}), real({37})},
                {real({2, 3, 5}), real({3, 5}), real({3, 5})}},
     .tolerance32 = 5e-6,
     .errors = {throws<ShapeError>(
                    [] {
                      return layer_norm(zeros({2, 3}), {4});
                    },
                    "layer_norm: expected the last dimensions [4], got input of "
                    "shape [2, 3]"),
                throws<ShapeError>(
                    [] {
                      return layer_norm(zeros({2, 3}), {3}, zeros({2}));
                    },
                    "expected weight of shape [3], got [2]"),
                throws<DTypeError>(
                    [] {
                      return layer_norm(zeros({2, 3}, int64), {3});
                    },
                    "floating"),
                throws<DTypeError>(
                    [] {
                      return layer_norm(zeros({2, 3}), {3}, zeros({3}, float64));
                    },
                    "one dtype")},
     .without = {Check::undefined}},
    {.name = "layer_norm_plain",
     .f = [](const Tensor& x) { return layer_norm(x, {x.size(-1)}); },
     .reference = [](const Tensor& x) { return standardized(x, {-1}, 1e-5); },
     .inputs = {{real({5, 8})}},
     .tolerance32 = 5e-6,
     .without = {Check::undefined}},
    {.name = "rms_norm",
     .f = [](const Tensor& x, const Tensor& w) { return rms_norm(x, w.shape(), w, 1e-3); },
     .reference = [](const Tensor& x,
                     const Tensor& w) { return x / sqrt(mean(square(x), {-1}, true) + 1e-3) * w; },
     .inputs = {{real({3, 4}), real({4})}, {real({2, 3, 37}), real({37})}},
     .tolerance32 = 5e-6,
     .errors = {throws<ShapeError>(
         [] {
           return rms_norm(zeros({2, 3}), {});
         },
         "rms_norm: expected the last dimensions []")},
     .without = {Check::undefined}},
    {.name = "batch_norm",
     .f = training_norm,
     .reference =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           return standardized(x, all_but_channels(x), 1e-3) * by_channel(w, x) + by_channel(b, x);
         },
     .inputs = {{real({6, 3}), real({3}), real({3})},
                {real({70, 21}), real({21}), real({21})},
                {real({2, 3, 4, 5}), real({3}), real({3})},
                {real({3, 2, 19}), real({2}), real({2})}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>([] { return batch_norm(zeros({3}), {}, {}); },
                                   "batch_norm: expected input [N, C, ...], got [3]"),
                throws<ShapeError>(
                    [] {
                      return batch_norm(zeros({2, 3}), zeros({2}), ones({2}));
                    },
                    "expected running_mean of shape [3], got [2]"),
                throws<ValueError>(
                    [] {
                      return batch_norm(zeros({2, 3}), {}, {});
                    },
                    "running statistics are needed"),
                throws<ValueError>(
                    [] {
                      return batch_norm(zeros({1, 3}), {}, {}, {}, {}, {.training = true});
                    },
                    "expected more than 1 value per channel when training, got [1, 3]")},
     .without = {Check::undefined}},
    {.name = "batch_norm_fixed",
     .f =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           return batch_norm(x, tensor({1, -2, 0.5}, x.dtype()), tensor({2, 3, 0.5}, x.dtype()), w,
                             b);
         },
     .reference =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           const Tensor m = tensor({1, -2, 0.5}, x.dtype()), v = tensor({2, 3, 0.5}, x.dtype());
           return (x - by_channel(m, x)) / by_channel(sqrt(v + 1e-5), x) * by_channel(w, x) +
                  by_channel(b, x);
         },
     .inputs = {{real({6, 3}), real({3}), real({3})}, {real({2, 3, 4, 5}), real({3}), real({3})}},
     .tolerance32 = 5e-6,
     .without = {Check::undefined}},
    {.name = "instance_norm",
     .f = [](const Tensor& x, const Tensor& w,
             const Tensor& b) { return instance_norm(x, {}, {}, w, b, {.eps = 1e-3}); },
     .reference =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           return standardized(x, {2, 3}, 1e-3) * by_channel(w, x) + by_channel(b, x);
         },
     .inputs = {{real({2, 3, 4, 5}), real({3}), real({3})}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
         [] {
           return instance_norm(zeros({2, 3}));
         },
         "instance_norm: expected input [N, C, ...]")},
     .without = {Check::undefined}},
    {.name = "group_norm",
     .f = [](const Tensor& x, const Tensor& w,
             const Tensor& b) { return group_norm(x, 2, w, b, 1e-3); },
     .reference =
         [](const Tensor& x, const Tensor& w, const Tensor& b) {
           const Tensor z = standardized(reshape(x, {x.size(0), 2, -1}), {2}, 1e-3);
           return reshape(z, x.shape()) * by_channel(w, x) + by_channel(b, x);
         },
     .inputs = {{real({3, 4, 5}), real({4}), real({4})},
                {real({2, 6, 3, 2}), real({6}), real({6})}},
     .tolerance32 = 1e-5,
     .errors = {throws<ShapeError>(
         [] {
           return group_norm(zeros({2, 3, 4}), 2);
         },
         "C divisible by 2 groups, got [2, 3, 4]")},
     .without = {Check::undefined}},
    {.name = "local_response_norm",
     .f = [](const Tensor& x) { return local_response_norm(x, 3, 0.5, 0.6, 1.5); },
     .reference =
         [](const Array& x) {
           return made(x.shape, [&](Shape i) {
             const std::int64_t c = i[1];
             const long double v = at(x, i);
             long double sum = 0;
             for (std::int64_t j = c - 1; j <= c + 1; ++j) {
               if (j < 0 || j >= x.shape[1]) continue;
               i[1] = j;
               sum += at(x, i) * at(x, i);
             }
             return v / std::pow(1.5L + 0.5L / 3 * sum, 0.6L);
           });
         },
     .inputs = {{real({2, 4, 3})}, {real({2, 1})}},
     .errors = {throws<ShapeError>(
         [] {
           return local_response_norm(zeros({2, 3}), 0);
         },
         "a size of at least 1")}},
});

BOOST_AUTO_TEST_SUITE(normalization)

Tensor drawn(const Shape& shape, double phase, DType dtype) {
  std::vector<double> v(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = std::sin(phase + 1.7 * static_cast<double>(i));
  return from_values<double>(v, shape).to(dtype).detach().requires_grad_();
}

void check_both(const Tensor& y, const std::vector<Tensor>& inputs, double tolerance) {
  const Tensor loss = (y * drawn(y.shape(), 9, y.dtype()).detach()).sum();
  const auto fused = grad({loss}, inputs, {.retain_graph = true});
  const auto composed = grad({loss}, inputs, {.create_graph = true});
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Values a = elements(fused[k]), b = elements(composed[k]);
    double scale = 0;
    for (const double v : b) scale = std::max(scale, std::abs(v));
    for (std::size_t i = 0; i < a.size(); ++i) {
      BOOST_TEST(std::abs(a[i] - b[i]) <= tolerance * scale);
    }
  }
}

// The fused passes and the composed ones, over many rows and in every layout.
BOOST_AUTO_TEST_CASE(both_gradients_agree) {
  for (const DType dtype : {float64, float32}) {
    const double tolerance = dtype == float64 ? 1e-13 : 2e-5;
    const Tensor x = drawn({300, 67}, 0, dtype), w = drawn({67}, 1, dtype);
    const Tensor b = drawn({67}, 2, dtype);
    check_both(layer_norm(x, {67}, w, b), {x, w, b}, tolerance);
    check_both(rms_norm(x, {67}, w), {x, w}, tolerance);
    check_both(training_norm(x, w, b), {x, w, b}, tolerance);
    const Tensor image = drawn({3, 67, 9, 10}, 3, dtype);
    const Tensor last = drawn({3, 9, 10, 67}, 4, dtype);
    for (const Tensor& images : {image, last.permute({0, 3, 1, 2}), image.transpose(2, 3)}) {
      const Tensor y = training_norm(images, w, b);
      check_both(y, {images, w, b}, tolerance);
      check_both(batch_norm(images, w * w, b * b + 0.5, w, b), {images, w, b}, tolerance);
    }
  }
}

BOOST_AUTO_TEST_CASE(channels_last_stays_channels_last) {
  const Tensor x = drawn({2, 4, 5, 3}, 0, float32).permute({0, 3, 1, 2});
  const Tensor y = batch_norm(x, {}, {}, {}, {}, {.training = true});
  BOOST_TEST(y.strides()[1] == 1);
  const Tensor plain = batch_norm(x.contiguous(), {}, {}, {}, {}, {.training = true});
  const Values a = elements(y), b = elements(plain);
  for (std::size_t i = 0; i < a.size(); ++i) BOOST_TEST(std::abs(a[i] - b[i]) < 1e-5);
}

// No difference of large squares: what is left of a large constant is its deviation.
BOOST_AUTO_TEST_CASE(an_empty_batch_has_a_gradient) {
  Tensor w = ones({4}).requires_grad_(), b = zeros({4}).requires_grad_();
  group_norm(zeros({0, 4, 3}), 2, w, b).sum().backward();
  XTAPE_SAME(w.grad(), {0, 0, 0, 0});
  XTAPE_SAME(b.grad(), {0, 0, 0, 0});
}

BOOST_AUTO_TEST_CASE(one_value_has_no_variance) {
  BOOST_CHECK_EXCEPTION(instance_norm(zeros({2, 3, 1})), ValueError,
                        says("instance_norm: expected more than 1 value per channel and sample, "
                             "got [2, 3, 1]"));
}

BOOST_AUTO_TEST_CASE(large_means) {
  for (const Tensor& y : {layer_norm(full({2, 100}, 1e6), {100}),
                          batch_norm(full({100, 2}, 1e6), {}, {}, {}, {}, {.training = true})}) {
    for (const double v : elements(y)) BOOST_TEST(v == 0);
  }
  const Tensor x = drawn({100, 3}, 0, float32).detach(), far = x + 4096;
  const Tensor a = batch_norm(far - 4096, {}, {}, {}, {}, {.training = true});
  const Tensor b = batch_norm(far, {}, {}, {}, {}, {.training = true});
  const Values p = elements(a), q = elements(b);
  for (std::size_t i = 0; i < p.size(); ++i) BOOST_TEST(std::abs(p[i] - q[i]) < 1e-3);
}

BOOST_AUTO_TEST_CASE(running_statistics_move) {
  Tensor mean = zeros({2}, float64), var = ones({2}, float64);
  const Tensor x = tensor({{1, 2}, {3, 6}}, float64);
  static_cast<void>(batch_norm(x, mean, var, {}, {}, {.training = true, .momentum = 0.25}));
  XTAPE_SAME(mean, {0.5, 1});
  XTAPE_SAME(var, {0.75 + 0.25 * 2, 0.75 + 0.25 * 8});
  // What an evaluation saved stays right when they move on.
  const Tensor z = drawn({2, 2}, 0, float64);
  const Tensor y = batch_norm(z, mean, var);
  static_cast<void>(batch_norm(x, mean, var, {}, {}, {.training = true}));
  BOOST_CHECK_NO_THROW(y.sum().backward());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
