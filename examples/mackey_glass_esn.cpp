// SPDX-License-Identifier: BSD-3-Clause
// The chaotic Mackey-Glass series by an echo state network, whose readout is solved, and by an
// LSTM, which learns by gradient: both hear 2000 steps, then go on alone. Reads MackeyGlass_t17.txt
// from --data-dir, or integrates the delay equation.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
using xtape::Tensor;

constexpr std::int64_t kUnits = 1000, kTraining = 2000, kFree = 1000, kJudged = 500;
constexpr std::int64_t kHidden = 64, kPiece = 200, kWashout = 50, kLstmSteps = 600;
constexpr double kMostError = 1e-5;
constexpr nn::ReservoirOptions kReservoir{
    .spectral_radius = 1.25, .leak = 0.3, .input_scaling = 1, .dtype = xtape::float64};

/// The first `count` numbers of the file, one a line, as [count, 1].
Tensor read_series(const std::string& path, std::int64_t count) {
  std::ifstream file(path);
  std::vector<double> series;
  for (double x = 0; std::ssize(series) < count; series.push_back(x)) {
    if (!(file >> x) || !std::isfinite(x)) {
      throw std::runtime_error(path + ":" + std::to_string(series.size() + 1) +
                               ": expected a number, and " + std::to_string(count) + " of them");
    }
  }
  return xtape::from_values<double>(series, {count, 1});
}

struct Nets : nn::Module {
  nn::EchoStateNetwork esn{1, kUnits, 1, kReservoir};
  nn::LSTM lstm{1, kHidden, {.dtype = xtape::float64}};
  nn::Linear readout{kHidden, 1, {.dtype = xtape::float64}};
  XTAPE_PARTS(esn, lstm, readout)

  /// The LSTM's forecast of the next value at each step.
  nn::LSTMResult forward(const Tensor& x, const nn::LSTMState& state = {}) {
    const auto [y, after] = lstm(x, state);
    return {readout(y), after};
  }
};

Tensor esn_free_run(nn::EchoStateNetwork& esn, const Tensor& x, const Tensor& y) {
  const xtape::NoGrad no_grad;
  const std::int64_t washout = std::min<std::int64_t>(100, x.size(0) / 2);
  const Tensor state = esn.fit(x, y, {.ridge = 1e-9, .washout = washout});
  return esn.free_run(y[-1], state, kFree).output;
}

/// One step on all pieces [kPiece, pieces, 1], each from a state of zeros; returns the loss.
double learn(Nets& nets, xtape::optim::Optimizer& optimizer, const Tensor& in, const Tensor& out) {
  const Tensor error = narrow(nets(in).output - out, 0, kWashout, kPiece - kWashout);
  const Tensor loss = mean(square(error));
  optimizer.zero_grad();
  loss.backward();
  nn::clip_grad_norm_(nets, 1);
  optimizer.step();
  return loss.item<double>();
}

Tensor lstm_free_run(Nets& nets, const Tensor& x, const Tensor& y) {
  const xtape::NoGrad no_grad;
  nn::LSTMState state = nets(x).state;
  std::vector<Tensor> outputs{narrow(y, 0, y.size(0) - 1, 1)};
  for (std::int64_t t = 0; t < kFree; ++t) {
    const nn::LSTMResult next = nets(outputs.back(), state);
    outputs.push_back(next.output);
    state = next.state;
  }
  return narrow(xtape::cat(outputs), 0, 1, kFree).contiguous();
}

void write(const example::Run& run, const std::vector<std::pair<std::string, Tensor>>& series) {
  data::Plot plot({.title = "Mackey-Glass: 1000 steps ahead, unaided",
                   .x_label = "step of the free run",
                   .y_label = "tanh(x - 1)",
                   .width = 960});
  for (const auto& [name, values] : series) {
    const Tensor shown = masked_fill(values, ~isfinite(values), NAN);  // a free run may explode
    plot.line(name, {shown.data<double>(), kFree});
  }
  plot.save(run.path("free_run.svg"));
}

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  const auto training = flags.limit ? std::clamp(flags.limit, kPiece, kTraining) : kTraining;
  const std::int64_t count = training + kFree + 1;
  const Tensor series =
      flags.data_dir.empty()
          ? tanh(data::mackey_glass(count, {.warm_up = 983}) - 1).unsqueeze(1)
          : read_series(example::find_data(flags, "series", "MackeyGlass_t17.txt"), count);
  run.say(std::to_string(training) + " steps to learn, " + std::to_string(kFree) + " to go alone");
  const Tensor x = narrow(series, 0, 0, training), y = narrow(series, 0, 1, training);
  const Tensor truth = narrow(series, 0, training + 1, kFree);
  Nets nets;
  const Tensor esn = esn_free_run(nets.esn, x, y);
  nets.esn.requires_grad_(false);  // solved
  const Tensor in = unfold(x, 0, kPiece, kPiece).permute({2, 0, 1}).contiguous();
  const Tensor out = unfold(y, 0, kPiece, kPiece).permute({2, 0, 1}).contiguous();
  const auto mse = [&](const Tensor& free, std::int64_t steps) {
    return nn::mse_loss(narrow(free, 0, 0, steps), narrow(truth, 0, 0, steps)).item<double>();
  };
  const auto figures = [&]() -> example::Values {
    const Tensor lstm = lstm_free_run(nets, x, y);
    return {{"mse_100", mse(esn, 100)},
            {"mse_500", mse(esn, kJudged)},
            {"lstm_mse_100", mse(lstm, 100)},
            {"lstm_mse_500", mse(lstm, kJudged)}};
  };
  xtape::optim::Adam optimizer(nets.parameters(), {.lr = flags.lr});
  run.resume(nets, optimizer);
  const std::int64_t steps = flags.limit ? std::min(flags.limit, kLstmSteps) : kLstmSteps;
  const auto all_steps = static_cast<double>(steps * flags.epochs);
  while (run.next_epoch(steps)) {
    for (std::int64_t i = 0; i < steps; ++i) {
      // Down to 0 in a straight line.
      optimizer.set_lr(flags.lr * (1 - run.steps_done() / all_steps));
      if (!run.step(learn(nets, optimizer, in, out), in.size(1))) break;
    }
    if (run.epoch_done()) run.end_epoch(figures());
  }
  if (flags.epochs == 0) run.end_epoch(figures());
  write(run, {{"series", truth}, {"echo state", esn}, {"LSTM", lstm_free_run(nets, x, y)}});
  run.finish(nets);
  if (!flags.limit && !(mse(esn, kJudged) <= kMostError)) {  // the LSTM's epochs do not matter here
    throw std::runtime_error("mean squared error over 500 steps is " +
                             example::detail::short_number(mse(esn, kJudged)) +
                             ", more than 1e-05");
  }
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "mackey_glass_esn",
                       .purpose = "Goes on with the Mackey-Glass series by two networks",
                       .epochs = 3,
                       .batch_size = 1,
                       .lr = 5e-3},
                      train);
}
