// SPDX-License-Identifier: BSD-3-Clause
#include "schedule_cycle.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../autograd/error.hpp"

namespace xtape::optim {
namespace {

void check_momentum(const char* name, const Optimizer& optimizer, bool wanted) {
  if (!wanted || optimizer.has_momentum()) return;
  throw ValueError(std::string(name) +
                   ": the optimizer has no momentum; set cycle_momentum = false");
}

}  // namespace

OneCycleLR::OneCycleLR(Optimizer& optimizer, const PerGroup& max_lr, const OneCycleOptions& options)
    : RateSchedule("OneCycleLR", optimizer),
      options_(options),
      total_steps_(options.total_steps > 0 ? options.total_steps
                                           : options.epochs * options.steps_per_epoch),
      max_lrs_(spread("max_lr", max_lr)),
      base_momenta_(spread("base_momentum", options.base_momentum)),
      max_momenta_(spread("max_momentum", options.max_momentum)) {
  check(options);
  for (const double lr : max_lrs_) require(lr >= 0, "max_lr >= 0", lr);
  check_momentum("OneCycleLR", optimizer, options.cycle_momentum);
  const double up = options.pct_start * static_cast<double>(total_steps_);
  const auto last = static_cast<double>(total_steps_ - 1);
  if (options.three_phase) {
    phases_ = {{up - 1, 0, 1}, {2 * up - 2, 1, 0}, {last, 0, 2}};
  } else {
    phases_ = {{up - 1, 0, 1}, {last, 1, 2}};
  }
  for (std::size_t g = 0; g < groups(); ++g) {
    base_lrs_[g] = max_lrs_[g] / options.div_factor;
    set_initial_lr(g, base_lrs_[g]);
  }
  start();
}

void OneCycleLR::check(const OneCycleOptions& o) const {
  require(o.total_steps >= 0, "total_steps >= 0", static_cast<double>(o.total_steps));
  require(o.epochs >= 0, "epochs >= 0", static_cast<double>(o.epochs));
  require(o.steps_per_epoch >= 0, "steps_per_epoch >= 0", static_cast<double>(o.steps_per_epoch));
  require(total_steps_ >= 1, "total_steps, or epochs * steps_per_epoch, >= 1",
          static_cast<double>(total_steps_));
  require(o.pct_start >= 0 && o.pct_start <= 1, "pct_start in [0, 1]", o.pct_start);
  require(o.div_factor > 0, "div_factor > 0", o.div_factor);
  require(o.final_div_factor > 0, "final_div_factor > 0", o.final_div_factor);
}

double OneCycleLR::anneal(double from, double to, double share) const {
  if (options_.anneal_strategy == AnnealStrategy::linear) return (to - from) * share + from;
  return to + (from - to) / 2 * (std::cos(std::numbers::pi * share) + 1);
}

template <class F>
auto OneCycleLR::in_phase(F f) const {
  const auto step = static_cast<double>(epoch_);
  double begin = 0;
  std::size_t i = 0;
  for (; i + 1 < phases_.size() && step > phases_[i].end; ++i) begin = phases_[i].end;
  const double length = phases_[i].end - begin;
  // The step after the last one stays at the end.
  return f(phases_[i], length == 0 ? 1 : std::min((step - begin) / length, 1.0));
}

double OneCycleLR::rate(std::size_t group, double) const {
  const double first = base_lr(group);
  const double rates[] = {first, max_lrs_[group], first / options_.final_div_factor};
  return in_phase(
      [&](const Phase& p, double share) { return anneal(rates[p.from], rates[p.to], share); });
}

void OneCycleLR::advance() {
  if (epoch_ >= total_steps_) {
    throw ValueError("OneCycleLR: step " + std::to_string(epoch_ + 1) + " is beyond total_steps " +
                     std::to_string(total_steps_));
  }
  ++epoch_;
}

void OneCycleLR::set_momentum() {
  if (!options_.cycle_momentum) return;
  for (std::size_t g = 0; g < groups(); ++g) {
    const double momenta[] = {max_momenta_[g], base_momenta_[g], max_momenta_[g]};
    const double momentum = in_phase([&](const Phase& p, double share) {
      return anneal(momenta[p.from], momenta[p.to], share);
    });
    optimizer().set_momentum(momentum, g);
  }
}

CyclicLR::CyclicLR(Optimizer& optimizer, const PerGroup& base_lr, const PerGroup& max_lr,
                   const CyclicOptions& options)
    : RateSchedule("CyclicLR", optimizer),
      options_(options),
      max_lrs_(spread("max_lr", max_lr)),
      base_momenta_(spread("base_momentum", options.base_momentum)),
      max_momenta_(spread("max_momentum", options.max_momentum)) {
  base_lrs_ = spread("base_lr", base_lr);
  for (const double lr : base_lrs_) require(lr >= 0, "base_lr >= 0", lr);
  for (const double lr : max_lrs_) require(lr >= 0, "max_lr >= 0", lr);
  require(options.step_size_up >= 1, "step_size_up >= 1",
          static_cast<double>(options.step_size_up));
  require(options.step_size_down >= 0, "step_size_down >= 0",
          static_cast<double>(options.step_size_down));
  require(options.gamma >= 0, "gamma >= 0", options.gamma);
  check_momentum("CyclicLR", optimizer, options.cycle_momentum);
  start();
}

double CyclicLR::height() const {
  const auto up = static_cast<double>(options_.step_size_up);
  const auto down = static_cast<double>(options_.step_size_down);
  const double size = up + (down > 0 ? down : up), ratio = up / size;
  const auto step = static_cast<double>(epoch_);
  const double cycle = std::floor(1 + step / size);
  const double x = 1 + step / size - cycle;
  const double level = x <= ratio ? x / ratio : (x - 1) / (ratio - 1);
  switch (options_.mode) {
    case CyclicMode::triangular2:
      return level / std::pow(2.0, cycle - 1);
    case CyclicMode::exp_range:
      return level * std::pow(options_.gamma, step);
    default:
      return level;
  }
}

double CyclicLR::rate(std::size_t group, double) const {
  return base_lr(group) + (max_lrs_[group] - base_lr(group)) * height();
}

void CyclicLR::set_momentum() {
  if (!options_.cycle_momentum) return;
  for (std::size_t g = 0; g < groups(); ++g) {
    const double span = max_momenta_[g] - base_momenta_[g];
    optimizer().set_momentum(max_momenta_[g] - span * height(), g);
  }
}

}  // namespace xtape::optim
