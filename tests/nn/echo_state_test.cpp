// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/gradcheck.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/logic.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/matmul.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/nn/containers.hpp>
#include <xtape/nn/echo_state.hpp>
#include <xtape/nn/losses.hpp>
#include <xtape/nn/state.hpp>
#include <xtape/optim/adam.hpp>

#include <cmath>
#include <limits>
#include <set>

#include "modules.hpp"

namespace {

using namespace xtape;
using namespace nn_test;

constexpr nn::ReservoirOptions kSmall{
    .spectral_radius = 0.8, .leak = 0.3, .connections = 4, .dtype = float64};

// Two sines, as [n, 1].
Tensor waves(std::int64_t n) {
  const Tensor t = arange(0, n, 1, float64);
  return (0.5 * (sin(0.2 * t) + sin(0.311 * t))).unsqueeze(1);
}

// |A^k|^(1/k) with k = 2^30.
double gelfand(Tensor a) {
  double log_radius = 0;
  for (int i = 0; i < 30; ++i) {
    const double size = norm(a).item<double>();
    log_radius += std::log(size) * std::pow(0.5, i);
    a = matmul(a / size, a / size);
  }
  return std::exp(log_radius);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_echo_state)

BOOST_AUTO_TEST_CASE(spectral_radius) {
  manual_seed(1);
  const auto near = [](double got, double expected) {
    BOOST_TEST(std::abs(got - expected) < 1e-9 * std::abs(expected),
               "got " << got << ", expected " << expected);
  };
  near(nn::spectral_radius(full({1, 1}, -3, float64)), 3);
  near(nn::spectral_radius(tensor({{1, 5}, {-5, 1}}, float64)), std::sqrt(26.0));  // 1 +- 5i
  near(nn::spectral_radius(tensor({{2, 1}, {0, -2}}, float64)), 2);
  near(nn::spectral_radius(tensor({{2, 0, 0}, {0, 2, 0}, {0, 0, 1}}, float64)), 2);
  BOOST_TEST(nn::spectral_radius(tensor({{0, 1}, {0, 0}}, float64)) < 1e-9);
  BOOST_TEST(nn::spectral_radius(zeros({2, 2})) == 0);
  for (const std::int64_t n : {30, 100, 300}) {
    const Tensor a = randn({n, n}, float64);
    const double radius = nn::spectral_radius(a);
    BOOST_TEST(std::abs(radius / gelfand(a) - 1) < (n > 100 ? 1e-3 : 1e-6), "of " << n << " rows");
  }
  BOOST_CHECK_EXCEPTION(nn::spectral_radius(ones({2, 3})), ShapeError,
                        says("spectral_radius: expected a square matrix, got [2, 3]"));
  BOOST_CHECK_THROW(nn::spectral_radius(full({2, 2}, std::numeric_limits<double>::quiet_NaN())),
                    ValueError);
}

BOOST_AUTO_TEST_CASE(reservoir_is_what_was_asked_for) {
  manual_seed(2);
  nn::Reservoir r(
      3, 60, {.spectral_radius = 1.25, .input_scaling = 0.5, .connections = 7, .dtype = float64});
  const Tensor w = r.dense_weight_hh();
  BOOST_TEST(std::abs(gelfand(w) - 1.25) < 1e-6);
  check_values(sum(ne(w, 0), {1}), std::vector<double>(60, 7));
  for (const Tensor& x : {Tensor(r.weight_ih), Tensor(r.bias_ih)}) {
    BOOST_TEST(max(abs(x)).item<double>() <= 0.5);
    BOOST_TEST(max(abs(x)).item<double>() > 0.4);
  }
  BOOST_TEST(r.parameters().empty());
  BOOST_TEST(r.buffers().size() == 4);
  manual_seed(2);
  nn::Reservoir again(
      3, 60, {.spectral_radius = 1.25, .input_scaling = 0.5, .connections = 7, .dtype = float64});
  check_values(again.weight_hh, values(r.weight_hh));
  // No more connections than units.
  check_values(nn::Reservoir(1, 3).weight_hh.to(float64) * 0, std::vector<double>(9, 0.0));
}

// The formula with a dense matrix, batched and alone, in two parts and at once.
BOOST_AUTO_TEST_CASE(states) {
  manual_seed(3);
  nn::Reservoir r(2, 12, kSmall);
  const Tensor x = randn({5, 3, 2}, float64), w = r.dense_weight_hh();
  Tensor h = zeros({3, 12}, float64);
  const auto [y, last] = r(x, Tensor());
  for (std::int64_t t = 0; t < 5; ++t) {
    h = 0.7 * h + 0.3 * tanh(matmul(x[t], r.weight_ih.t()) + r.bias_ih + matmul(h, w.t()));
    check_values(y[t], values(h), 1e-14);
  }
  check_values(last, values(h), 1e-14);
  check_values(r(x), values(y));
  const Tensor alone = x[{slice(), 1}];
  const auto [begin, state] = r(narrow(alone, 0, 0, 2), Tensor());
  check_values(r(narrow(alone, 0, 2, 3), state).output, values(y[{slice(2, 5), 1}]), 1e-14);
  BOOST_TEST(!y.requires_grad());
}

BOOST_AUTO_TEST_CASE(gradients_pass_through) {
  manual_seed(4);
  nn::Reservoir r(2, 6, kSmall);
  const auto run = [&](const Tensor& x, const Tensor& h) { return r(x, h).output; };
  const std::vector<Tensor> at{randn({4, 2, 2}, float64), randn({2, 6}, float64)};
  BOOST_TEST(gradcheck(run, at).ok);
  BOOST_TEST(gradgradcheck(run, at).ok);
}

BOOST_AUTO_TEST_CASE(fit_and_free_run) {
  manual_seed(5);
  nn::EchoStateNetwork net(1, 100, 1, kSmall);
  const Tensor series = waves(901), x = narrow(series, 0, 0, 600), y = narrow(series, 0, 1, 600);
  const Tensor state = net.fit(x, y);
  const auto error = [](const Tensor& a, const Tensor& b) {
    return max(abs(a.detach() - b)).item<double>();
  };
  // Teacher forcing gives the next value, free running the next 300.
  const auto [forced, last] = net(x, Tensor());
  BOOST_TEST(error(narrow(forced, 0, 100, 500), narrow(y, 0, 100, 500)) < 1e-4);
  check_values(last, values(state));
  // The first output of a free run that begins with the last known value is that after it.
  const auto [free, end] = net.free_run(series[600], state, 300);
  BOOST_TEST((free.shape() == Shape{300, 1}));
  BOOST_TEST(error(narrow(free, 0, 0, 1), narrow(series, 0, 601, 1)) < 1e-4);
  BOOST_TEST(error(free, narrow(series, 0, 601, 300)) < 0.05);
  // By hand: the output of a step is the next one's input.
  const Tensor first = net(series[600].unsqueeze(0), state).output;
  check_values(free[0], values(first[0]));
  const auto [two, after] = net.free_run(series[600], state, 2);
  check_values(net.free_run(two[1], after, 3).output, values(narrow(free, 0, 2, 3)), 1e-12);
  // Two sequences at once.
  const Tensor pair = series[600].expand({2, 1}), states = state.expand({2, 100});
  const Tensor both = net.free_run(pair, states, 4).output;
  check_values(both[{slice(), 1}], values(narrow(free, 0, 0, 4)), 1e-12);
}

// The readout learns by gradient too, and what it reads is no more than features.
BOOST_AUTO_TEST_CASE(learns_by_gradient) {
  manual_seed(6);
  const Tensor series = waves(301), x = narrow(series, 0, 0, 300), y = narrow(series, 0, 1, 300);
  nn::EchoStateNetwork net(1, 40, 1, kSmall);
  BOOST_TEST(net.parameters().size() == 2);
  nn::Sequential features(nn::Reservoir(1, 40, kSmall), nn::Linear(40, 1, {.dtype = float64}));
  for (nn::Module* model : {static_cast<nn::Module*>(&net), static_cast<nn::Module*>(&features)}) {
    optim::Adam optimizer(model->parameters(), {.lr = 0.01});
    double first = 0, loss = 0;
    for (int i = 0; i < 300; ++i) {
      optimizer.zero_grad();
      const Tensor l = nn::mse_loss((*model)(x), y);
      l.backward();
      optimizer.step();
      loss = l.item<double>();
      if (i == 0) first = loss;
    }
    BOOST_TEST(loss < 0.05 * first);
  }
}

BOOST_AUTO_TEST_CASE(copies_and_state) {
  manual_seed(7);
  nn::EchoStateNetwork net(1, 20, 1, kSmall), other(1, 20, 1, kSmall);
  const Tensor x = waves(30);
  BOOST_TEST(values(net(x)) != values(other(x)));
  nn::load_state(other, nn::state_dict(net));
  check_values(other(x), values(net(x)));
  nn::EchoStateNetwork copy = net;
  const NoGrad guard;
  copy.readout.weight.copy_(zeros({1, 21}));
  BOOST_TEST(values(net(x)) != values(copy(x)));
  net.to(float32);
  BOOST_TEST((net(x.to(float32)).dtype() == float32));
}

BOOST_AUTO_TEST_CASE(refuses) {
  manual_seed(8);
  BOOST_CHECK_EXCEPTION(nn::Reservoir(0, 3), ValueError,
                        says("Reservoir: expected at least 1 input and unit, got 0 and 3"));
  BOOST_CHECK_THROW(nn::Reservoir(1, 3, {.spectral_radius = -1}), ValueError);
  BOOST_CHECK_EXCEPTION(nn::Reservoir(1, 3, {.leak = 0}), ValueError, says("a leak in (0, 1]"));
  BOOST_CHECK_THROW(nn::Reservoir(1, 3, {.input_scaling = -1}), ValueError);
  BOOST_CHECK_THROW(nn::Reservoir(1, 3, {.connections = 0}), ValueError);
  nn::EchoStateNetwork net(1, 10, 1), narrowing(2, 10, 1);
  const Tensor x = ones({20, 1}), state = zeros({10});
  BOOST_CHECK_EXCEPTION(net(ones({20, 2})), ShapeError, says("or [steps, 1], got [20, 2]"));
  BOOST_CHECK_THROW(net(x, zeros({9})), ShapeError);
  BOOST_CHECK_THROW(net.fit(x, ones({19, 1})), ShapeError);
  BOOST_CHECK_EXCEPTION(net.fit(x, x, {.washout = 20}), ValueError, says("less than the 20 steps"));
  BOOST_CHECK_THROW(net.free_run(x[0], state, 0), ValueError);
  BOOST_CHECK_THROW(net.free_run(x.unsqueeze(0), state, 3), ShapeError);
  BOOST_CHECK_EXCEPTION(narrowing.free_run(ones({2}), state, 3), ShapeError,
                        says("as many outputs as inputs, got 1 and 2"));
}

BOOST_AUTO_TEST_SUITE_END()
