// SPDX-License-Identifier: BSD-3-Clause
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/tape.hpp>
#include <xtape/nn/activations.hpp>
#include <xtape/nn/attention.hpp>
#include <xtape/nn/containers.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/module_hooks.hpp>
#include <xtape/nn/recurrent.hpp>
#include <xtape/nn/recurrent_cells.hpp>
#include <xtape/nn/summary.hpp>

#include "nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::check_values;

struct Net : nn::Module {
  nn::Linear a{2, 3}, b{3, 1};
  XTAPE_PARTS(a, b)
  Tensor forward(const Tensor& x) override { return b(relu(a(x))); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_module_hooks)

BOOST_AUTO_TEST_CASE(called_in_order_while_they_live) {
  Net net;
  const Tensor x = ones({4, 2});
  std::vector<std::string> calls;
  const auto note = [&](const char* who) {
    return [&calls, who](nn::Module& m, const Tensor& y) {
      calls.push_back(who + m.type_name() + to_string(y.sizes()));
    };
  };
  using Calls = std::vector<std::string>;
  {
    const nn::ForwardHook whole(net, note("1 "));
    std::optional<nn::ForwardHook> first;
    first.emplace(net.a, note("2 "));
    const nn::ForwardHook again(net.a, note("3 "));
    net(x);
    BOOST_TEST((calls == Calls{"2 Linear[4, 3]", "3 Linear[4, 3]", "1 Net[4, 1]"}));
    calls.clear();
    first.reset();  // not the newest one
    net(x);
    BOOST_TEST((calls == Calls{"3 Linear[4, 3]", "1 Net[4, 1]"}));
    calls.clear();
    std::thread([&] { net(x); }).join();  // hooks are of their thread
    BOOST_TEST(calls.empty());
  }
  net(x);
  BOOST_TEST(calls.empty());
}

BOOST_AUTO_TEST_CASE(sees_the_result_itself) {
  nn::Sequential net(nn::Linear(2, 3), nn::ReLU(), nn::Linear(3, 1));
  Tensor hidden;
  const nn::ForwardHook hook(*net.children()[1], [&](nn::Module&, const Tensor& y) { hidden = y; });
  const Tensor y = net(ones({4, 2}));
  BOOST_TEST((hidden.shape() == Shape{4, 3}));
  hidden.retain_grad();
  y.sum().backward();
  BOOST_TEST(hidden.grad().defined());
}

BOOST_AUTO_TEST_CASE(gradients_of_results) {
  Net net;
  const Tensor x = ones({4, 2});
  std::vector<Tensor> seen;
  net(x).sum().backward();
  const Tensor plain = net.a.weight.grad();
  net.zero_grad();
  Tensor loss;
  {
    const nn::BackwardHook watch(net.b, [&](nn::Module& m, const Tensor& g) {
      BOOST_TEST((&m == &net.b));
      seen.push_back(g);
    });
    const nn::BackwardHook twice(net.b, [](nn::Module&, const Tensor& g) { return 2 * g; });
    loss = net(x).sum();
    const NoGrad no_grad;
    net(x);  // nothing to hook on
  }
  loss.backward();  // hooked when it was called
  BOOST_TEST_REQUIRE(seen.size() == 1u);
  check_values(seen[0], {1, 1, 1, 1});
  const Tensor apart = amax(abs(net.a.weight.grad() - 2 * plain));
  BOOST_TEST(apart.item<double>() == 0);
}

BOOST_AUTO_TEST_CASE(of_several_results_the_output_or_the_state) {
  nn::LSTM lstm(2, 3);
  nn::GRU gru(2, 3);
  nn::LSTMCell cell(2, 3);
  nn::MultiheadAttention attention(2, 1);
  const Tensor x = ones({4, 1, 2});
  std::vector<Shape> seen;
  const auto note = [&](nn::Module&, const Tensor& y) { seen.push_back(y.shape()); };
  const nn::ForwardHook a(lstm, note), b(gru, note), c(cell, note), d(attention, note);
  lstm(x);
  gru(x);
  cell(x[{0}], {});
  attention(x, x, x);
  BOOST_TEST((seen == std::vector<Shape>{{4, 1, 3}, {4, 1, 3}, {1, 3}, {4, 1, 2}}));
  Tensor gradient;
  const nn::BackwardHook back(lstm, [&](nn::Module&, const Tensor& g) { gradient = g; });
  lstm(x).output.sum().backward();
  BOOST_TEST((gradient.shape() == Shape{4, 1, 3}));
}

BOOST_AUTO_TEST_CASE(hooks_within_hooks_and_beside_a_summary) {
  Net net;
  int inner_calls = 0, outer_calls = 0;
  std::optional<nn::ForwardHook> inner;
  const nn::ForwardHook outer(net.a, [&](nn::Module&, const Tensor&) {
    ++outer_calls;
    inner.emplace(net.b, [&](nn::Module&, const Tensor&) { ++inner_calls; });
  });
  net(ones({1, 2}));
  net(ones({1, 2}));
  BOOST_TEST(outer_calls == 2);
  BOOST_TEST(inner_calls == 2);
  inner.reset();
  nn::summary(net, ones({1, 2}));
  net(ones({1, 2}));
  BOOST_TEST(outer_calls >= 3);
}

BOOST_AUTO_TEST_SUITE_END()
