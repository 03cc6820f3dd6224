// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "optimizer.hpp"

// Learning rates that follow a plan. A schedule refers to its optimizer, which outlives it; it sets
// the rates of epoch 0 when it is made, and those of the next epoch (or step) by `step()`, to be
// called after the optimizer's. Names, defaults and numbers are PyTorch's.
namespace xtape::optim {

class Schedule;

namespace detail {

/// Walks over the numbers that a schedule remembers, for saving them and for reading them back.
class ScheduleFields {
 public:
  virtual void integer(const char* name, std::int64_t& value) = 0;
  virtual void number(const char* name, double& value) = 0;
  virtual void numbers(const char* name, std::vector<double>& values) = 0;
  virtual void schedule(const std::string& name, Schedule& part) = 0;

 protected:
  ~ScheduleFields() = default;
};

}  // namespace detail

/// One number for all groups of parameters, or one for each.
class PerGroup {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> PerGroup(T x) : values_{static_cast<double>(x)} {}
  PerGroup(std::initializer_list<double> values) : values_(values) {}
  PerGroup(std::vector<double> values) : values_(std::move(values)) {}

  const std::vector<double>& values() const noexcept { return values_; }

 private:
  std::vector<double> values_;
};

/// Base of the schedules.
class XTAPE_API Schedule {
 public:
  virtual ~Schedule();
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  /// Sets the rates of the next epoch.
  virtual void step() = 0;
  /// The rates that were set last, one for each group.
  std::vector<double> get_last_lr() const { return last_lr_; }
  std::int64_t last_epoch() const noexcept { return epoch_; }

  /// What changes as it goes on: with it, and with the optimizer's own state, another schedule made
  /// with the same arguments goes on bit for bit.
  NamedTensors state() const;
  /// Takes over `state()`; the rates themselves come with the optimizer's state. Throws ValueError
  /// on a name that does not belong here or is missing, ShapeError, DTypeError; nothing is changed
  /// then.
  void load_state(const NamedTensors& state);

 protected:
  Schedule(const char* name, Optimizer& optimizer);

  Optimizer& optimizer() const noexcept { return *optimizer_; }
  std::size_t groups() const noexcept { return optimizer_->group_count(); }
  const char* name() const noexcept { return name_; }
  /// The rate of a group before its first schedule.
  double initial_lr(std::size_t group) const;
  void set_initial_lr(std::size_t group, double lr);
  void remember_rates();
  /// Throws ValueError unless `valid`: require(gamma >= 0, "gamma >= 0", gamma).
  void require(bool valid, const char* rule, double got) const;
  /// One number for each group. Throws ValueError where there are neither 1 nor as many.
  std::vector<double> spread(const char* argument, const PerGroup& numbers) const;

  virtual void fields(detail::ScheduleFields& f);
  /// Sets the rates of an epoch, whichever was before.
  virtual void jump(std::int64_t epoch) = 0;
  /// Back by one epoch, its parts too, so that `step()` sets the first rates once more.
  virtual void wind_back() { --epoch_; }
  /// Why a SequentialLR cannot have it as its first part, or as a later one; null where it can.
  virtual const char* unfit(bool /*later*/) const { return nullptr; }

  std::int64_t epoch_ = -1;

 private:
  friend class SequentialLR;
  friend class ChainedScheduler;
  friend struct ScheduleAccess;

  const char* name_;
  Optimizer* optimizer_;
  std::vector<double> last_lr_;
};

/// A schedule with a formula for the rate.
class XTAPE_API RateSchedule : public Schedule {
 public:
  void step() override;

 protected:
  /// Remembers the rates of before as those that formulas start from.
  RateSchedule(const char* name, Optimizer& optimizer);
  /// Sets the rates of epoch 0: the last thing that a constructor does.
  void start() { RateSchedule::step(); }

  double base_lr(std::size_t group) const { return base_lrs_[group]; }
  /// The rate of the epoch, given the one of the epoch before, which another schedule may have
  /// changed.
  virtual double rate(std::size_t group, double before) const = 0;
  /// The rate of the epoch, whichever was before.
  virtual double rate_at_once(std::size_t group) const;
  /// Moves to the next epoch, or to any.
  virtual void advance() { ++epoch_; }
  virtual void move_to(std::int64_t epoch) { epoch_ = epoch; }
  virtual void set_momentum() {}

  void fields(detail::ScheduleFields& f) override;
  void jump(std::int64_t epoch) final;

  std::vector<double> base_lrs_;
};

}  // namespace xtape::optim
