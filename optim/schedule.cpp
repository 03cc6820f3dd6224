// SPDX-License-Identifier: BSD-3-Clause
#include "schedule.hpp"

#include <span>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "number_error.hpp"
#include "state_reader.hpp"

namespace xtape::optim {

/// Opens the list of fields of a part to the walks below.
struct ScheduleAccess {
  static void fields(Schedule& schedule, detail::ScheduleFields& f) { schedule.fields(f); }
};

namespace {

class Writer final : public detail::ScheduleFields {
 public:
  Writer(NamedTensors& state, std::string prefix) : state_(state), prefix_(std::move(prefix)) {}

  void integer(const char* name, std::int64_t& value) override {
    add(name, scalar_tensor(value, int64));
  }
  void number(const char* name, double& value) override {
    add(name, scalar_tensor(value, float64));
  }
  void numbers(const char* name, std::vector<double>& values) override {
    add(name, from_values<double>(values, {static_cast<std::int64_t>(values.size())}));
  }
  void schedule(const std::string& name, Schedule& part) override {
    Writer inner(state_, prefix_ + name + ".");
    ScheduleAccess::fields(part, inner);
  }

 private:
  void add(const char* name, Tensor value) {
    state_.emplace_back(prefix_ + name, std::move(value));
  }

  NamedTensors& state_;
  std::string prefix_;
};

// Checks first, takes over in a second walk.
class Reader final : public detail::ScheduleFields {
 public:
  Reader(detail::StateReader& state, std::string prefix, bool take_over)
      : state_(state), prefix_(std::move(prefix)), take_over_(take_over) {}

  void integer(const char* name, std::int64_t& value) override {
    const std::int64_t read = state_.integer(prefix_ + name);
    if (take_over_) value = read;
  }
  void number(const char* name, double& value) override {
    const double read = state_.number(prefix_ + name);
    if (take_over_) value = read;
  }
  void numbers(const char* name, std::vector<double>& values) override {
    std::vector<double> read = state_.numbers(prefix_ + name, values.size());
    if (take_over_) values = std::move(read);
  }
  void schedule(const std::string& name, Schedule& part) override {
    Reader inner(state_, prefix_ + name + ".", take_over_);
    ScheduleAccess::fields(part, inner);
  }

 private:
  detail::StateReader& state_;
  std::string prefix_;
  bool take_over_;
};

}  // namespace

Schedule::Schedule(const char* name, Optimizer& optimizer) : name_(name), optimizer_(&optimizer) {
  for (std::size_t g = 0; g < groups(); ++g) {
    double& initial = optimizer.groups_[g].initial_lr;
    if (initial < 0) initial = optimizer.lr(g);
  }
  remember_rates();
}

Schedule::~Schedule() = default;

double Schedule::initial_lr(std::size_t group) const {
  return optimizer_->groups_[group].initial_lr;
}

void Schedule::set_initial_lr(std::size_t group, double lr) {
  optimizer_->groups_[group].initial_lr = lr;
}

void Schedule::remember_rates() {
  last_lr_.clear();
  for (std::size_t g = 0; g < groups(); ++g) last_lr_.push_back(optimizer_->lr(g));
}

void Schedule::require(bool valid, const char* rule, double got) const {
  if (!valid) detail::refuse_number(name_, rule, got);
}

std::vector<double> Schedule::spread(const char* argument, const PerGroup& numbers) const {
  std::vector<double> values = numbers.values();
  if (values.size() == 1) values.resize(groups(), values[0]);
  if (values.size() == groups()) return values;
  throw ValueError(std::string(name_) + ": " + argument + ": expected 1 number or " +
                   std::to_string(groups()) + ", one for each group, got " +
                   std::to_string(values.size()));
}

void Schedule::fields(detail::ScheduleFields& f) {
  f.integer("last_epoch", epoch_);
  f.numbers("last_lr", last_lr_);
}

NamedTensors Schedule::state() const {
  NamedTensors all;
  Writer writer(all, "");
  const_cast<Schedule*>(this)->fields(writer);
  return all;
}

void Schedule::load_state(const NamedTensors& state) {
  detail::StateReader reader(std::string(name_) + ": load_state", state);
  Reader check(reader, "", false), take_over(reader, "", true);
  fields(check);
  reader.finish("this schedule");
  fields(take_over);
}

RateSchedule::RateSchedule(const char* name, Optimizer& optimizer) : Schedule(name, optimizer) {
  for (std::size_t g = 0; g < groups(); ++g) base_lrs_.push_back(initial_lr(g));
}

void RateSchedule::step() {
  advance();
  for (std::size_t g = 0; g < groups(); ++g) optimizer().set_lr(rate(g, optimizer().lr(g)), g);
  set_momentum();
  remember_rates();
}

void RateSchedule::jump(std::int64_t epoch) {
  move_to(epoch);
  for (std::size_t g = 0; g < groups(); ++g) optimizer().set_lr(rate_at_once(g), g);
  set_momentum();
  remember_rates();
}

double RateSchedule::rate_at_once(std::size_t group) const {
  return rate(group, optimizer().lr(group));
}

void RateSchedule::fields(detail::ScheduleFields& f) {
  Schedule::fields(f);
  f.numbers("base_lrs", base_lrs_);
}

}  // namespace xtape::optim
