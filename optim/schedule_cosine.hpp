// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "schedule.hpp"

// Half waves of a cosine from the first rate to `eta_min`. Loshchilov and Hutter, ICLR 2017.
namespace xtape::optim {

/// eta_min + (lr - eta_min) (1 + cos(pi epoch / t_max)) / 2; up again after t_max. May be chained.
class XTAPE_API CosineAnnealingLR final : public RateSchedule {
 public:
  /// Throws ValueError for t_max < 1 or eta_min < 0.
  CosineAnnealingLR(Optimizer& optimizer, std::int64_t t_max, double eta_min = 0);

 private:
  double rate(std::size_t group, double before) const override;
  double rate_at_once(std::size_t group) const override;

  std::int64_t t_max_;
  double eta_min_;
};

struct WarmRestartsOptions {
  std::int64_t t_mult = 1;  ///< each wave is this many times as long as the one before
  double eta_min = 0;
};

/// The way down again and again, the first time in t_0 epochs.
class XTAPE_API CosineAnnealingWarmRestarts final : public RateSchedule {
 public:
  /// Throws ValueError for t_0 < 1, t_mult < 1 or eta_min < 0.
  CosineAnnealingWarmRestarts(Optimizer& optimizer, std::int64_t t_0,
                              const WarmRestartsOptions& options = {});

 private:
  double rate(std::size_t group, double before) const override;
  void advance() override;
  void move_to(std::int64_t epoch) override;
  void fields(detail::ScheduleFields& f) override;

  WarmRestartsOptions options_;
  std::int64_t t_0_;
  std::int64_t t_i_;        // length of this wave
  std::int64_t t_cur_ = 0;  // epochs since it began
};

}  // namespace xtape::optim
