// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/nn/activations.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/moving_average.hpp>

#include "nn_test.hpp"

namespace {

using namespace xtape;
using nn::ExponentialMovingAverage;
using nn_test::check_values;
using nn_test::says;

void fill(nn::Module& module, double value) {
  const NoGrad guard;
  for (Tensor p : module.parameters()) p.fill_(value);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_moving_average)

BOOST_AUTO_TEST_CASE(averages_follow_and_are_exchanged) {
  nn::Linear layer(2, 1);
  const Tensor weight = layer.weight;
  fill(layer, 1);
  ExponentialMovingAverage average(layer, 0.75);
  fill(layer, 5);
  average.update();  // 0.75 * 1 + 0.25 * 5 = 2
  fill(layer, 6);
  average.update();  // 0.75 * 2 + 0.25 * 6 = 3
  BOOST_TEST(average.updates() == 2);
  average.swap();
  check_values(weight, {3, 3});
  BOOST_TEST(weight.requires_grad());
  average.swap();
  check_values(weight, {6, 6});
  check_values(average.state()[0].second, {3, 3});
}

BOOST_AUTO_TEST_CASE(other_layouts_and_dtypes_are_followed) {
  manual_seed(3);
  nn::Linear layer(3, 2), other(3, 2);
  layer.weight.set_data(randn({3, 2}).t());
  other.weight.set_data(layer.weight.detach().contiguous());
  ExponentialMovingAverage a(layer, 0.5), b(other, 0.5);
  other.weight.set_data(randn({2, 3}));
  layer.weight.set_data(other.weight.detach().contiguous());
  a.update();
  b.update();
  check_values(a.state()[0].second, nn_test::values(b.state()[0].second), 1e-7);
  layer.to(float64);
  a.update();
  b.update();
  check_values(a.state()[0].second, nn_test::values(b.state()[0].second), 1e-7);
}

BOOST_AUTO_TEST_CASE(states) {
  nn::Linear layer(2, 1);
  fill(layer, 4);
  ExponentialMovingAverage average(layer), other(layer);
  fill(layer, 8);
  average.update();
  const auto state = average.state();
  BOOST_TEST(state.back().first == "num_updates");
  other.load_state(state);
  BOOST_TEST(other.updates() == 1);
  check_values(other.state()[0].second, nn_test::values(state[0].second));
  other.update();
  BOOST_TEST(nn_test::values(state[0].second) != nn_test::values(other.state()[0].second));

  const auto refuses = [&](auto change, const std::string& text) {
    auto bad = state;
    change(bad);
    BOOST_CHECK_EXCEPTION(other.load_state(bad), Error, says(text));
    BOOST_TEST(other.updates() == 2);
  };
  refuses([](auto& s) { s.pop_back(); }, "load_state: num_updates is missing");
  refuses([](auto& s) { s[0].second = zeros({3}); },
          "weight: expected shape [1, 2], got float32 [3]");
  refuses([](auto& s) { s[1].second = zeros({1}, float64); }, "bias: expected float32");
  refuses([](auto& s) { s.emplace_back("more", zeros({1})); }, "1 entries too many");
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  const nn::Linear layer(2, 1);
  BOOST_CHECK_EXCEPTION(ExponentialMovingAverage(layer, 1.5), ValueError,
                        says("expected decay in [0, 1], got 1.5"));
  BOOST_CHECK_EXCEPTION(ExponentialMovingAverage{nn::ReLU()}, ValueError,
                        says("ReLU has no parameters"));
}

BOOST_AUTO_TEST_SUITE_END()
