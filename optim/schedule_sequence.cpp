// SPDX-License-Identifier: BSD-3-Clause
#include "schedule_sequence.hpp"

#include <algorithm>

#include "../autograd/error.hpp"

namespace xtape::optim {
namespace {

[[noreturn]] void refuse(const char* name, const std::string& what) {
  throw ValueError(std::string(name) + ": " + what);
}

// The parts, where there are some and none is null.
const std::vector<Schedule*>& checked(const char* name, const std::vector<Schedule*>& schedules) {
  if (schedules.empty()) refuse(name, "the list of schedules is empty");
  if (std::count(schedules.begin(), schedules.end(), nullptr) > 0) refuse(name, "a null schedule");
  return schedules;
}

}  // namespace

SequentialLR::SequentialLR(Optimizer& optimizer, std::vector<Schedule*> schedules,
                           std::vector<std::int64_t> milestones)
    : Schedule("SequentialLR", optimizer),
      schedules_(std::move(schedules)),
      milestones_(std::move(milestones)) {
  for (const Schedule* s : checked(name(), schedules_)) {
    if (s->optimizer_ != &optimizer) refuse(name(), "the schedules are of another optimizer");
    if (const char* why = s->unfit(s != schedules_[0])) refuse(name(), why);
  }
  if (milestones_.size() + 1 != schedules_.size()) {
    refuse(name(), "expected " + std::to_string(schedules_.size() - 1) + " milestones for " +
                       std::to_string(schedules_.size()) + " schedules, got " +
                       std::to_string(milestones_.size()));
  }
  const auto rising = [](std::int64_t a, std::int64_t b) { return a < b; };
  if (!milestones_.empty() &&
      (milestones_[0] < 1 || !std::is_sorted(milestones_.begin(), milestones_.end(), rising) ||
       std::adjacent_find(milestones_.begin(), milestones_.end()) != milestones_.end())) {
    refuse(name(), "expected rising milestones from 1 on");
  }
  // The parts have all set their first rates; the first one's alone shall hold.
  for (std::size_t g = 0; g < groups(); ++g) optimizer.set_lr(initial_lr(g), g);
  for (Schedule* s : schedules_) s->wind_back();
  schedules_[0]->step();
  epoch_ = 0;
  remember_rates();
}

void SequentialLR::step() {
  ++epoch_;
  const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), epoch_);
  Schedule& now = *schedules_[static_cast<std::size_t>(next - milestones_.begin())];
  if (next != milestones_.begin() && next[-1] == epoch_) {
    now.jump(0);
  } else {
    now.step();
  }
  remember_rates();
}

void SequentialLR::jump(std::int64_t epoch) {
  const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), epoch);
  const std::int64_t begin = next == milestones_.begin() ? 0 : next[-1];
  schedules_[static_cast<std::size_t>(next - milestones_.begin())]->jump(epoch - begin);
  epoch_ = epoch;
  remember_rates();
}

// It stands in the first part; the others' own beginnings are jumps.
void SequentialLR::wind_back() {
  --epoch_;
  schedules_[0]->wind_back();
}

const char* SequentialLR::unfit(bool later) const { return schedules_[0]->unfit(later); }

void SequentialLR::fields(detail::ScheduleFields& f) {
  Schedule::fields(f);
  for (std::size_t i = 0; i < schedules_.size(); ++i) {
    f.schedule("schedules." + std::to_string(i), *schedules_[i]);
  }
}

ChainedScheduler::ChainedScheduler(std::vector<Schedule*> schedules)
    : Schedule("ChainedScheduler", *checked("ChainedScheduler", schedules)[0]->optimizer_),
      schedules_(std::move(schedules)) {
  for (const Schedule* s : schedules_) {
    if (s->optimizer_ != &optimizer()) refuse(name(), "the schedules are of several optimizers");
  }
  epoch_ = 0;
}

void ChainedScheduler::step() {
  ++epoch_;
  for (Schedule* s : schedules_) s->step();
  remember_rates();
}

void ChainedScheduler::jump(std::int64_t) { refuse(name(), "its parts have no common formula"); }

void ChainedScheduler::wind_back() {
  --epoch_;
  for (Schedule* s : schedules_) s->wind_back();
}

const char* ChainedScheduler::unfit(bool later) const {
  if (later) return "a ChainedScheduler cannot be a later part: its parts have no common formula";
  for (const Schedule* s : schedules_) {
    if (const char* why = s->unfit(false)) return why;
  }
  return nullptr;
}

void ChainedScheduler::fields(detail::ScheduleFields& f) {
  Schedule::fields(f);
  for (std::size_t i = 0; i < schedules_.size(); ++i) {
    f.schedule("schedules." + std::to_string(i), *schedules_[i]);
  }
}

}  // namespace xtape::optim
