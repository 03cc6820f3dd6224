// SPDX-License-Identifier: BSD-3-Clause
// The chaotic Mackey-Glass series by an echo state network: it hears 2000 steps, then goes on
// alone. Reads MackeyGlass_t17.txt from --data-dir, or integrates the delay equation.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
using xtape::Tensor;

constexpr std::int64_t kUnits = 1000, kTraining = 2000, kFree = 1000, kJudged = 500;
constexpr double kMostError = 1e-5;

/// tanh(x - 1) of dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x, one value per unit of time;
/// Runge-Kutta with steps of 0.1 and the delayed value halfway between two of them.
std::vector<double> mackey_glass(std::size_t count) {
  constexpr std::size_t steps = 10, delay = 17 * steps, transient = 1000 * steps;
  constexpr double dt = 1.0 / steps;
  std::vector<double> x(delay + 1, 1.2), series;
  const auto slope = [](double now, double before) {
    return 0.2 * before / (1 + std::pow(before, 10)) - 0.1 * now;
  };
  for (std::size_t i = delay; series.size() < count; ++i) {
    const double before = x[i - delay], after = x[i - delay + 1], half = (before + after) / 2;
    const double a = slope(x[i], before), b = slope(x[i] + dt / 2 * a, half);
    const double c = slope(x[i] + dt / 2 * b, half), d = slope(x[i] + dt * c, after);
    x.push_back(x[i] + dt / 6 * (a + 2 * b + 2 * c + d));
    if (i >= transient && i % steps == 0) series.push_back(std::tanh(x[i] - 1));
  }
  return series;
}

/// The first `count` numbers of the file, one a line.
std::vector<double> read_series(const std::string& path, std::size_t count) {
  std::ifstream file(path);
  std::vector<double> series(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!(file >> series[i]) || !std::isfinite(series[i])) {
      throw std::runtime_error(path + ":" + std::to_string(i + 1) + ": expected a number, and " +
                               std::to_string(count) + " of them");
    }
  }
  return series;
}

/// The series, what the network made of it, and the squared error, beside each other and drawn.
void write(const example::Run& run, std::span<const double> truth, std::span<const double> free) {
  const auto path = [&](const char* name) {
    return (std::filesystem::path(run.flags.out_dir) / name).string();
  };
  std::ofstream file = example::detail::open_to_write(path("free_run.csv"));
  file.precision(17);
  file << "step,series,free_run\n";
  for (std::size_t i = 0; i < truth.size(); ++i) {
    file << i + 1 << ',' << truth[i] << ',' << free[i] << '\n';
  }
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path("free_run.csv"));
  data::Plot({.title = "Mackey-Glass: 1000 steps ahead, unaided",
              .x_label = "step of the free run",
              .y_label = "tanh(x - 1)",
              .width = 960})
      .line("series", truth)
      .line("free run", free)
      .save(path("free_run.svg"));
}

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  if (!flags.resume.empty())
    throw std::runtime_error("--resume: the readout is solved, not gone on");
  const auto training = flags.limit ? std::min(flags.limit, kTraining) : kTraining;
  const auto count = static_cast<std::size_t>(training + kFree + 1);
  const std::vector<double> values =
      flags.data_dir.empty()
          ? mackey_glass(count)
          : read_series(example::find_data(flags, "series", "MackeyGlass_t17.txt"), count);
  const Tensor series = xtape::from_values<double>(values, {static_cast<std::int64_t>(count), 1});
  run.say(std::to_string(training) + " steps to learn, " + std::to_string(kFree) + " to go alone");

  const xtape::NoGrad no_grad;
  nn::EchoStateNetwork net(
      1, kUnits, 1,
      {.spectral_radius = 1.25, .leak = 0.3, .input_scaling = 1, .dtype = xtape::float64});
  run.begin_epoch(1, 1);
  const std::int64_t washout = std::min<std::int64_t>(100, training / 2);
  const Tensor x = narrow(series, 0, 0, training), y = narrow(series, 0, 1, training);
  const Tensor state = net.fit(x, y, {.ridge = 1e-9, .washout = washout});
  const Tensor error = narrow(net(x) - y, 0, washout, training - washout);
  run.step(mean(square(error)).item<double>(), training - washout);
  const Tensor free = net.free_run(series[training], state, kFree).output;
  const Tensor truth = narrow(series, 0, training + 1, kFree);
  const auto mse = [&](std::int64_t steps) {
    return nn::mse_loss(narrow(free, 0, 0, steps), narrow(truth, 0, 0, steps)).item<double>();
  };
  run.end_epoch({{"mse_100", mse(100)}, {"mse_500", mse(kJudged)}});
  write(run, {truth.data<double>(), kFree}, {free.data<double>(), kFree});
  run.finish(net);
  if (!flags.limit && !(mse(kJudged) <= kMostError)) {
    throw std::runtime_error("mean squared error over " + std::to_string(kJudged) + " steps is " +
                             example::detail::short_number(mse(kJudged)) + ", more than 1e-05");
  }
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "mackey_glass_esn",
                       .purpose = "Goes on with the Mackey-Glass series by an echo state network",
                       .epochs = 1,
                       .batch_size = 1,
                       .lr = 1},
                      train);
}
