// SPDX-License-Identifier: BSD-3-Clause
#include "trainer.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "../autograd/error.hpp"
#include "../autograd/ops/joining.hpp"
#include "../autograd/tape.hpp"
#include "checkpoint.hpp"
#include "gradient_averager.hpp"

namespace xtape::optim {
namespace {

const double* find(const NamedNumbers& numbers, const std::string& name) {
  const auto found = std::find_if(numbers.begin(), numbers.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  return found == numbers.end() ? nullptr : &found->second;
}

double get(const NamedNumbers& numbers, const std::string& name) {
  if (const double* x = find(numbers, name)) return *x;
  std::string names;
  for (const auto& entry : numbers) names += (names.empty() ? "" : ", ") + entry.first;
  throw ValueError("History: there is no '" + name + "' among: " + names);
}

// The mean over samples of losses that are means over batches.
struct MeanLoss {
  double sum = 0, count = 0;
  void add(const Tensor& loss, const data::Batch& batch) {
    const auto samples = static_cast<double>(batch.x.size(0));
    sum += loss.item<double>() * samples;
    count += samples;
  }
  double value() const { return sum / count; }
};

// Each figure's mean over the ranks.
void average(NamedNumbers& figures, ProcessGroup* group) {
  if (!group) return;
  std::vector<double> values;
  for (const auto& entry : figures) values.push_back(entry.second);
  group->start_sum(values.data(), static_cast<std::int64_t>(values.size()), float64)->wait();
  for (std::size_t i = 0; i < values.size(); ++i) figures[i].second = values[i] / group->size();
}

// A rank that stopped alone would leave the others waiting for it.
bool any_stops(bool stop, ProcessGroup* group) {
  if (!group) return stop;
  double count = stop ? 1 : 0;
  group->start_sum(&count, 1, float64)->wait();
  return count > 0;
}

// Evaluation mode; at its end each module has the mode that it had.
class EvaluationMode {
 public:
  explicit EvaluationMode(nn::Module& model) {
    for (nn::Module* m : model.modules()) modes_.emplace_back(m, m->is_training());
    model.eval();
  }
  ~EvaluationMode() {
    for (const auto& [module, training] : modes_) module->train(training);  // parents come first
  }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  std::vector<std::pair<nn::Module*, bool>> modes_;
  NoGrad no_grad_;
};

// Gives epoch 0 of a loader, which stays where it stands, be it in the middle of an epoch.
data::DataLoader first_epoch(const data::DataLoader& of) {
  struct Lent {
    const data::Dataset* dataset;
    const data::Dataset* get() const { return dataset; }
  };
  return data::DataLoader(Shared<const data::Dataset>(Lent{&of.dataset()}), of.options());
}

// --- checkpoints: history and callbacks are among the position's metrics -------------------------

std::string history_name(std::size_t epoch) { return "history." + std::to_string(epoch) + "."; }
std::string callback_name(std::size_t i) { return "callback." + std::to_string(i) + "."; }

NamedNumbers with_prefix(const NamedNumbers& all, const std::string& prefix) {
  NamedNumbers found;
  for (const auto& [name, x] : all) {
    if (name.starts_with(prefix)) found.emplace_back(name.substr(prefix.size()), x);
  }
  return found;
}

CheckpointParts parts_of(data::DataLoader& train, const FitOptions& options) {
  CheckpointParts parts{.loader = &train};
  for (Callback* c : options.callbacks) {
    Schedule* schedule = c->schedule();
    if (schedule && parts.schedule) {
      throw ValueError("Trainer.fit: a checkpoint holds one schedule, got two; chain them");
    }
    if (schedule) parts.schedule = schedule;
  }
  return parts;
}

void save(const FitState& state, const FitOptions& options) {
  Position position{state.epoch, state.step};
  for (std::size_t e = 0; e < state.history.epochs.size(); ++e) {
    char place = 'A';  // a file keeps no order
    for (const auto& [name, x] : state.history.epochs[e]) {
      position.metrics.emplace_back(history_name(e) + place++ + name, x);
    }
  }
  for (std::size_t i = 0; i < options.callbacks.size(); ++i) {
    for (const auto& [name, x] : options.callbacks[i]->state()) {
      position.metrics.emplace_back(callback_name(i) + name, x);
    }
  }
  position.metrics.emplace_back("stopped", state.stop);
  save_checkpoint(options.checkpoint, state.model, state.optimizer, position,
                  parts_of(state.train, options));
}

void load(FitState& state, History& history, const FitOptions& options) {
  const Position position = load_checkpoint(options.checkpoint, state.model, state.optimizer,
                                            parts_of(state.train, options));
  state.epoch = position.epoch;
  state.step = position.step;
  state.stop = get(position.metrics, "stopped") != 0;
  for (std::size_t e = 0; e < static_cast<std::size_t>(position.epoch); ++e) {
    NamedNumbers figures = with_prefix(position.metrics, history_name(e));
    std::sort(figures.begin(), figures.end());
    for (auto& entry : figures) entry.first.erase(0, 1);
    history.epochs.push_back(std::move(figures));
  }
  for (std::size_t i = 0; i < options.callbacks.size(); ++i) {
    options.callbacks[i]->load_state(with_prefix(position.metrics, callback_name(i)));
  }
}

}  // namespace

std::vector<double> History::column(const std::string& name) const {
  std::vector<double> found;
  for (const NamedNumbers& e : epochs) found.push_back(get(e, name));
  return found;
}

double History::last(const std::string& name) const {
  if (epochs.empty()) throw ValueError("History: no epoch is done, asked for '" + name + "'");
  return get(epochs.back(), name);
}

Callback::~Callback() = default;

Trainer::Trainer(nn::Module& model, Owned<detail::LossFunction> loss, Optimizer& optimizer,
                 Metrics metrics)
    : model_(model), loss_(std::move(loss)), optimizer_(optimizer), metrics_(std::move(metrics)) {
  std::set<std::string> names{"loss", "lr"};
  for (const std::string& name : metrics_.names()) {
    if (!names.insert(name).second) throw ValueError("Trainer: two figures are called " + name);
  }
}

Trainer::~Trainer() = default;

NamedNumbers Trainer::train_epoch(FitState& state, const FitOptions& options,
                                  GradientAverager* averager) {
  metrics_.reset();
  MeanLoss mean;
  const double lr = optimizer_.lr();
  state.batch = 0;
  for (const data::Batch& batch : state.train) {
    ++state.batch;
    for (Callback* c : options.callbacks) c->on_batch_begin(state);
    Tensor first;  // what the parameters before the step predict
    const Tensor loss = optimizer_.step([&] {
      optimizer_.zero_grad();
      const Tensor prediction = model_(batch.x);
      if (!first.defined()) first = prediction.detach();
      const Tensor l = loss_->call(prediction, batch.y);
      l.backward();
      if (averager) averager->wait();
      for (Callback* c : options.callbacks) c->on_backward(state, batch, l);
      return l;
    });
    ++state.step;
    mean.add(loss, batch);
    metrics_.update(first, batch.y);
    for (Callback* c : options.callbacks) c->on_batch_end(state);
    state.stop = any_stops(state.stop, options.group);
    if (state.stop) return {};
  }
  NamedNumbers figures{{"loss", mean.value()}};
  for (auto& entry : metrics_.values()) figures.push_back(std::move(entry));
  figures.emplace_back("lr", lr);
  average(figures, options.group);
  return figures;
}

History Trainer::fit(data::DataLoader& train, const FitOptions& options) {
  if (options.epochs < 0) {
    throw ValueError("Trainer.fit: epochs is at least 0, got " + std::to_string(options.epochs));
  }
  if (train.size() == 0) throw ValueError("Trainer.fit: the loader has no batch");
  if (options.resume && options.checkpoint.empty()) {
    throw ValueError("Trainer.fit: to resume, name the checkpoint");
  }
  if (!options.checkpoint.empty()) parts_of(train, options);
  History history;
  FitState state{model_, optimizer_, train, history, options.epochs};
  if (options.resume && std::filesystem::exists(options.checkpoint)) load(state, history, options);
  Owned<GradientAverager> averager;
  if (options.group) averager = Owned<GradientAverager>::make(*options.group, model_);
  model_.train();
  for (Callback* c : options.callbacks) c->on_fit_begin(state);
  while (state.epoch < options.epochs && !state.stop) {
    ++state.epoch;
    NamedNumbers figures = train_epoch(state, options, averager.get());
    if (figures.empty()) {  // left in its middle
      --state.epoch;
      break;
    }
    if (options.validation) {
      NamedNumbers found = evaluate(*options.validation);
      average(found, options.group);
      for (const auto& [name, x] : found) figures.emplace_back("val_" + name, x);
    }
    history.epochs.push_back(std::move(figures));
    for (Callback* c : options.callbacks) c->on_epoch_end(state);
    state.stop = any_stops(state.stop, options.group);
    const bool writes = !options.group || options.group->rank() == 0;
    if (!options.checkpoint.empty() && writes) save(state, options);
  }
  for (Callback* c : options.callbacks) c->on_fit_end(state);
  return history;
}

NamedNumbers Trainer::evaluate(data::DataLoader& data) {
  if (data.size() == 0) throw ValueError("Trainer.evaluate: the loader has no batch");
  const EvaluationMode mode(model_);
  Metrics metrics = metrics_;  // an epoch may be going on in the others
  metrics.reset();
  MeanLoss mean;
  data::DataLoader batches = first_epoch(data);  // the same order every time
  for (const data::Batch& batch : batches) {
    const Tensor prediction = model_(batch.x);
    mean.add(loss_->call(prediction, batch.y), batch);
    metrics.update(prediction, batch.y);
  }
  NamedNumbers figures{{"loss", mean.value()}};
  for (auto& entry : metrics.values()) figures.push_back(std::move(entry));
  return figures;
}

Tensor Trainer::predict(data::DataLoader& data) {
  const data::DataLoaderOptions& o = data.options();
  if (o.shuffle || o.drop_last || o.sampler || data.size() == 0) {
    throw ValueError("Trainer.predict: expected a loader that gives all samples in order");
  }
  const EvaluationMode mode(model_);
  std::vector<Tensor> outputs;
  data::DataLoader batches = first_epoch(data);
  for (const data::Batch& batch : batches) outputs.push_back(model_(batch.x));
  return cat(outputs);
}

}  // namespace xtape::optim
