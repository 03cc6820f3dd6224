// SPDX-License-Identifier: BSD-3-Clause
// Learning to learn (Finn, Abbeel and Levine, "Model-agnostic meta-learning", ICML 2017): the start
// of a small network is trained such that one gradient step on ten points of a sine wave never seen
// before fits the whole wave. The gradient goes through that inner step.
#include <xtape/xtape.hpp>

#include <numbers>

#include "common.hpp"

namespace nn = xtape::nn;
using xtape::Tensor;
using Weights = std::vector<Tensor>;  // [tasks, ...]: weight, bias, weight, ...

constexpr int kEpochs = 10;
constexpr std::int64_t kSteps = 1000, kPoints = 10, kGrid = 101, kTestTasks = 500;
constexpr double kInnerRate = 0.02, kBetter = 5;

struct Net : nn::Module {
  nn::Linear a{1, 40}, b{40, 40}, c{40, 1};
  XTAPE_PARTS(a, b, c)
};

/// One copy of the weights for each task, all in the gradient's path.
Weights copies(const Net& net, std::int64_t tasks) {
  Weights weights;
  for (const Tensor& p : net.parameters()) {
    xtape::Shape shape = p.shape();
    shape.insert(0, tasks);
    weights.push_back(p.expand(shape));
  }
  return weights;
}

/// The networks of all tasks at once: x [tasks, n, 1].
Tensor predict(const Weights& w, const Tensor& x) {
  Tensor y = x;
  for (std::size_t i = 0; i < w.size(); i += 2) {
    if (i > 0) y = relu(y);
    y = matmul(y, w[i].transpose(-1, -2)) + w[i + 1].unsqueeze(1);
  }
  return y;
}

/// Waves of random amplitude and phase.
struct Waves {
  Tensor amplitude, phase;  // [tasks, 1, 1]
  explicit Waves(std::int64_t tasks)
      : amplitude(xtape::uniform(0.1, 5, {tasks, 1, 1})),
        phase(xtape::uniform(0, std::numbers::pi, {tasks, 1, 1})) {}
  Tensor operator()(const Tensor& x) const { return amplitude * sin(x - phase); }
};

Tensor points(std::int64_t tasks) { return xtape::uniform(-5, 5, {tasks, kPoints, 1}); }

/// Mean squared error, summed over tasks.
Tensor total_error(const Weights& w, const Tensor& x, const Waves& waves) {
  return mean(square(predict(w, x) - waves(x)), {1, 2}).sum();
}

/// One gradient step for each task.
Weights adapt(const Weights& w, const Tensor& x, const Waves& waves, double rate,
              bool create_graph) {
  const Weights slopes = xtape::grad({total_error(w, x, waves)}, w, {.create_graph = create_graph});
  Weights after;
  for (std::size_t i = 0; i < w.size(); ++i) after.push_back(w[i] - rate * slopes[i]);
  return after;
}

/// Waves never trained on: ten points of each for one step, a grid to measure the error.
struct Test {
  std::int64_t tasks;
  Waves waves{tasks};
  Tensor seen = points(tasks);
  Tensor grid = xtape::linspace(-5, 5, kGrid).reshape({1, -1, 1}).expand({tasks, kGrid, 1});

  Weights after(const Net& net, double rate) const {
    return adapt(copies(net, tasks), seen, waves, rate, false);
  }
  double error(const Weights& w) const {
    const xtape::NoGrad no_grad;
    return total_error(w, grid, waves).item<double>() / static_cast<double>(tasks);
  }
};

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  if (!flags.data_dir.empty()) throw std::runtime_error("--data-dir: nothing to read here");
  const Net scratch;
  Net net;
  const Test test{.tasks = flags.limit ? std::min(flags.limit, kTestTasks) : kTestTasks};
  double best_rate = 0, scratch_error = INFINITY;  // the untrained network may choose its step
  for (const double rate : {0.001, 0.003, 0.01, kInnerRate, 0.03, 0.1, 0.3}) {
    const double error = test.error(test.after(scratch, rate));
    if (error < scratch_error) scratch_error = error, best_rate = rate;
  }
  const auto figures = [&]() -> example::Values {
    const double error = test.error(test.after(net, kInnerRate));
    return {{"mse_before_step", test.error(copies(net, test.tasks))},
            {"mse_after_step", error},
            {"scratch_mse", scratch_error},
            {"times_better", scratch_error / error}};
  };
  xtape::optim::Adam optimizer(net.parameters(), {.lr = flags.lr});
  const std::int64_t steps = flags.limit ? std::min(flags.limit, kSteps) : kSteps;
  const std::int64_t tasks = flags.batch_size;
  run.resume(net, optimizer);
  while (run.next_epoch(steps)) {
    for (std::int64_t i = 0; i < steps; ++i) {
      optimizer.set_lr(flags.lr *
                       (1 - run.steps_done() / static_cast<double>(steps * flags.epochs)));
      const Waves waves(tasks);
      const Weights after = adapt(copies(net, tasks), points(tasks), waves, kInnerRate, true);
      const Tensor loss = total_error(after, points(tasks), waves) / tasks;
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      if (!run.step(loss.item<double>(), tasks)) break;
    }
    if (run.epoch_done()) run.end_epoch(figures());
  }
  if (flags.epochs == 0) run.end_epoch(figures());
  const Tensor& x = test.grid;
  example::write_curves(
      run, "maml_sine", {.title = "One gradient step on ten points", .x_label = "x", .width = 800},
      x[0],
      {{"wave", test.waves(x)[0]},
       {"before the step", predict(copies(net, test.tasks), x)[0]},
       {"after it", predict(test.after(net, kInnerRate), x)[0]},
       {"from scratch, after it", predict(test.after(scratch, best_rate), x)[0]}});
  run.finish(net);
  run.expect_at_least("times_better", kBetter);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "maml_sine",
                       .purpose = "Learns to learn sine waves in one gradient step",
                       .epochs = kEpochs,
                       .batch_size = 25,
                       .lr = 5e-3},
                      train);
}
