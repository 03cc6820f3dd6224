// SPDX-License-Identifier: BSD-3-Clause
// One neuron: a weighted sum and an activation. Draws four activations; a threshold unit that
// learns to part two clouds by the perceptron's rule, though a threshold has no gradient; and how
// gradient descent goes down the cost of a linear unit, with all samples at each step and with one.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
using xtape::Tensor;

constexpr int kEpochs = 20, kPasses = 30;

struct Unit : nn::Module {
  nn::Linear sum{2, 1};
  XTAPE_PARTS(sum)
  Tensor forward(const Tensor& x) override { return sum(x).flatten(); }
};

void draw_activations(const example::Run& run) {
  const Tensor z = xtape::linspace(-4, 4, 401, xtape::float64);
  const auto span = [](const Tensor& y) { return std::span(y.data<double>(), 401); };
  data::Plot({.title = "Activations", .x_label = "weighted sum", .y_label = "output"})
      .line("threshold", span(z), span((z >= 0).to(xtape::float64)))
      .line("sigmoid", span(z), span(sigmoid(z)))
      .line("rectifier", span(z), span(relu(z)))
      .line("tanh", span(z), span(tanh(z)))
      .save(run.path("activations.svg"));
}

/// 1 where the weighted sum is not below 0.
Tensor fires(const Tensor& sum) { return (sum >= 0).to(xtape::int64); }

/// Rosenblatt's rule: where the unit errs, its weights move towards the sample, or away from it. As
/// a step down: of -error * sum, the error being a constant. It comes to rest for any two classes
/// that a line parts. Returns how many it still gets wrong.
double train_perceptron(example::Run& run, Unit& unit, const data::Batch& samples) {
  xtape::optim::SGD optimizer(unit.parameters(), {.lr = run.flags.lr});
  data::DataLoader loader(data::TensorDataset(samples.x, samples.y),
                          {.batch_size = run.flags.batch_size});
  const auto wrong = [&] {
    const xtape::NoGrad no_grad;
    return sum(ne(fires(unit(samples.x)), samples.y)).item<double>();
  };
  run.resume(unit, optimizer, {.loader = &loader});
  while (run.next_epoch(loader.size())) {
    for (const auto& [x, y] : loader) {
      const Tensor weighted = unit(x), error = y - fires(weighted);
      optimizer.zero_grad();
      sum(-error * weighted).backward();
      optimizer.step();
      const double share = mean(abs(error).to(xtape::float32)).item<double>();
      if (!run.step(share, x.size(0))) break;
    }
    if (run.epoch_done()) run.end_epoch({{"wrong", wrong()}});
  }
  if (run.flags.epochs == 0) run.end_epoch({{"wrong", wrong()}});
  return wrong();
}

/// The weights after each step of gradient descent, and the cost of all samples after each pass.
struct Descent {
  std::vector<double> first, second, cost;
};

Descent descend(const data::Batch& samples, std::int64_t batch_size, double lr,
                std::uint64_t seed) {
  nn::Linear unit(2, 1, {.bias = false, .dtype = xtape::float64});
  xtape::optim::SGD optimizer(unit.parameters(), {.lr = lr});
  data::DataLoader loader(data::TensorDataset(samples.x, samples.y),
                          {.batch_size = batch_size, .shuffle = true, .seed = seed});
  Descent path;
  const auto look = [&] {
    path.first.push_back(unit.weight.data<double>()[0]);
    path.second.push_back(unit.weight.data<double>()[1]);
  };
  unit.weight.set_data(xtape::tensor({{-2.5, 2.5}}).to(xtape::float64));  // both start there
  look();
  for (int pass = 0; pass < kPasses; ++pass) {
    for (const auto& [x, y] : loader) {
      optimizer.zero_grad();
      nn::mse_loss(unit(x), y).backward();
      optimizer.step();
      look();
    }
    path.cost.push_back(nn::mse_loss(unit(samples.x), samples.y).item<double>());
  }
  return path;
}

void show(example::Run& run) {
  if (!run.flags.data_dir.empty()) throw std::runtime_error("--data-dir: nothing to read here");
  draw_activations(run);

  const std::int64_t count = run.flags.limit ? run.flags.limit : 200;
  const Tensor centers = xtape::tensor({{-1, -1.5}, {1.5, 1}});
  const data::Batch clouds = data::blobs(count, centers, {.std = 0.5, .seed = run.flags.seed});
  const data::Batch samples{clouds.x.to(xtape::float32), clouds.y};
  Unit unit;
  const double wrong = train_perceptron(run, unit, samples);
  data::Plot({.title = "A threshold unit", .x_label = "first input", .y_label = "second input"})
      .scatter(samples.x, samples.y, {"0", "1"})
      .regions([&](const Tensor& x) { return fires(unit(x)); })
      .save(run.path("unit.svg"));

  // A linear unit whose cost is a valley: the second input varies less than the first.
  const Tensor x = xtape::randn({count, 2}, xtape::float64) * xtape::tensor({1.0, 0.5});
  const Tensor y = matmul(x, xtape::tensor({1.5, -1.0}, xtape::float64).unsqueeze(1)) +
                   0.5 * xtape::randn({count, 1}, xtape::float64);
  const auto cost = [&](const Tensor& w) {
    return square(matmul(x, w.t().to(xtape::float64)) - y).mean({0});
  };
  const Descent batch = descend({x, y}, count, 0.4, run.flags.seed),
                stochastic = descend({x, y}, 1, 0.03, run.flags.seed);
  data::Plot(
      {.title = "Down one cost surface", .x_label = "first weight", .y_label = "second weight"})
      .shades(cost, {-3, 3, -3, 3})
      .line("one sample a step", stochastic.first, stochastic.second)
      .line("all samples a step", batch.first, batch.second)
      .save(run.path("descent.svg"));
  const Tensor best = solve(matmul(x.t(), x), matmul(x.t(), y));
  const double least = cost(best.t()).item<double>();
  run.set("least_cost", least);
  for (const auto& [name, path] : {std::pair{"all", &batch}, std::pair{"one", &stochastic}}) {
    run.set(std::string(name) + "_first_cost", path->cost.front());
    run.set(std::string(name) + "_last_cost", path->cost.back());
  }
  run.finish(unit);
  const bool good = wrong == 0 && std::ranges::is_sorted(batch.cost, std::greater()) &&
                    stochastic.cost.front() < batch.cost.front() &&
                    batch.cost.back() < 1.01 * least && stochastic.cost.back() < 1.2 * least;
  run.expect(good, "what docs/examples.md states: see metrics.json");
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "threshold_unit",
                       .purpose = "Draws what one neuron does and how it learns",
                       .epochs = kEpochs,
                       .batch_size = 1,
                       .lr = 0.1},
                      show);
}
