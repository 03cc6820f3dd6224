// SPDX-License-Identifier: BSD-3-Clause
// Operations of one's own, three ways; each is checked against differences, then all three learn a
// noisy periodic curve with outliers.
#include <xtape/autograd/gradcheck.hpp>
#include <xtape/autograd/pointwise.hpp>
#include <xtape/autograd/xtensor.hpp>
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
using xtape::Tensor;

// README: composed
Tensor swish(const Tensor& x) { return x * sigmoid(x); }
// README: end

// README: lambda
const auto snake = xtape::pointwise("snake", [](auto x) { return x + square(sin(x)); });
// README: end

// README: record
Tensor pseudo_huber(const Tensor& x) {
  Tensor y = xtape::from(xt::sqrt(1 + xt::square(x.array<double>())) - 1);
  xtape::record("pseudo_huber", y, {x}, saves(x, y),
                [](xtape::Backward& t) { t.add(0, t.g() * t.saved(0) / (t.saved(1) + 1)); });
  return y;
}
// README: end

constexpr nn::LinearOptions kFloat64{.dtype = xtape::float64};

struct Net : nn::Module {
  nn::Linear a{1, 32, kFloat64}, b{32, 32, kFloat64}, c{32, 1, kFloat64};
  XTAPE_PARTS(a, b, c)
  Tensor forward(const Tensor& x) override { return c(swish(b(snake(a(x))))); }
};

/// Compares first and second derivatives with differences; throws where they are wrong.
template <class F>
void check(example::Run& run, const std::string& name, F f) {
  const Tensor x = xtape::linspace(-3, 3, 25, xtape::float64);
  for (const auto& report : {xtape::gradcheck(f, {x}), xtape::gradgradcheck(f, {x})}) {
    if (!report) throw std::runtime_error(name + ": " + report.text());
  }
  run.say(name + ": first and second derivatives agree with differences");
  run.set("gradcheck_" + name, 1);
}

Tensor curve(const Tensor& x) { return sin(3 * x) + 0.5 * x; }

/// Points of the curve with noise, one in twenty of them far off.
data::TensorDataset noisy_points(std::int64_t count) {
  const Tensor x = xtape::uniform(-3, 3, {count, 1}, xtape::float64);
  const Tensor far_off = xtape::bernoulli(xtape::full({count, 1}, 0.05, xtape::float64));
  return data::TensorDataset(
      x, curve(x) + 0.1 * xtape::randn({count, 1}, xtape::float64) + 5 * far_off);
}

/// How far the net is from the curve itself.
example::Values evaluate(Net& net) {
  const xtape::NoGrad no_grad;
  const Tensor x = xtape::linspace(-3, 3, 301, xtape::float64).reshape({-1, 1});
  const Tensor error = net(x) - curve(x);
  return {{"test_loss", mean(pseudo_huber(error)).item<double>()},
          {"mse", mean(square(error)).item<double>()}};
}

void train(example::Run& run) {
  if (!run.flags.data_dir.empty()) throw std::runtime_error("--data-dir: nothing to read here");
  check(run, "swish", swish);
  check(run, "snake", [](const Tensor& x) { return snake(x); });
  check(run, "pseudo_huber", pseudo_huber);

  const std::int64_t count = run.flags.limit ? std::min<std::int64_t>(run.flags.limit, 2000) : 2000;
  data::DataLoader loader(
      noisy_points(count),
      {.batch_size = run.flags.batch_size, .shuffle = true, .seed = run.flags.seed});
  Net net;
  xtape::optim::Adam optimizer(net.parameters(), {.lr = run.flags.lr});
  run.resume(net, optimizer, {.loader = &loader});
  const auto steps = static_cast<double>(run.flags.epochs * loader.size());
  while (run.next_epoch(loader.size())) {
    for (const auto& [x, y] : loader) {
      // The learning rate goes down to 0 in a straight line.
      optimizer.set_lr(run.flags.lr * (1 - run.steps_done() / steps));
      optimizer.zero_grad();
      const Tensor loss = mean(pseudo_huber(net(x) - y));
      loss.backward();
      optimizer.step();
      if (!run.step(loss.item<double>(), x.size(0))) break;
    }
    if (run.epoch_done()) run.end_epoch(evaluate(net));
  }
  if (run.flags.epochs == 0) run.end_epoch(evaluate(net));
  run.finish(net);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "custom_op",
                       .purpose = "Makes three operations and learns a noisy curve with them",
                       .epochs = 20,
                       .batch_size = 32,
                       .lr = 1e-2},
                      train);
}
