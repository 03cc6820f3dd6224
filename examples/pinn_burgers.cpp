// SPDX-License-Identifier: BSD-3-Clause
// Burgers' equation u_t + u u_x = nu u_xx, nu = 0.01 / pi, for t in [0, 1] and x in [-1, 1], with
// u(0, x) = -sin(pi x) and u = 0 at both ends: a wave that gets steeper until viscosity stops it. A
// network that never sees the solution is made to obey the equation at random points (Raissi et
// al., "Physics-informed neural networks", J. Comput. Phys. 2019), second derivatives and all.
#include <xtape/xtape.hpp>

#include <numbers>

#include "common.hpp"

namespace nn = xtape::nn;
namespace data = xtape::data;
using xtape::Tensor;

constexpr double kPi = std::numbers::pi, kViscosity = 0.01 / kPi, kMostError = 0.01;
constexpr int kTimes = 101, kPlaces = 201;  // where the solution is compared
constexpr int kEpochs = 10, kSteps = 10, kIterations = 20;
constexpr nn::LinearOptions kFloat64{.dtype = xtape::float64};

/// u(t, x), odd in x as the solution is, and right at t = 0 and at both ends, whatever the weights.
struct Net : nn::Module {
  nn::Linear a{2, 32, kFloat64}, b{32, 32, kFloat64}, c{32, 32, kFloat64}, d{32, 1, kFloat64};
  XTAPE_PARTS(a, b, c, d)

  Tensor free(const Tensor& t, const Tensor& x) {
    return d(tanh(c(tanh(b(tanh(a(xtape::cat({2 * t - 1, x}, 1))))))));
  }
  Tensor forward(const Tensor& t, const Tensor& x) {
    return t * (1 - x * x) * (free(t, x) - free(t, -x)) - sin(kPi * x);
  }
};

struct Points {
  Tensor t, x;
};

/// How far the equation is from holding at each point. Where the wave is steep the terms are large
/// and cancel; without the division these few points would be all that counts.
Tensor residual(Net& net, const Points& points) {
  const Tensor t = points.t.detach().requires_grad_(), x = points.x.detach().requires_grad_();
  const Tensor u = net(t, x);
  const auto slopes = xtape::grad({u.sum()}, {t, x}, {.create_graph = true});
  const Tensor u_t = slopes[0], u_x = slopes[1];
  const Tensor u_xx = xtape::grad({u_x.sum()}, {x}, {.create_graph = true})[0];
  return (u_t + u * u_x - kViscosity * u_xx) / (1 + 0.1 * abs(u_x));
}

/// Random points, more of them where the equation is still far from holding (Wu et al., Comput.
/// Methods Appl. Mech. Eng. 2023). The largest of log(weight) + Gumbel noise are a draw by weight.
Points draw(Net& net, std::int64_t count) {
  const auto uniform = [&] { return xtape::rand({10 * count, 1}, xtape::float64); };
  const Points many{uniform(), uniform()};  // x > 0 is enough
  const Tensor off = abs(residual(net, many)).detach();
  const Tensor key = log(off / mean(off) + 0.3) - log(-log(uniform()));
  const Tensor chosen = topk(key.flatten(), count).indices;
  return {index_select(many.t, 0, chosen), index_select(many.x, 0, chosen)};
}

/// The solution at one time (Cole and Hopf): the mean of -sin(pi y), where the wave came from, with
/// weights exp(-cos(pi y) / (2 pi nu) - (x - y)^2 / (4 nu t)), by the trapezoidal rule.
Tensor exact(double t, const Tensor& x) {
  if (t == 0) return -sin(kPi * x);
  const Tensor y = xtape::linspace(-2, 2, 4001, xtape::float64);
  const Tensor exponent =
      -cos(kPi * y) / (2 * kPi * kViscosity) - square(x - y) / (4 * kViscosity * t);
  return sum(softmax(exponent, 1) * -sin(kPi * y), {1}, true);
}

/// f(t) at each time, [kTimes, kPlaces].
template <class F>
Tensor at_all_times(F f) {
  const xtape::NoGrad no_grad;
  std::vector<Tensor> rows;
  for (int row = 0; row < kTimes; ++row) rows.push_back(f(row / (kTimes - 1.0)).flatten());
  return stack(rows);
}

/// burgers.svg and burgers.csv: the wave at three times, the network's dashed over the exact one.
void write(const example::Run& run, const Tensor& x, const Tensor& u, const Tensor& truth) {
  data::Table table;
  data::Plot plot({.title = "Burgers' equation", .x_label = "x", .y_label = "u", .width = 800});
  const auto values = [](const Tensor& a) {
    return std::vector<double>(a.data<double>(), a.data<double>() + a.numel());
  };
  table.add("x", values(x));
  for (const auto& [name, wave] : {std::pair("exact", truth), std::pair("network", u)}) {
    for (const std::int64_t percent : {25, 50, 100}) {
      const std::string label = name + (", t = " + example::detail::short_number(percent / 100.0));
      std::vector<double> y = values(wave[percent]);
      table.add(label, y);
      for (std::size_t i = 0; name[0] == 'n' && i < y.size(); ++i) {
        if (i / 4 % 2 == 1) y[i] = NAN;
      }
      plot.line(label, values(x), y);
    }
  }
  plot.save(run.path("burgers.svg"));
  data::write_csv(run.path("burgers.csv"), table);  // without the gaps of the dashes
}

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  if (!flags.data_dir.empty()) throw std::runtime_error("--data-dir: nothing to read here");
  const Tensor x = xtape::linspace(-1, 1, kPlaces, xtape::float64).reshape({-1, 1});
  const Tensor truth = at_all_times([&](double t) { return exact(t, x); });
  Net net;
  xtape::optim::LBFGS optimizer(net.parameters(),
                                {.lr = flags.lr,
                                 .max_iter = kIterations,
                                 .line_search_fn = xtape::optim::LineSearch::strong_wolfe});
  const auto fresh = optimizer.state();
  run.resume(net, optimizer);
  const auto solution = [&] {
    return at_all_times([&](double t) { return net(full_like(x, t), x); });
  };
  const auto error = [&] { return (norm(solution() - truth) / norm(truth)).item<double>(); };
  const auto count = flags.limit ? std::min(flags.limit, flags.batch_size) : flags.batch_size;
  while (run.next_epoch(kSteps)) {
    const Points points = draw(net, count);
    optimizer.load_state(fresh);  // what it knows is of other points
    for (int i = 0; i < kSteps; ++i) {
      const Tensor loss = optimizer.step([&] {
        optimizer.zero_grad();
        const Tensor l = mean(square(residual(net, points)));
        l.backward();
        return l;
      });
      if (!run.step(loss.item<double>(), count)) break;
    }
    if (run.epoch_done()) run.end_epoch({{"relative_error", error()}});
  }
  if (flags.epochs == 0) run.end_epoch({{"relative_error", error()}});
  write(run, x, solution(), truth);
  run.finish(net);
  run.expect_at_most("relative_error", kMostError);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "pinn_burgers",
                       .purpose = "Solves Burgers' equation by a network",
                       .epochs = kEpochs,
                       .batch_size = 1000,
                       .lr = 1},
                      train);
}
