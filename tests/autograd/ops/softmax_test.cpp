// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/ops/softmax.hpp>

#include "../expect.hpp"
#include "../rows.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;
using xtape::detail::cross_entropy;

// log softmax along `dim`; NaN wherever there is one, or no finite largest element.
Array log_softmax_of(const Array& x, int dim) {
  if (x.shape.rank() == 0) return made({}, [&](const Shape& i) { return at(x, i) - at(x, i); });
  return made(x.shape, [&](Shape i) {
    const long double v = at(x, i);
    long double top = -std::numeric_limits<long double>::infinity(), sum = 0;
    for (i[dim] = 0; i[dim] < x.shape[dim]; ++i[dim]) top = std::fmax(top, at(x, i));
    for (i[dim] = 0; i[dim] < x.shape[dim]; ++i[dim]) sum += std::exp(at(x, i) - top);
    return v - top - std::log(sum);
  });
}

Array exponential(Array x) {
  for (long double& v : x.values) v = std::exp(v);
  return x;
}

// Losses of input [N, C, ...] and target [N, ...], the position of the classes being `dim`.
Array losses_of(const Array& x, const Array& target, int dim, double smoothing,
                std::int64_t ignored) {
  const Array log_p = log_softmax_of(x, dim);
  return made(target.shape, [&](Shape i) -> long double {
    const auto label = static_cast<std::int64_t>(at(target, i));
    if (label == ignored) return 0;
    const std::int64_t classes = x.shape[dim];
    i.insert(dim, label);
    long double loss = -(1 - static_cast<long double>(smoothing)) * at(log_p, i);
    for (i[dim] = 0; i[dim] < classes; ++i[dim]) {
      loss -=
          static_cast<long double>(smoothing) / static_cast<long double>(classes) * at(log_p, i);
    }
    return loss;
  });
}

const Rows rows({
    {.name = "softmax",
     .f = [](const Tensor& x) { return softmax(x, -1); },
     .reference = [](const Array& x) { return exponential(log_softmax_of(x, x.shape.rank() - 1)); },
     .inputs = {{real({3, 4})}, {real({2, 3, 40})}},
     .any_shape = true,
     .errors = {throws<DTypeError>([] { return softmax(zeros({2}, int64), 0); }, "floating"),
                throws<IndexError>([] { return softmax(zeros({2}), 1); }, "expected dim in")}},
    {.name = "softmax_far",
     .f = [](const Tensor& x) { return softmax(x, -1); },
     .reference = [](const Array& x) { return exponential(log_softmax_of(x, 1)); },
     .inputs = {{real({3, 4}, -400, 400)}},
     // Where y is about 1, its gradient is what is left of g - g y.
     .without = {Check::float32_grads, Check::layouts, Check::nonzero}},
    {.name = "softmax_outer",
     .f = [](const Tensor& x) { return softmax(x, 1); },
     .reference = [](const Array& x) { return exponential(log_softmax_of(x, 1)); },
     .inputs = {{real({3, 4})}, {real({2, 5, 3})}, {real({2, 3, 40})}, {real({2, 0, 3})}}},
    {.name = "softmin",
     .f = [](const Tensor& x) { return softmin(x, 1); },
     .reference =
         [](Array x) {
           for (long double& v : x.values) v = -v;
           return exponential(log_softmax_of(x, 1));
         },
     .inputs = {{real({3, 4})}},
     .errors = {throws<DTypeError>([] { return softmin(zeros({2}, int64), 0); }, "floating")}},
    {.name = "gumbel_softmax",
     .kind = Kind::random,
     .f = [](const Tensor& x) { return gumbel_softmax(x, 0.75); },
     .inputs = {{real({3, 4})}, {real({2, 3, 5})}},
     .statistics = [](const Tensors& y) -> std::string {
       const Array p = to_array(y[0]);
       const auto classes = static_cast<std::size_t>(p.shape.back());
       for (std::size_t row = 0; row < p.values.size(); row += classes) {
         long double sum = 0;
         for (std::size_t k = 0; k < classes; ++k) sum += p.values[row + k];
         if (std::abs(sum - 1) > 1e-5L) return "a row does not add up to 1";
       }
       return {};
     },
     .errors = {throws<ValueError>([] { return gumbel_softmax(zeros({2}), 0); }, "tau > 0"),
                throws<DTypeError>([] { return gumbel_softmax(zeros({2}, int64)); }, "floating")}},
    {.name = "log_softmax",
     .f = [](const Tensor& x) { return log_softmax(x, -1); },
     .reference = [](const Array& x) { return log_softmax_of(x, x.shape.rank() - 1); },
     .inputs = {{real({3, 4})}, {real({2, 3, 40})}, {real({3, 4}, -400, 400)}},
     .any_shape = true,
     .errors = {throws<DTypeError>([] { return log_softmax(zeros({2}, int64), 0); }, "floating")}},
    {.name = "log_softmax_outer",
     .f = [](const Tensor& x) { return log_softmax(x, 0); },
     .reference = [](const Array& x) { return log_softmax_of(x, 0); },
     .inputs = {{real({3, 4})}, {real({5, 2, 3})}, {real({3, 40})}}},
    {.name = "cross_entropy",
     .f = [](const Tensor& x, const Tensor& labels) { return cross_entropy(x, labels); },
     .reference =
         [](const Array& x, const Array& labels) {
           return losses_of(x, labels, x.shape.rank() > 1 ? 1 : 0, 0, -100);
         },
     .inputs = {{real({3, 4}), integer({3}, 0, 4)},
                {real({2, 50}), integer({2}, 0, 50)},
                {real({2, 3, 5}), integer({2, 5}, 0, 3)},
                {real({2, 3, 4, 5}), integer({2, 4, 5}, 0, 3)},
                {real({4}), given({}, {2}, int64)},
                {real({3, 4}, -400, 400), integer({3}, 0, 4)}},
     .errors = {throws<IndexError>(
                    [] {
                      return cross_entropy(zeros({2, 10}), tensor({0, 10}, int64));
                    },
                    "cross_entropy: label 10 is out of range for 10 classes"),
                throws<IndexError>(
                    [] {
                      return cross_entropy(zeros({1, 3}), tensor({-1}, int64));
                    },
                    "label -1"),
                throws<ShapeError>(
                    [] {
                      return cross_entropy(zeros({0, 3}), zeros({0}, int64));
                    },
                    "empty batch"),
                throws<ShapeError>(
                    [] {
                      return cross_entropy(zeros({2, 3}), zeros({3}, int64));
                    },
                    "got [2, 3] and [3]"),
                throws<DTypeError>(
                    [] {
                      return cross_entropy(zeros({2, 3}), zeros({2}));
                    },
                    "int64"),
                throws<ValueError>(
                    [] {
                      return cross_entropy(zeros({1, 3}), zeros({1}, int64), -100, 1.5);
                    },
                    "label_smoothing")}},
    {.name = "cross_entropy_smoothed",
     .f = [](const Tensor& x, const Tensor& labels) { return cross_entropy(x, labels, 1, 0.1); },
     .reference = [](const Array& x,
                     const Array& labels) { return losses_of(x, labels, 1, 0.1, 1); },
     .inputs = {{real({5, 3}), given({5}, {0, 1, 2, 2, 1}, int64)},
                {real({2, 3, 4}), given({2, 4}, {0, 1, 2, 0, 1, 1, 2, 0}, int64)}}},
});

BOOST_AUTO_TEST_SUITE(softmax_family)

BOOST_AUTO_TEST_CASE(rows_of_minus_infinity) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const std::int64_t n : {3, 40}) {
    for (const Tensor& y : {softmax(full({n}, -infinity), 0), log_softmax(full({n}, -infinity), 0),
                            softmax(full({n, 20}, -infinity), 0).flatten()}) {
      for (const double v : elements(y)) BOOST_TEST(std::isnan(v));
    }
  }
  BOOST_TEST((elements(softmax(tensor({-infinity, 0, 0}), 0)) == Values{0, 0.5, 0.5}));
}

BOOST_AUTO_TEST_CASE(large_logits) {
  const Tensor x = tensor({10000, 10000, 9999}, float32);
  BOOST_CHECK_CLOSE(elements(log_softmax(x, 0))[0], -std::log(2 + std::exp(-1.0)), 1e-5);
  const Tensor y = cross_entropy(x.view({1, 3}), tensor({2}, int64));
  BOOST_CHECK_CLOSE(y.item<double>(), 1 + std::log(2 + std::exp(-1.0)), 1e-5);
}

BOOST_AUTO_TEST_CASE(in_another_dtype) {
  const Tensor x = tensor({1, 3}, int64), y = x.to(float64);
  XTAPE_SAME(softmax(x, 0, float64) - softmax(y, 0), {0, 0});
  XTAPE_SAME(log_softmax(x, 0, float64) - log_softmax(y, 0), {0, 0});
  XTAPE_SAME(softmin(x, 0, float64) - softmin(y, 0), {0, 0});
  const Tensor z = tensor({1, 3}, float32).requires_grad_();
  softmax(z, 0, float64)[0].backward();
  BOOST_TEST((z.grad().dtype() == float32));
}

BOOST_AUTO_TEST_CASE(channels_last_stays_channels_last) {
  const Tensor x = ones({2, 4, 4, 3}).permute({0, 3, 1, 2});
  BOOST_TEST(softmax(x, 1).strides()[1] == 1);
}

// The fused pass and the composed one that is taken where the gradient's own graph is wanted.
BOOST_AUTO_TEST_CASE(both_gradients_of_cross_entropy_agree) {
  Tensor base = empty({4, 7, 3}, float64);
  double* data = xtape::detail::fresh_data<double>(base);
  for (std::int64_t i = 0; i < base.numel(); ++i) data[i] = std::sin(static_cast<double>(i));
  const Tensor labels = full({4, 3}, 5, int64);
  for (const Tensor& memory : {base, base.permute({0, 2, 1}).contiguous().permute({0, 2, 1})}) {
    const Tensor x = memory.detach().requires_grad_();
    const Tensor y = cross_entropy(x, labels, -100, 0.2).mean();
    const Values fused = elements(grad({y}, {x}, {.retain_graph = true})[0]);
    const Values composed = elements(grad({y}, {x}, {.create_graph = true})[0]);
    for (std::size_t i = 0; i < fused.size(); ++i) {
      BOOST_TEST(std::abs(fused[i] - composed[i]) < 1e-15);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
