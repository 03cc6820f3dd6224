// SPDX-License-Identifier: BSD-3-Clause
#include "schedule_plateau.hpp"

#include <algorithm>
#include <limits>

#include "../autograd/error.hpp"

namespace xtape::optim {

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, const PlateauOptions& options)
    : Schedule("ReduceLROnPlateau", optimizer),
      options_(options),
      min_lrs_(spread("min_lr", options.min_lr)),
      best_(options.mode == PlateauMode::min ? std::numeric_limits<double>::infinity()
                                             : -std::numeric_limits<double>::infinity()) {
  require(options.factor >= 0 && options.factor < 1, "factor in [0, 1)", options.factor);
  require(options.patience >= 0, "patience >= 0", static_cast<double>(options.patience));
  require(options.cooldown >= 0, "cooldown >= 0", static_cast<double>(options.cooldown));
  epoch_ = 0;
}

void ReduceLROnPlateau::step() {
  throw ValueError("ReduceLROnPlateau: step needs the epoch's metric: step(loss)");
}

void ReduceLROnPlateau::jump(std::int64_t) { step(); }

const char* ReduceLROnPlateau::unfit(bool) const {
  return "a ReduceLROnPlateau cannot be a part: it needs the epoch's metric";
}

bool ReduceLROnPlateau::is_better(double metric) const {
  const double t = options_.threshold;
  const bool relative = options_.threshold_mode == ThresholdMode::rel;
  if (options_.mode == PlateauMode::min) {
    return metric < (relative ? best_ * (1 - t) : best_ - t);
  }
  return metric > (relative ? best_ * (1 + t) : best_ + t);
}

void ReduceLROnPlateau::step(double metric) {
  ++epoch_;
  if (is_better(metric)) {
    best_ = metric;
    bad_epochs_ = 0;
  } else {
    ++bad_epochs_;
  }
  if (cooldown_ > 0) {
    --cooldown_;
    bad_epochs_ = 0;
  }
  if (bad_epochs_ > options_.patience) {
    reduce();
    cooldown_ = options_.cooldown;
    bad_epochs_ = 0;
  }
  remember_rates();
}

void ReduceLROnPlateau::reduce() {
  for (std::size_t g = 0; g < groups(); ++g) {
    const double before = optimizer().lr(g);
    const double after = std::max(before * options_.factor, min_lrs_[g]);
    if (before - after > options_.eps) optimizer().set_lr(after, g);
  }
}

void ReduceLROnPlateau::fields(detail::ScheduleFields& f) {
  Schedule::fields(f);
  f.number("best", best_);
  f.integer("bad_epochs", bad_epochs_);
  f.integer("cooldown", cooldown_);
}

}  // namespace xtape::optim
