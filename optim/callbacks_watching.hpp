// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "../autograd/random.hpp"
#include "event_file.hpp"
#include "schedule_plateau.hpp"
#include "trainer.hpp"

// Callbacks that look on: models kept, TensorBoard, statistics of weights and gradients, NaN.
namespace xtape::optim {

struct ModelCheckpointOptions {
  std::string last{};                ///< file of the model after each epoch
  std::string best{};                ///< file of the model whose figure was best
  std::string monitor = "val_loss";  ///< a figure of the history
  PlateauMode mode = PlateauMode::min;
};

/// Keeps models in files, for `load_model`; what resumes a fit is FitOptions::checkpoint. A figure
/// that is NaN is never the best.
class XTAPE_API ModelCheckpoint final : public Callback {
 public:
  /// Throws ValueError where no file is named.
  explicit ModelCheckpoint(ModelCheckpointOptions options);

  void on_epoch_end(FitState& state) override;
  NamedNumbers state() const override;
  void load_state(const NamedNumbers& state) override;

  std::int64_t best_epoch() const noexcept { return best_epoch_; }  ///< from 1; 0: none

 private:
  ModelCheckpointOptions options_;
  double best_ = 0;
  std::int64_t best_epoch_ = 0;
};

struct TensorBoardOptions {
  bool histograms = false;  ///< of weights and of the last batch's gradients, after each epoch
};

/// The history's figures, after each epoch, in a file of TensorBoard's. A resumed fit goes on in a
/// new file of the same folder, which TensorBoard shows as one.
class XTAPE_API TensorBoard final : public Callback {
 public:
  /// Throws FileError.
  explicit TensorBoard(const std::string& folder, const TensorBoardOptions& options = {});

  void on_backward(FitState& state, const data::Batch& batch, const Tensor& loss) override;
  void on_epoch_end(FitState& state) override;
  const std::string& path() const noexcept { return file_.path(); }

 private:
  EventFile file_;
  TensorBoardOptions options_;
};

/// A table in a file: for each epoch and parameter mean, standard deviation and norm of the weight
/// and of its gradient for the epoch's last batch, before the step. Vanishing and exploding
/// gradients show in it. The file is written anew, whole or not at all, after each epoch; a resumed
/// fit goes on with the rows of the epochs before.
class XTAPE_API WeightStatistics final : public Callback {
 public:
  explicit WeightStatistics(std::string path) : path_(std::move(path)) {}

  /// Throws FileError where a resumed fit finds no table of its own.
  void on_fit_begin(FitState& state) override;
  void on_backward(FitState& state, const data::Batch& batch, const Tensor& loss) override;
  void on_epoch_end(FitState& state) override;

 private:
  std::string path_;
  std::string rows_;     // of epochs done
  std::string current_;  // of this one
};

/// Ends a fit by AnomalyError where the loss or a gradient is NaN or Inf, before the step: the
/// parameters are still good. The batch is then computed once more under DetectAnomaly, which names
/// the operation; until then all it costs is a look at the gradients.
class XTAPE_API StopOnNaN final : public Callback {
 public:
  /// With the loss that the Trainer has: `StopOnNaN(nn::CrossEntropyLoss())`.
  template <class Loss>
  explicit StopOnNaN(Loss loss) : loss_(wrap(std::move(loss))) {}

  void on_batch_begin(FitState& state) override;
  void on_backward(FitState& state, const data::Batch& batch, const Tensor& loss) override;

 private:
  template <class Loss>
  static Owned<detail::LossFunction> wrap(Loss loss) {
    return Owned<detail::WrappedLoss<Loss>>::make(std::move(loss));
  }

  Owned<detail::LossFunction> loss_;
  Generator generator_;  // as the batch found it
};

}  // namespace xtape::optim
