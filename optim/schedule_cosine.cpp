// SPDX-License-Identifier: BSD-3-Clause
#include "schedule_cosine.hpp"

#include <cmath>
#include <numbers>

namespace xtape::optim {
namespace {

// 1 at the start, 0 after `length`.
double half_wave(std::int64_t t, std::int64_t length) {
  return (1 + std::cos(std::numbers::pi * static_cast<double>(t) / static_cast<double>(length))) /
         2;
}

}  // namespace

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, std::int64_t t_max, double eta_min)
    : RateSchedule("CosineAnnealingLR", optimizer), t_max_(t_max), eta_min_(eta_min) {
  require(t_max >= 1, "t_max >= 1", static_cast<double>(t_max));
  require(eta_min >= 0, "eta_min >= 0", eta_min);
  start();
}

double CosineAnnealingLR::rate(std::size_t group, double before) const {
  if (epoch_ == 0) return before;
  if ((epoch_ - 1 - t_max_) % (2 * t_max_) == 0) {  // from the lowest point no factor leads up
    return before + (base_lr(group) - eta_min_) * (1 - half_wave(1, t_max_));
  }
  return half_wave(epoch_, t_max_) / half_wave(epoch_ - 1, t_max_) * (before - eta_min_) + eta_min_;
}

double CosineAnnealingLR::rate_at_once(std::size_t group) const {
  return eta_min_ + (base_lr(group) - eta_min_) * half_wave(epoch_, t_max_);
}

CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(Optimizer& optimizer, std::int64_t t_0,
                                                         const WarmRestartsOptions& options)
    : RateSchedule("CosineAnnealingWarmRestarts", optimizer),
      options_(options),
      t_0_(t_0),
      t_i_(t_0) {
  require(t_0 >= 1, "t_0 >= 1", static_cast<double>(t_0));
  require(options.t_mult >= 1, "t_mult >= 1", static_cast<double>(options.t_mult));
  require(options.eta_min >= 0, "eta_min >= 0", options.eta_min);
  start();
}

double CosineAnnealingWarmRestarts::rate(std::size_t group, double) const {
  return options_.eta_min + (base_lr(group) - options_.eta_min) * half_wave(t_cur_, t_i_);
}

void CosineAnnealingWarmRestarts::advance() {
  if (++epoch_ == 0) return;
  if (++t_cur_ < t_i_) return;
  t_cur_ -= t_i_;
  t_i_ *= options_.t_mult;
}

void CosineAnnealingWarmRestarts::move_to(std::int64_t epoch) {
  epoch_ = t_cur_ = epoch;
  for (t_i_ = t_0_; t_cur_ >= t_i_; t_i_ *= options_.t_mult) t_cur_ -= t_i_;
}

void CosineAnnealingWarmRestarts::fields(detail::ScheduleFields& f) {
  RateSchedule::fields(f);
  f.integer("t_i", t_i_);
  f.integer("t_cur", t_cur_);
}

}  // namespace xtape::optim
