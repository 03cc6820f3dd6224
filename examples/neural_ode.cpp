// SPDX-License-Identifier: BSD-3-Clause
// A network learns the right-hand side of a differential equation from its solution (Chen et al.,
// "Neural ordinary differential equations", 2018). The solver is an operation of its own, whose
// gradient solves the adjoint equation backwards in time and needs nothing that was between. It is
// checked against backpropagation through the steps of the solver.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
using xtape::Tensor;
using Tensors = std::vector<Tensor>;

constexpr int kEpochs = 10, kSolverSteps = 4;
constexpr std::int64_t kSteps = 400, kTimes = 101, kAhead = 4;
constexpr double kTime = 0.1, kMostError = 0.03, kMostDifference = 1e-5;

/// dy/dt by a network of these weights and biases.
Tensor slope(const Tensor& y, const Tensor& w, const Tensor& c, const Tensor& v, const Tensor& d) {
  return linear(tanh(linear(y, w, c)), v, d);
}

/// y after kTime, by the classical method of Runge and Kutta, for any number of tensors y.
template <class F>
Tensors runge_kutta(F f, Tensors y) {
  const auto plus = [](Tensors p, double h, const Tensors& q) {
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = p[i] + h * q[i];
    return p;
  };
  constexpr double h = kTime / kSolverSteps;
  for (int i = 0; i < kSolverSteps; ++i) {
    const Tensors k1 = f(y), k2 = f(plus(y, h / 2, k1)), k3 = f(plus(y, h / 2, k2));
    const Tensors k4 = f(plus(y, h, k3));
    y = plus(plus(plus(plus(y, h / 6, k1), h / 3, k2), h / 3, k3), h / 6, k4);
  }
  return y;
}

/// From y to y after kTime.
struct Net : nn::Module {
  nn::Linear a{2, 50, {.dtype = xtape::float64}}, b{50, 2, {.dtype = xtape::float64}};
  XTAPE_PARTS(a, b)
  bool plain = false;  // recorded step by step
  /// One recorded operation, which keeps its result and the weights. Backwards in time go y, the
  /// gradient g with respect to it and those of the weights, which follow from dg/dt = -g df/dy.
  Tensor forward(const Tensor& y) override {
    const Tensor &w = a.weight, &c = a.bias, &v = b.weight, &d = b.bias;
    const auto f = [&](const Tensors& s) { return Tensors{slope(s[0], w, c, v, d)}; };
    if (plain) return runge_kutta(f, {y})[0];
    Tensor end;
    {
      const xtape::NoGrad no_grad;
      end = runge_kutta(f, {y})[0];
    }
    xtape::record("ode", end, {y, w, c, v, d}, saves(end, w, c, v, d), [](xtape::Backward& t) {
      if (t.create_graph()) throw xtape::GradError("ode: differentiable once");
      const Tensor w = t.saved(1), c = t.saved(2), v = t.saved(3), d = t.saved(4);
      const auto backwards = [&](const Tensors& s) {
        const auto [f, slopes] = xtape::vjp(slope, {s[0], w, c, v, d}, {s[1]});
        return Tensors{-f[0], slopes[0], slopes[1], slopes[2], slopes[3], slopes[4]};
      };
      const Tensors state{t.saved(0), t.g(), 0 * w, 0 * c, 0 * v, 0 * d};
      const Tensors found = runge_kutta(backwards, state);
      for (int i = 0; i < 5; ++i) t.add(i, found[static_cast<std::size_t>(i) + 1]);
    });
    return end;
  }
};

/// From the first point on, as the network has it, [kTimes, 2].
Tensor trajectory(Net& net, const Tensor& truth) {
  const xtape::NoGrad no_grad;
  Tensors y{truth[0]};
  while (std::ssize(y) < kTimes) y.push_back(net(y.back()));
  return xtape::stack(y);
}

/// Mean square of the errors at the kAhead times after each start.
Tensor loss_of(Net& net, const Tensor& truth, const Tensor& starts) {
  Tensor y = index_select(truth, 0, starts), loss = xtape::zeros({}, xtape::float64);
  for (std::int64_t i = 1; i <= kAhead; ++i) {
    y = net(y);
    loss = loss + mean(square(y - index_select(truth, 0, starts + i))) / kAhead;
  }
  return loss;
}

double distance(const Tensor& x, const Tensor& y) { return (norm(x - y) / norm(y)).item<double>(); }

/// What both ways keep, how far their gradients are apart, and the network's solution from the
/// true one. The gradients differ by the error of the solver.
example::Values figures(Net net, const Tensor& truth) {
  double bytes[2] = {};
  Tensor gradients[2];
  for (const bool plain : {false, true}) {
    net.plain = plain;
    const Tensor loss = loss_of(net, truth, xtape::arange(kTimes - kAhead));
    for (const auto& e : xtape::tape(loss)) bytes[plain] += static_cast<double>(e.saved_bytes);
    gradients[plain] = nn::parameters_to_vector(xtape::grad({loss}, net.parameters()));
  }
  return {{"bytes_plain", bytes[true]},
          {"bytes_adjoint", bytes[false]},
          {"difference", distance(gradients[false], gradients[true])},
          {"relative_error", distance(trajectory(net, truth), truth)}};
}

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  if (!flags.data_dir.empty()) throw std::runtime_error("--data-dir: nothing to read here");
  const Tensor time = xtape::arange(kTimes).to(xtape::float64) * kTime;
  const Tensor radius = 1 / sqrt(1 + 24 * exp(-2 * time));  // dy/dt = (1 - |y|^2) y + 2 (-y2, y1)
  const Tensor truth = xtape::stack({radius * cos(2 * time), radius * sin(2 * time)}, 1);
  Net net;
  xtape::optim::Adam optimizer(net.parameters(), {.lr = flags.lr});
  const std::int64_t steps = flags.limit ? std::min(flags.limit, kSteps) : kSteps;
  run.resume(net, optimizer);
  while (run.next_epoch(steps)) {
    for (std::int64_t i = 0; i < steps; ++i) {
      const double done = run.steps_done() / static_cast<double>(steps * flags.epochs);
      optimizer.set_lr(flags.lr * (1 - done));
      const Tensor starts = xtape::randint(0, kTimes - kAhead, {flags.batch_size});
      const Tensor loss = loss_of(net, truth, starts);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      if (!run.step(loss.item<double>(), flags.batch_size)) break;
    }
    if (run.epoch_done()) run.end_epoch(figures(net, truth));
  }
  if (flags.epochs == 0) run.end_epoch(figures(net, truth));
  const Tensors y = unbind(truth, 1), of_net = unbind(trajectory(net, truth), 1);
  example::write_curves(
      run, "spiral", {.title = "A spiral", .x_label = "time"}, time,
      {{"y1", y[0]}, {"y1, network", of_net[0]}, {"y2", y[1]}, {"y2, network", of_net[1]}});
  run.finish(net);
  run.expect_at_most("difference", kMostDifference);
  run.expect_at_most("relative_error", kMostError);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "neural_ode",
                       .purpose = "Learns a differential equation through its solver",
                       .epochs = kEpochs,
                       .batch_size = 64,
                       .lr = 1e-2},
                      train);
}
