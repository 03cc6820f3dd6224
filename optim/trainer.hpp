// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "../data/loader.hpp"
#include "../nn/module.hpp"
#include "metrics.hpp"
#include "optimizer.hpp"
#include "process_group.hpp"
#include "schedule.hpp"

// The usual training loop. It is made of public parts alone: a loop of one's own does the same with
// them in ten lines.
namespace xtape::optim {

/// Figures by name, e.g. {{"loss", 0.1}, {"accuracy", 0.97}}.
using NamedNumbers = std::vector<std::pair<std::string, double>>;

/// The figures of each epoch done: "loss" and the metrics as they were while training, "lr", and
/// those of the validation data as "val_loss", ...
struct XTAPE_API History {
  std::vector<NamedNumbers> epochs;

  /// One figure over the epochs. Throws ValueError where there is none of that name.
  std::vector<double> column(const std::string& name) const;
  /// A figure of the epoch done last. Throws ValueError likewise, and before the first epoch.
  double last(const std::string& name) const;
};

/// What callbacks see of a fit, and how they end it.
struct FitState {
  nn::Module& model;
  Optimizer& optimizer;
  data::DataLoader& train;
  const History& history;
  std::int64_t epochs;     ///< to be done in all
  std::int64_t epoch = 0;  ///< the one going on or done last, from 1
  std::int64_t batch = 0;  ///< of the epoch, from 1
  std::int64_t step = 0;   ///< optimizer steps done
  bool stop = false;       ///< set it to end: after a batch, the epoch counts as not done
};

/// Told of what happens in a fit; in the order of the list.
class XTAPE_API Callback {
 public:
  virtual ~Callback();

  virtual void on_fit_begin(FitState&) {}
  /// Before the model sees a batch.
  virtual void on_batch_begin(FitState&) {}
  /// Between backward and the optimizer's step, which has not changed anything yet.
  virtual void on_backward(FitState&, const data::Batch&, const Tensor& /*loss*/) {}
  virtual void on_batch_end(FitState&) {}
  /// The history holds the epoch's figures.
  virtual void on_epoch_end(FitState&) {}
  virtual void on_fit_end(FitState&) {}

  /// What a checkpoint has to hold for going on as if never left, and its way back.
  virtual NamedNumbers state() const { return {}; }
  virtual void load_state(const NamedNumbers&) {}
  /// The schedule that it moves, for checkpoints.
  virtual Schedule* schedule() { return nullptr; }
};

struct FitOptions {
  std::int64_t epochs = 1;                 ///< in all, those before a resumed checkpoint included
  data::DataLoader* validation = nullptr;  ///< evaluated after each epoch
  std::vector<Callback*> callbacks{};
  std::string checkpoint{};  ///< file written after each epoch, when all callbacks have run
  bool resume = false;       ///< go on from `checkpoint` where that file is there
  /// Train with the other processes of this group, each giving a loader of its part of the data
  /// (`DistributedSampler`): gradients and figures are means over the ranks, rank 0 writes the
  /// checkpoint and all read it, and what stops one rank stops all.
  ProcessGroup* group = nullptr;
};

class GradientAverager;

namespace detail {

/// A loss of (prediction, target) of any type.
struct LossFunction {
  virtual ~LossFunction() = default;
  virtual Tensor call(const Tensor& prediction, const Tensor& target) = 0;
};

template <class Loss>
struct WrappedLoss final : LossFunction {
  explicit WrappedLoss(Loss l) : f(std::move(l)) {}
  Tensor call(const Tensor& prediction, const Tensor& target) override {
    return f(prediction, target);
  }
  Loss f;
};

}  // namespace detail

/// Trains a model whose input and output are one tensor. Refers to model and optimizer, which
/// outlive it: `Trainer trainer(net, nn::CrossEntropyLoss(), optimizer, {Accuracy()})`.
class XTAPE_API Trainer {
 public:
  /// `loss(prediction, target)` gives a scalar, the mean over the batch. Throws ValueError where
  /// two metrics have one name.
  template <class Loss>
  Trainer(nn::Module& model, Loss loss, Optimizer& optimizer, Metrics metrics = {})
      : Trainer(model, wrap(std::move(loss)), optimizer, std::move(metrics)) {}
  Trainer(nn::Module& model, Owned<detail::LossFunction> loss, Optimizer& optimizer,
          Metrics metrics);
  ~Trainer();

  /// Trains, and returns the figures of all epochs. A run that was killed and resumes ends bit for
  /// bit as one that was not: an epoch left in its middle is done again. Throws ValueError for
  /// options that do not fit each other, and what model, data and callbacks throw.
  History fit(data::DataLoader& train, const FitOptions& options = {});
  /// "loss" and the metrics over an epoch of the loader (its epoch 0), in evaluation mode. The
  /// loader stays where it stands, here and in `predict`.
  NamedNumbers evaluate(data::DataLoader& data);
  /// Outputs for all samples, in order, in evaluation mode. Throws ValueError where the loader
  /// shuffles or drops samples, has a sampler, or no samples.
  Tensor predict(data::DataLoader& data);

 private:
  template <class Loss>
  static Owned<detail::LossFunction> wrap(Loss loss) {
    return Owned<detail::WrappedLoss<Loss>>::make(std::move(loss));
  }
  NamedNumbers train_epoch(FitState& state, const FitOptions& options, GradientAverager* averager);

  nn::Module& model_;
  Owned<detail::LossFunction> loss_;
  Optimizer& optimizer_;
  Metrics metrics_;
};

}  // namespace xtape::optim
