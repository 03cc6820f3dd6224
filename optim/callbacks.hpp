// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "../autograd/export.hpp"
#include "schedule_plateau.hpp"
#include "trainer.hpp"

// What a fit is usually told to do beside training.
namespace xtape::optim {

/// Moves a schedule after each epoch.
class XTAPE_API FollowSchedule final : public Callback {
 public:
  explicit FollowSchedule(Schedule& schedule) : schedule_(schedule) {}
  /// By a figure of the history.
  explicit FollowSchedule(ReduceLROnPlateau& schedule, std::string monitor = "val_loss")
      : schedule_(schedule), plateau_(&schedule), monitor_(std::move(monitor)) {}

  void on_epoch_end(FitState& state) override;
  Schedule* schedule() override { return &schedule_; }

 private:
  Schedule& schedule_;
  ReduceLROnPlateau* plateau_ = nullptr;
  std::string monitor_;
};

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";  ///< a figure of the history
  PlateauMode mode = PlateauMode::min;
  std::int64_t patience = 0;  ///< epochs without improvement that are borne
  double min_delta = 0;       ///< a smaller improvement is none
  bool restore_best = true;   ///< at the fit's end the model is the best epoch's
  std::string best{};         ///< file of the best model; what resumes and restores needs one
};

/// Ends a fit when a figure no longer improves; keeps the best model. NaN is no improvement. Each
/// fit is looked at by itself, with what came before where it is resumed.
class XTAPE_API EarlyStopping final : public Callback {
 public:
  /// Throws ValueError for a negative patience or min_delta.
  explicit EarlyStopping(const EarlyStoppingOptions& options = {});

  void on_fit_begin(FitState& state) override;
  void on_epoch_end(FitState& state) override;
  void on_fit_end(FitState& state) override;
  NamedNumbers state() const override;
  void load_state(const NamedNumbers& state) override;

  /// From 1; 0 where no epoch had a figure.
  std::int64_t best_epoch() const noexcept { return best_epoch_; }
  double best() const noexcept { return best_; }

 private:
  EarlyStoppingOptions options_;
  double best_ = 0;
  std::int64_t best_epoch_ = 0, waited_ = 0;
  NamedTensors weights_;  // of the best epoch, where there is no file
};

/// The history as a table in a file, written anew, whole or not at all, after each epoch: a run
/// that was resumed leaves the same file.
class XTAPE_API CSVLog final : public Callback {
 public:
  explicit CSVLog(std::string path) : path_(std::move(path)) {}
  void on_epoch_end(FitState& state) override;

 private:
  std::string path_;
};

/// Prints a line for each epoch to standard output; on a terminal, a bar of the one going on, too,
/// with its last batch's loss.
class XTAPE_API Progress final : public Callback {
 public:
  void on_fit_begin(FitState& state) override;
  void on_backward(FitState& state, const data::Batch& batch, const Tensor& loss) override;
  void on_batch_end(FitState& state) override;
  void on_epoch_end(FitState& state) override;
  void on_fit_end(FitState& state) override;

 private:
  bool on_terminal_ = false, bar_stands_ = false;
  double loss_ = 0;
  std::int64_t drawn_ = 0;  // when the bar was, in ms
};

}  // namespace xtape::optim
