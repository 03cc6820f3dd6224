// SPDX-License-Identifier: BSD-3-Clause
#include "schedule_factor.hpp"

#include <algorithm>
#include <cmath>

#include "../autograd/error.hpp"

namespace xtape::optim {
namespace {

double power(double x, std::int64_t n) { return std::pow(x, static_cast<double>(n)); }

}  // namespace

StepLR::StepLR(Optimizer& optimizer, std::int64_t step_size, double gamma)
    : RateSchedule("StepLR", optimizer), step_size_(step_size), gamma_(gamma) {
  require(step_size >= 1, "step_size >= 1", static_cast<double>(step_size));
  require(gamma >= 0, "gamma >= 0", gamma);
  start();
}

double StepLR::rate(std::size_t, double before) const {
  return epoch_ == 0 || epoch_ % step_size_ != 0 ? before : before * gamma_;
}

double StepLR::rate_at_once(std::size_t group) const {
  return base_lr(group) * power(gamma_, epoch_ / step_size_);
}

MultiStepLR::MultiStepLR(Optimizer& optimizer, std::vector<std::int64_t> milestones, double gamma)
    : RateSchedule("MultiStepLR", optimizer), milestones_(std::move(milestones)), gamma_(gamma) {
  require(gamma >= 0, "gamma >= 0", gamma);
  std::sort(milestones_.begin(), milestones_.end());
  start();
}

double MultiStepLR::rate(std::size_t, double before) const {
  const auto here = std::count(milestones_.begin(), milestones_.end(), epoch_);
  return here == 0 ? before : before * power(gamma_, here);
}

double MultiStepLR::rate_at_once(std::size_t group) const {
  const auto passed = std::upper_bound(milestones_.begin(), milestones_.end(), epoch_);
  return base_lr(group) * power(gamma_, passed - milestones_.begin());
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, double gamma)
    : RateSchedule("ExponentialLR", optimizer), gamma_(gamma) {
  require(gamma >= 0, "gamma >= 0", gamma);
  start();
}

double ExponentialLR::rate(std::size_t, double before) const {
  return epoch_ == 0 ? before : before * gamma_;
}

double ExponentialLR::rate_at_once(std::size_t group) const {
  return base_lr(group) * power(gamma_, epoch_);
}

PolynomialLR::PolynomialLR(Optimizer& optimizer, std::int64_t total_iters, double power)
    : RateSchedule("PolynomialLR", optimizer), total_iters_(total_iters), power_(power) {
  require(total_iters >= 1, "total_iters >= 1", static_cast<double>(total_iters));
  require(power >= 0, "power >= 0", power);
  start();
}

double PolynomialLR::rate(std::size_t, double before) const {
  if (epoch_ == 0 || epoch_ > total_iters_) return before;
  const auto total = static_cast<double>(total_iters_), t = static_cast<double>(epoch_);
  return before * std::pow((1 - t / total) / (1 - (t - 1) / total), power_);
}

double PolynomialLR::rate_at_once(std::size_t group) const {
  const auto total = static_cast<double>(total_iters_);
  return base_lr(group) *
         std::pow(1 - static_cast<double>(std::min(total_iters_, epoch_)) / total, power_);
}

LinearLR::LinearLR(Optimizer& optimizer, const LinearLROptions& options)
    : RateSchedule("LinearLR", optimizer), options_(options) {
  require(options.start_factor > 0 && options.start_factor <= 1, "start_factor in (0, 1]",
          options.start_factor);
  require(options.end_factor >= 0 && options.end_factor <= 1, "end_factor in [0, 1]",
          options.end_factor);
  require(options.total_iters >= 1, "total_iters >= 1", static_cast<double>(options.total_iters));
  start();
}

double LinearLR::rate(std::size_t, double before) const {
  const LinearLROptions& o = options_;
  if (epoch_ == 0) return before * o.start_factor;
  if (epoch_ > o.total_iters) return before;
  const double rise = o.end_factor - o.start_factor;
  const double factor = 1 + rise / (static_cast<double>(o.total_iters) * o.start_factor +
                                    static_cast<double>(epoch_ - 1) * rise);
  return before * std::max(factor, 0.0);  // by rounding, at a line's end in 0
}

double LinearLR::rate_at_once(std::size_t group) const {
  const LinearLROptions& o = options_;
  const double done = static_cast<double>(std::min(o.total_iters, epoch_));
  const double factor =
      o.start_factor + (o.end_factor - o.start_factor) * done / static_cast<double>(o.total_iters);
  return base_lr(group) * std::max(factor, 0.0);
}

ConstantLR::ConstantLR(Optimizer& optimizer, double factor, std::int64_t total_iters)
    : RateSchedule("ConstantLR", optimizer), factor_(factor), total_iters_(total_iters) {
  require(factor > 0 && factor <= 1, "factor in (0, 1]", factor);
  require(total_iters >= 1, "total_iters >= 1", static_cast<double>(total_iters));
  start();
}

double ConstantLR::rate(std::size_t, double before) const {
  if (epoch_ == 0) return before * factor_;
  return epoch_ == total_iters_ ? before * (1 / factor_) : before;
}

double ConstantLR::rate_at_once(std::size_t group) const {
  return base_lr(group) * (epoch_ >= total_iters_ ? 1 : factor_);
}

LambdaLR::LambdaLR(Optimizer& optimizer, RateFunction f)
    : LambdaLR(optimizer, std::vector<RateFunction>(optimizer.group_count(), f)) {}

LambdaLR::LambdaLR(Optimizer& optimizer, std::vector<RateFunction> f)
    : RateSchedule("LambdaLR", optimizer), f_(std::move(f)) {
  if (f_.size() != groups()) {
    throw ValueError("LambdaLR: expected " + std::to_string(groups()) +
                     " functions, one for each group, got " + std::to_string(f_.size()));
  }
  start();
}

double LambdaLR::rate(std::size_t group, double) const {
  return base_lr(group) * f_[group](epoch_);
}

}  // namespace xtape::optim
