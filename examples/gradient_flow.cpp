// SPDX-License-Identifier: BSD-3-Clause
// Vanishing and exploding gradients: how much of the gradient of the last state arrives at each
// step before, for recurrent networks as they are drawn, and what helps. The mean over --epochs
// draws.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
using xtape::Tensor;

constexpr std::int64_t kSteps = 100, kHidden = 64, kBatch = 16, kTruncation = 25;
const std::vector<std::string> kNames{"small weights",   "large weights", "large clipped",
                                      "large truncated", "orthogonal",    "LSTM"};
constexpr double kFar = 1e3;  // "exploded": so many times the norm at the last step

/// Adds the square of this state's gradient to `square`; above `limit` the gradient is scaled to
/// it.
void watch(Tensor& state, double& square, double limit = INFINITY) {
  state.register_hook([&square, limit](const Tensor& g) {
    const double size = norm(g).item<double>();
    square += std::pow(std::min(size, limit), 2);
    return size > limit ? g * (limit / size) : Tensor();
  });
}

/// Norms of the gradient at each step, as shares of that at the last.
Tensor shares(const std::vector<double>& squares) {
  return sqrt(xtape::from_values<double>(squares, {kSteps}) / squares.back());
}

/// A seed of norm 1, so that `clip` is a multiple of the gradient at the last step.
Tensor seed_gradient(const Tensor& h) {
  const Tensor g = xtape::randn(h.shape(), xtape::float64);
  return g / norm(g);
}

struct Remedy {
  double clip = INFINITY;
  std::int64_t truncation = kSteps;
};

Tensor rnn_flow(const Tensor& x, const Tensor& weight_hh, const Remedy& remedy = {}) {
  nn::RNNCell cell(x.size(2), kHidden, {.bias = false, .dtype = xtape::float64});
  {
    const xtape::NoGrad no_grad;
    cell.weight_hh.copy_(weight_hh);
  }
  std::vector<double> squares(kSteps);
  Tensor h = xtape::zeros({x.size(1), kHidden}, xtape::float64);
  for (std::int64_t t = 0; t < kSteps; ++t) {
    if ((kSteps - t) % remedy.truncation == 0) h = nn::detach_state(h);
    h = cell(0.1 * x[t], h);
    watch(h, squares[static_cast<std::size_t>(t)], remedy.clip);
  }
  h.backward({.seed = seed_gradient(h)});
  return shares(squares);
}

/// Of the hidden and the cell state together.
Tensor lstm_flow(const Tensor& x, nn::LSTMCell& cell) {
  nn::init::forget_bias_(cell, 5);
  std::vector<double> squares(kSteps);
  nn::LSTMState state{xtape::zeros({x.size(1), kHidden}, xtape::float64),
                      xtape::zeros({x.size(1), kHidden}, xtape::float64)};
  for (std::int64_t t = 0; t < kSteps; ++t) {
    state = cell(0.1 * x[t], state);
    watch(state.h, squares[static_cast<std::size_t>(t)]);
    watch(state.c, squares[static_cast<std::size_t>(t)]);
  }
  state.h.backward({.seed = seed_gradient(state.h)});
  return shares(squares);
}

/// [names, steps] of one draw.
Tensor draw_flows(std::int64_t batch) {
  const Tensor x = xtape::randn({kSteps, batch, 8}, xtape::float64);
  const Tensor drawn = xtape::normal(0, 1 / std::sqrt(static_cast<double>(kHidden)),
                                     {kHidden, kHidden}, xtape::float64);
  const Tensor orthogonal = nn::init::orthogonal_(xtape::empty({kHidden, kHidden}, xtape::float64));
  nn::LSTMCell lstm(8, kHidden, {.dtype = xtape::float64});
  const std::vector<Tensor> flows{rnn_flow(x, 0.5 * drawn),
                                  rnn_flow(x, 3 * drawn),
                                  rnn_flow(x, 3 * drawn, {.clip = 1}),
                                  rnn_flow(x, 3 * drawn, {.truncation = kTruncation}),
                                  rnn_flow(x, orthogonal),
                                  lstm_flow(x, lstm)};
  return stack(flows);
}

/// What --resume goes on with, and --weights shows again.
struct Flows : nn::Module {
  nn::Buffer mean{xtape::zeros({std::ssize(kNames), kSteps}, xtape::float64)};
  XTAPE_PARTS(mean)
  example::Values first() const {
    example::Values values;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      values.emplace_back(kNames[i], mean[static_cast<std::int64_t>(i)][0].item<double>());
    }
    return values;
  }
};

void show(example::Run& run) {
  if (!run.flags.data_dir.empty()) throw std::runtime_error("--data-dir: nothing to read here");
  Flows flows;
  run.resume(flows);
  while (run.next_epoch(1)) {
    const Tensor flow = draw_flows(run.flags.batch_size);
    flows.mean.copy_(flows.mean + (flow - flows.mean) / (run.steps_done() + 1));
    run.step();
    run.end_epoch(flows.first());
  }
  if (run.flags.epochs == 0) run.end_epoch(flows.first());

  xtape::data::Plot plot({.title = "Gradient through time",
                          .x_label = "step",
                          .y_label = "norm, as a share of the last step's",
                          .y_axis = xtape::data::Axis::logarithmic});
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    plot.line(kNames[i], {flows.mean.data<double>() + i * kSteps, kSteps});
  }
  plot.save(run.path("gradient_flow.svg"));
  run.finish(flows);
  const auto first = [&](const char* name) { return run.figure(name); };
  run.expect(first("small weights") < 1 / kFar, "small weights to make the gradient vanish");
  run.expect(first("large weights") > kFar, "large weights to make it explode");
  run.expect(first("large clipped") <= 1 + 1e-6, "clipping to hold it");
  run.expect(first("large truncated") == 0, "truncation to cut it");
  run.expect(first("orthogonal") > 0.01 && first("LSTM") > 0.01,
             "orthogonal weights and LSTM to carry it");
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
