// SPDX-License-Identifier: BSD-3-Clause
// A generator learns a ring of eight normal distributions from a critic whose slope is held near 1
// by a penalty on the norm of its gradient, itself differentiated: WGAN-GP (Gulrajani et al.,
// "Improved training of Wasserstein GANs", NeurIPS 2017).
#include <xtape/xtape.hpp>

#include <numbers>

#include "common.hpp"

namespace nn = xtape::nn;
using xtape::Tensor;

constexpr int kEpochs = 10, kCriticSteps = 5;
constexpr std::int64_t kSteps = 200, kModes = 8, kTest = 4000, kLatent = 8, kShown = 1000;
constexpr double kSpread = 0.1, kNear = 4 * kSpread, kMostFar = 0.2, kLeast = 0.5, kPenalty = 1;

struct Net : nn::Module {
  nn::Linear a, b, c, d;
  XTAPE_PARTS(a, b, c, d)
  Net(std::int64_t in, std::int64_t out) : a(in, 64), b(64, 64), c(64, 64), d(64, out) {}
  Tensor forward(const Tensor& x) override { return d(relu(c(relu(b(relu(a(x))))))); }
};

struct Gan : nn::Module {
  Net generator{kLatent, 2}, critic{2, 1};
  XTAPE_PARTS(generator, critic)
  Tensor generate(std::int64_t n) { return generator(xtape::randn({n, kLatent})); }
};

/// The middles of the eight, [8, 2], on a ring of radius 2.
Tensor middles() {
  const Tensor angle = xtape::arange(kModes).to(xtape::float32) * (2 * std::numbers::pi / kModes);
  return 2 * xtape::stack({cos(angle), sin(angle)}, 1);
}

Tensor draw(std::int64_t n) {
  return index_select(middles(), 0, xtape::randint(0, kModes, {n})) +
         kSpread * xtape::randn({n, 2});
}

/// The share of points far from all middles, and how many the middle with the fewest near it has,
/// of its eighth.
example::Values judge(const Tensor& points) {
  const auto nearest = min(norm(points.unsqueeze(1) - middles(), 2, {2}), 1);
  const Tensor close = nearest.values < kNear;
  const Tensor counts = bincount(masked_select(nearest.indices, close), {}, kModes);
  const auto n = static_cast<double>(points.size(0));
  return {{"far", 1 - static_cast<double>(count_nonzero(close).item<std::int64_t>()) / n},
          {"least_mode", static_cast<double>(min(counts).item<std::int64_t>()) / n * kModes}};
}

/// One step of the critic; returns the distance between real and generated points that it measures.
double learn_to_judge(Gan& gan, xtape::optim::Optimizer& optimizer, std::int64_t n) {
  const Tensor real = draw(n), fake = gan.generate(n).detach();
  const Tensor distance = mean(gan.critic(real)) - mean(gan.critic(fake));
  const Tensor loss = kPenalty * nn::gradient_penalty(gan.critic, real, fake) - distance;
  optimizer.zero_grad();
  loss.backward();
  optimizer.step();
  return distance.item<double>();
}

void learn_to_generate(Gan& gan, xtape::optim::Optimizer& optimizer, std::int64_t n) {
  const Tensor loss = -mean(gan.critic(gan.generate(n)));
  optimizer.zero_grad();
  loss.backward();
  gan.critic.zero_grad();  // it was only what the gradient came through
  optimizer.step();
}

/// points.svg and points.csv: drawn and generated points.
void write(const example::Run& run, const Tensor& drawn, const Tensor& generated) {
  const Tensor kind = repeat_interleave(xtape::arange(2), drawn.size(0));
  xtape::data::Plot({.title = "Eight normal distributions", .height = 560})
      .scatter(xtape::cat({drawn, generated}), kind, {"drawn", "generated"})
      .save(run.path("points.svg"));
}

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  if (!flags.data_dir.empty()) throw std::runtime_error("--data-dir: nothing to read here");
  Gan gan;
  // One for both: it leaves alone what has no gradient.
  xtape::optim::Adam optimizer(gan.parameters(), {.lr = flags.lr, .betas = {0.5, 0.9}});
  run.resume(gan, optimizer);
  const auto generated = [&] {
    const xtape::NoGrad no_grad;
    return gan.generate(kTest);
  };
  const std::int64_t n = flags.batch_size;
  const std::int64_t steps = flags.limit ? std::min(flags.limit, kSteps) : kSteps;
  while (run.next_epoch(steps)) {
    for (std::int64_t i = 0; i < steps; ++i) {
      optimizer.set_lr(flags.lr *
                       (1 - run.steps_done() / static_cast<double>(steps * flags.epochs)));
      double distance = 0;
      for (int k = 0; k < kCriticSteps; ++k) distance = learn_to_judge(gan, optimizer, n);
      learn_to_generate(gan, optimizer, n);
      if (!run.step(distance, n)) break;
    }
    if (run.epoch_done()) run.end_epoch(judge(generated()));
  }
  const Tensor points = generated();
  if (flags.epochs == 0) run.end_epoch(judge(points));
  write(run, draw(kShown), narrow(points, 0, 0, kShown));
  run.finish(gan);
  run.expect_at_most("far", kMostFar);
  run.expect_at_least("least_mode", kLeast);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "gradient_penalty",
                       .purpose = "Learns to generate points on a ring, with a penalised critic",
                       .epochs = kEpochs,
                       .batch_size = 256,
                       .lr = 1e-3},
                      train);
}
