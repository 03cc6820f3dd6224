// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include <xtape/xtape.hpp>

#include "flags.hpp"
#include "progress.hpp"
#include "values.hpp"

namespace example::detail {

/// What decides the numbers that a run computes.
inline Values settings(const Flags& flags) {
  return {{"--epochs", flags.epochs},
          {"--batch-size", static_cast<double>(flags.batch_size)},
          {"--lr", flags.lr},
          {"--seed", static_cast<double>(flags.seed)},
          {"--limit", static_cast<double>(flags.limit)},
          {"--no-dropout", flags.no_dropout},
          {"--bf16", flags.bf16},
          {"processes", flags.processes}};
}

/// The file that --resume goes on from.
class Checkpoint {
 public:
  Checkpoint(std::string path, const Flags& flags)
      : path_(std::move(path)), settings_(settings(flags)), every_(flags.checkpoint_every) {}

  const std::string& path() const { return path_; }
  bool exists() const { return std::filesystem::exists(path_); }

  /// What is to be saved, until end(); null: the run has no optimizer.
  void begin(xtape::nn::Module& model, xtape::optim::Optimizer* optimizer,
             const xtape::optim::CheckpointParts& parts) {
    model_ = &model;
    optimizer_ = optimizer;
    parts_ = parts;
  }
  void end() { model_ = nullptr; }
  bool begun() const { return model_ != nullptr; }
  /// True where a run can go on in the middle of a pass.
  bool holds_loader() const { return parts_.loader != nullptr; }
  bool due() const { return model_ && seconds_since(saved_) >= every_; }

  /// Writes it, with all that the run reports.
  void save(std::int64_t epoch, std::int64_t step, const Values& report) {
    if (!model_) return;
    xtape::optim::Position position{epoch, step, settings_};
    position.metrics.insert(position.metrics.end(), report.begin(), report.end());
    if (optimizer_) {
      xtape::optim::save_checkpoint(path_, *model_, *optimizer_, position, parts_);
    } else {
      xtape::optim::save_checkpoint(path_, *model_, position, parts_);
    }
    saved_ = Clock::now();
  }

  /// Throws where it was begun with other settings, before anything is loaded.
  xtape::optim::Position load() {
    const Values stored = xtape::optim::read_position(path_).metrics;
    for (const auto& [flag, value] : settings_) {
      const auto same = [&flag = flag](const auto& s) { return s.first == flag; };
      const auto found = std::find_if(stored.begin(), stored.end(), same);
      if (found == stored.end()) {
        throw std::runtime_error("--resume: " + path_ + " is of another program");
      }
      if (found->second == value) continue;
      throw std::runtime_error("--resume: " + path_ + " was begun with " + flag + " " +
                               number(found->second) + ", not " + number(value));
    }
    return optimizer_ ? xtape::optim::load_checkpoint(path_, *model_, *optimizer_, parts_)
                      : xtape::optim::load_checkpoint(path_, *model_, parts_);
  }

  void remove() const {
    std::error_code none;
    std::filesystem::remove(path_, none);
  }

 private:
  std::string path_;
  Values settings_;
  double every_;
  xtape::nn::Module* model_ = nullptr;
  xtape::optim::Optimizer* optimizer_ = nullptr;
  xtape::optim::CheckpointParts parts_;
  Clock::time_point saved_ = Clock::now();
};

}  // namespace example::detail
