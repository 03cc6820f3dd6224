// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "../autograd/export.hpp"
#include "schedule.hpp"

// Schedules of schedules. The parts outlive them, and are stepped by them alone; their states are
// part of the whole's.
namespace xtape::optim {

/// One schedule after the other: the i-th ends, and the next begins, at epoch milestones[i].
class XTAPE_API SequentialLR final : public Schedule {
 public:
  /// Throws ValueError for no schedules, one of another optimizer, a ReduceLROnPlateau, a
  /// ChainedScheduler that is not the first, or milestones that are not one fewer and rising.
  SequentialLR(Optimizer& optimizer, std::vector<Schedule*> schedules,
               std::vector<std::int64_t> milestones);

  void step() override;

 private:
  void fields(detail::ScheduleFields& f) override;
  void jump(std::int64_t epoch) override;
  void wind_back() override;
  const char* unfit(bool later) const override;

  std::vector<Schedule*> schedules_;
  std::vector<std::int64_t> milestones_;
};

/// Several schedules at once: each changes what the one before it made of the rates.
class XTAPE_API ChainedScheduler final : public Schedule {
 public:
  /// Throws ValueError for no schedules, or some of several optimizers.
  explicit ChainedScheduler(std::vector<Schedule*> schedules);

  void step() override;

 private:
  void fields(detail::ScheduleFields& f) override;
  void jump(std::int64_t epoch) override;
  void wind_back() override;
  const char* unfit(bool later) const override;

  std::vector<Schedule*> schedules_;
};

}  // namespace xtape::optim
