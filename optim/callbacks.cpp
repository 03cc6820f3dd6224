// SPDX-License-Identifier: BSD-3-Clause
#include "callbacks.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "../autograd/error.hpp"
#include "../data/field.hpp"
#include "../data/file.hpp"
#include "../data/number_text.hpp"
#include "../nn/state.hpp"
#include "checkpoint.hpp"
#include "stored_number.hpp"

namespace xtape::optim {

using data::detail::csv_field;
using data::detail::number_text;

void FollowSchedule::on_epoch_end(FitState& state) {
  if (plateau_) {
    plateau_->step(state.history.last(monitor_));
  } else {
    schedule_.step();
  }
}

EarlyStopping::EarlyStopping(const EarlyStoppingOptions& options) : options_(options) {
  if (options.patience < 0 || !(options.min_delta >= 0)) {
    throw ValueError("EarlyStopping: patience and min_delta are at least 0, got " +
                     std::to_string(options.patience) + " and " + number_text(options.min_delta));
  }
}

void EarlyStopping::on_fit_begin(FitState& state) {
  if (state.epoch > 0) return;  // resumed
  best_ = 0;
  best_epoch_ = waited_ = 0;
  weights_.clear();
}

void EarlyStopping::on_epoch_end(FitState& state) {
  const double figure = state.history.last(options_.monitor);
  const double gain = options_.mode == PlateauMode::min ? best_ - figure : figure - best_;
  // A first figure that is NaN must not be what later ones are measured by.
  const bool better = best_epoch_ == 0 ? figure == figure : gain > options_.min_delta;
  if (!better) {
    if (++waited_ > options_.patience) state.stop = true;
    return;
  }
  best_ = figure;
  best_epoch_ = state.epoch;
  waited_ = 0;
  if (!options_.best.empty()) {
    save_model(state.model, options_.best);
  } else if (options_.restore_best) {
    weights_ = nn::state_dict(state.model);
    for (auto& [name, t] : weights_) t = t.detach().clone();
  }
}

void EarlyStopping::on_fit_end(FitState& state) {
  if (!options_.restore_best || best_epoch_ == 0) return;
  if (options_.best.empty()) {
    nn::load_state(state.model, weights_);
  } else {
    load_model(state.model, options_.best);
  }
}

NamedNumbers EarlyStopping::state() const {
  return {{"best", best_},
          {"best_epoch", static_cast<double>(best_epoch_)},
          {"waited", static_cast<double>(waited_)}};
}

void EarlyStopping::load_state(const NamedNumbers& state) {
  if (options_.restore_best && options_.best.empty()) {
    throw ValueError("EarlyStopping: to resume and restore the best, name a file for it");
  }
  const auto number = [&](const char* name) {
    return detail::stored_number("EarlyStopping", state, name);
  };
  const double best = number("best"), epoch = number("best_epoch"), waited = number("waited");
  best_ = best;
  best_epoch_ = static_cast<std::int64_t>(epoch);
  waited_ = static_cast<std::int64_t>(waited);
}

void CSVLog::on_epoch_end(FitState& state) {
  std::string text = "epoch";
  for (const auto& [name, x] : state.history.epochs.front()) text += "," + csv_field(name);
  std::int64_t epoch = 0;
  for (const NamedNumbers& figures : state.history.epochs) {
    text += "\n" + std::to_string(++epoch);
    for (const auto& [name, x] : figures) text += "," + number_text(x);
  }
  text += "\n";
  data::detail::OutputFile file("CSVLog", path_);
  file.write(text.data(), text.size());
  file.commit();
}

namespace {

constexpr std::int64_t kBarWidth = 30, kBarEvery = 100;  // characters, ms
constexpr const char* kClearLine = "\r\x1b[K";

std::int64_t milliseconds() {
  using namespace std::chrono;
  return duration_cast<std::chrono::milliseconds>(steady_clock::now().time_since_epoch()).count();
}

std::string epoch_of(const FitState& state) {
  return "epoch " + std::to_string(state.epoch) + "/" + std::to_string(state.epochs);
}

}  // namespace

void Progress::on_fit_begin(FitState&) {
  on_terminal_ = ::isatty(STDOUT_FILENO) != 0;
  drawn_ = 0;
}

void Progress::on_backward(FitState&, const data::Batch&, const Tensor& loss) {
  if (on_terminal_) loss_ = loss.item<double>();
}

void Progress::on_batch_end(FitState& state) {
  const std::int64_t now = on_terminal_ ? milliseconds() : 0, batches = state.train.size();
  if (!on_terminal_ || now - drawn_ < kBarEvery) return;
  drawn_ = now;
  bar_stands_ = true;
  const auto full = static_cast<std::size_t>(kBarWidth * state.batch / batches);
  std::string bar(static_cast<std::size_t>(kBarWidth), '-');
  bar.replace(0, full, full, '#');
  std::printf("%s%s [%s] %3d %%  loss %.4g", kClearLine, epoch_of(state).c_str(), bar.c_str(),
              static_cast<int>(100 * state.batch / batches), loss_);
  std::fflush(stdout);
}

void Progress::on_fit_end(FitState&) {
  if (!bar_stands_) return;
  bar_stands_ = false;
  std::fputs(kClearLine, stdout);
  std::fflush(stdout);
}

void Progress::on_epoch_end(FitState& state) {
  on_fit_end(state);  // the line takes the bar's place
  std::string line = epoch_of(state);
  for (const auto& [name, x] : state.history.epochs.back()) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", x);
    line += "  " + name + " " + text;
  }
  std::puts(line.c_str());
  std::fflush(stdout);
}

}  // namespace xtape::optim
