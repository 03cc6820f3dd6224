// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/nn/ctc.hpp>

#include <cmath>

#include "../autograd/rows.hpp"
#include "nn_test.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;
using nn::Reduction;
using nn_test::check_values;
using nn_test::says;

Tensor numbers(std::initializer_list<double> values) { return tensor(values, int64); }

// What a path of classes spells, repeats merged and blanks (0) taken out, and its probability: all
// paths are tried.
long double probability(const Array& x, std::int64_t n, std::int64_t steps,
                        const std::vector<std::int64_t>& label) {
  const std::int64_t classes = x.shape[2];
  std::int64_t paths = 1;
  for (std::int64_t t = 0; t < steps; ++t) paths *= classes;
  long double total = 0;
  for (std::int64_t path = 0; path < paths; ++path) {
    std::vector<std::int64_t> spelt;
    long double sum = 0;
    std::int64_t before = -1;
    for (std::int64_t t = 0, rest = path; t < steps; ++t, rest /= classes) {
      const std::int64_t c = rest % classes;
      if (c != 0 && c != before) spelt.push_back(c);
      sum += x(t, n, c);
      before = c;
    }
    if (spelt == label) total += std::exp(sum);
  }
  return total;
}

const Rows rows({
    {.name = "ctc_loss",
     .f =
         [](const Tensor& x) {
           const Tensor labels = tensor({{1, 2}, {1, 1}, {2, 0}}, int64);
           return nn::ctc_loss(x, labels, numbers({5, 4, 3}), numbers({2, 2, 1}),
                               {.reduction = Reduction::none});
         },
     .reference =
         [](const Array& x) {
           Array y = Array::filled({3}, 0);
           y(0) = -std::log(probability(x, 0, 5, {1, 2}));
           y(1) = -std::log(probability(x, 1, 4, {1, 1}));
           y(2) = -std::log(probability(x, 2, 3, {2}));
           return y;
         },
     .inputs = {{real({5, 3, 3})}},
     .errors =
         {throws<ShapeError>(
              [] { return nn::ctc_loss(zeros({4}), numbers({1}), numbers({4}), numbers({1})); },
              "ctc_loss: expected log_probs [T, N, C] or [T, C], got [4]"),
          throws<DTypeError>(
              [] {
                return nn::ctc_loss(zeros({4, 1, 3}), ones({1, 1}), numbers({4}), numbers({1}));
              },
              "ctc_loss: expected int64 targets, got float32 [1, 1]"),
          throws<IndexError>(
              [] {
                return nn::ctc_loss(zeros({4, 1, 3}), numbers({3}), numbers({4}), numbers({1}));
              },
              "ctc_loss: class 3 is blank or out of range for 3 classes"),
          throws<IndexError>(
              [] {
                return nn::ctc_loss(zeros({4, 1, 3}), numbers({0}), numbers({4}), numbers({1}));
              },
              "ctc_loss: class 0 is blank"),
          throws<IndexError>(
              [] {
                return nn::ctc_loss(zeros({4, 1, 3}), numbers({1}), numbers({4}), numbers({1}),
                                    {.blank = 3});
              },
              "ctc_loss: blank 3 is out of range for 3 classes"),
          throws<ValueError>(
              [] {
                return nn::ctc_loss(zeros({4, 1, 3}), numbers({1}), numbers({5}), numbers({1}));
              },
              "ctc_loss: input_lengths: 5 is not in [1, 4]"),
          throws<ShapeError>(
              [] {
                return nn::ctc_loss(zeros({4, 2, 3}), numbers({1}), numbers({4, 4}),
                                    numbers({1, 1}));
              },
              "ctc_loss: expected targets [2, S] or [2], the sum of target_lengths, got [1]"),
          throws<ShapeError>(
              [] {
                return nn::ctc_loss(zeros({4, 2, 3}), numbers({1, 1}), numbers({4}),
                                    numbers({1, 1}));
              },
              "ctc_loss: expected input_lengths [2], got [1]")},
     // Logarithms of probabilities are finite where there is a gradient.
     .without = {Check::nonfinite, Check::extremes}},
});

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_ctc)

// The fused pass and the composed one that is taken where the gradient's own graph is wanted.
BOOST_AUTO_TEST_CASE(both_forms_agree) {
  manual_seed(4);
  Tensor x = randn({12, 4, 6}, float64).requires_grad_();
  const Tensor logs = log_softmax(x, 2);
  const Tensor labels = randint(1, 6, {4, 5});
  const Tensor steps = numbers({12, 11, 9, 12}), lengths = numbers({5, 1, 0, 3});
  const Tensor fused = nn::ctc_loss(logs, labels, steps, lengths, {.reduction = Reduction::none});
  const Tensor composed = nn::detail::composed_ctc(logs, labels, steps, lengths, 0);
  check_values(fused, nn_test::values(composed), 1e-13);
  const Tensor seed = tensor({1, -2, 0.5, 3}, float64);
  const auto gradient = [&](const Tensor& y, bool create_graph) {
    return grad({y}, {x},
                {.grad_outputs = {seed}, .retain_graph = true, .create_graph = create_graph})[0];
  };
  check_values(gradient(fused, false), nn_test::values(gradient(composed, false)), 1e-13);
  check_values(gradient(fused, false), nn_test::values(gradient(fused, true)), 1e-13);
}

// Beyond a target's length may stand what is no class.
BOOST_AUTO_TEST_CASE(targets_padded_by_other_numbers) {
  manual_seed(5);
  Tensor x = randn({6, 2, 4}, float64).requires_grad_();
  int calls = 0;
  const Tensor logs = log_softmax(x, 2);
  Tensor(logs).register_hook([&](const Tensor&) { ++calls; });
  const auto gradient = [&](double padding, bool create_graph) {
    const Tensor y = nn::ctc_loss(logs, numbers({1, padding, 1, 2}).reshape({2, 2}),
                                  numbers({6, 6}), numbers({1, 2}));
    return grad({y}, {x}, {.retain_graph = true, .create_graph = create_graph})[0].detach();
  };
  const auto expected = nn_test::values(gradient(0, false));
  check_values(gradient(-1, false), expected);
  check_values(gradient(-1, true), expected, 1e-13);
  check_values(gradient(99, true), expected, 1e-13);
  BOOST_TEST(calls == 4);
}

BOOST_AUTO_TEST_CASE(labels_that_do_not_fit) {
  Tensor x = zeros({2, 2, 3}).requires_grad_();
  const Tensor labels = tensor({{1, 1}, {1, 2}}, int64);  // the first needs a blank between
  const auto loss = [&](bool zero) {
    return nn::ctc_loss(log_softmax(x, 2), labels, numbers({2, 2}), numbers({2, 2}),
                        {.reduction = Reduction::none, .zero_infinity = zero});
  };
  const auto values = nn_test::values(loss(false));
  BOOST_TEST(std::isinf(values[0]));
  BOOST_TEST(std::abs(values[1] - 2 * std::log(3.0)) < 1e-6);
  BOOST_TEST(nn_test::values(loss(true))[0] == 0);
  for (const bool create_graph : {false, true}) {
    const Tensor g = grad({loss(true).sum()}, {x}, {.create_graph = create_graph})[0];
    const auto numbers = nn_test::values(g);
    for (std::size_t i : {0, 1, 2, 6, 7, 8}) BOOST_TEST(numbers[i] == 0);
    BOOST_TEST(std::abs(numbers[4] + 2.0 / 3) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(one_sample_without_a_batch) {
  manual_seed(4);
  const Tensor x = log_softmax(randn({6, 4}), 1);
  const Tensor alone = nn::ctc_loss(x, numbers({1, 3}), numbers({6})[0], numbers({2})[0]);
  const Tensor batch =
      nn::ctc_loss(x.unsqueeze(1), tensor({{1, 3}}, int64), numbers({6}), numbers({2}));
  BOOST_TEST(alone.dim() == 0);
  check_values(alone, nn_test::values(batch));
}

BOOST_AUTO_TEST_SUITE_END()
