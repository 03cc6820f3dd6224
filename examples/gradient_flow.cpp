// SPDX-License-Identifier: BSD-3-Clause
// Vanishing and exploding gradients: how much of the gradient of the last state arrives at each
// step before, for recurrent networks as they are drawn, and what helps.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
using xtape::Tensor;

constexpr std::int64_t kSteps = 100, kHidden = 64, kBatch = 16, kTruncation = 25;
constexpr double kFar = 1e3;  // "exploded": so many times the norm at the last step

/// Norms of the gradient at each step, as shares of that at the last.
using Flow = std::vector<double>;

/// Adds the square of this state's gradient to `square`; above `limit` the gradient is scaled to
/// it.
void watch(Tensor& state, double& square, double limit = INFINITY) {
  state.register_hook([&square, limit](const Tensor& g) {
    const double size = norm(g).item<double>();
    square += std::pow(std::min(size, limit), 2);
    return size > limit ? g * (limit / size) : Tensor();
  });
}

Flow shares(const std::vector<double>& squares) {
  Flow flow;
  for (const double s : squares) flow.push_back(std::sqrt(s / squares.back()));
  return flow;
}

/// A seed of norm 1, so that `clip` is a multiple of the gradient at the last step.
Tensor seed_gradient() {
  const Tensor g = xtape::randn({kBatch, kHidden}, xtape::float64);
  return g / norm(g);
}

struct Remedy {
  double clip = INFINITY;
  std::int64_t truncation = kSteps;
};

Flow rnn_flow(const Tensor& x, const Tensor& weight_hh, const Remedy& remedy = {}) {
  nn::RNNCell cell(x.size(2), kHidden, {.bias = false, .dtype = xtape::float64});
  {
    const xtape::NoGrad no_grad;
    cell.weight_hh.copy_(weight_hh);
  }
  std::vector<double> squares(kSteps);
  Tensor h = xtape::zeros({kBatch, kHidden}, xtape::float64);
  for (std::int64_t t = 0; t < kSteps; ++t) {
    if ((kSteps - t) % remedy.truncation == 0) h = nn::detach_state(h);
    h = cell(0.1 * x[t], h);
    watch(h, squares[static_cast<std::size_t>(t)], remedy.clip);
  }
  h.backward({.seed = seed_gradient()});
  return shares(squares);
}

/// Of the hidden and the cell state together.
Flow lstm_flow(const Tensor& x, nn::LSTMCell& cell) {
  nn::init::forget_bias_(cell, 5);
  std::vector<double> squares(kSteps);
  nn::LSTMState state{xtape::zeros({kBatch, kHidden}, xtape::float64),
                      xtape::zeros({kBatch, kHidden}, xtape::float64)};
  for (std::int64_t t = 0; t < kSteps; ++t) {
    state = cell(0.1 * x[t], state);
    watch(state.h, squares[static_cast<std::size_t>(t)]);
    watch(state.c, squares[static_cast<std::size_t>(t)]);
  }
  state.h.backward({.seed = seed_gradient()});
  return shares(squares);
}

using Flows = std::vector<std::pair<std::string, Flow>>;

void expect(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("expected otherwise: " + what);
}

void show(example::Run& run) {
  if (!run.flags.data_dir.empty()) throw std::runtime_error("--data-dir: nothing to read here");
  const Tensor x = xtape::randn({kSteps, kBatch, 8}, xtape::float64);
  const Tensor drawn = xtape::normal(0, 1 / std::sqrt(static_cast<double>(kHidden)),
                                     {kHidden, kHidden}, xtape::float64);
  const Tensor orthogonal = nn::init::orthogonal_(xtape::empty({kHidden, kHidden}, xtape::float64));
  nn::LSTMCell lstm(8, kHidden, {.dtype = xtape::float64});
  const Flows flows{{"small weights", rnn_flow(x, 0.5 * drawn)},
                    {"large weights", rnn_flow(x, 3 * drawn)},
                    {"large clipped", rnn_flow(x, 3 * drawn, {.clip = 1})},
                    {"large truncated", rnn_flow(x, 3 * drawn, {.truncation = kTruncation})},
                    {"orthogonal", rnn_flow(x, orthogonal)},
                    {"LSTM", lstm_flow(x, lstm)}};

  xtape::data::Plot plot({.title = "Gradient through time",
                          .x_label = "step",
                          .y_label = "norm, as a share of the last step's",
                          .y_axis = xtape::data::Axis::logarithmic});
  run.begin_epoch(1, 1);
  example::Values first;
  for (const auto& [name, flow] : flows) {
    plot.line(name, flow);
    first.emplace_back(name, flow.front());
  }
  plot.save(run.path("gradient_flow.svg"));
  run.end_epoch(first);
  run.finish(lstm);
  expect(first[0].second < 1 / kFar, "small weights make the gradient vanish");
  expect(first[1].second > kFar, "large weights make it explode");
  expect(first[2].second <= 1 + 1e-6, "clipping holds it");
  expect(first[3].second == 0, "truncation cuts it");
  expect(first[4].second > 0.01 && first[5].second > 0.01, "orthogonal weights and LSTM carry it");
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "gradient_flow",
                       .purpose = "Draws how gradients vanish and explode through time",
                       .epochs = 1,
                       .batch_size = kBatch,
                       .lr = 1},
                      show);
}
