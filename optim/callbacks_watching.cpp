// SPDX-License-Identifier: BSD-3-Clause
#include "callbacks_watching.hpp"

#include <charconv>
#include <cmath>
#include <filesystem>

#include "../autograd/anomaly.hpp"
#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/tape.hpp"
#include "../data/field.hpp"
#include "../data/file.hpp"
#include "../data/number_text.hpp"
#include "checkpoint.hpp"
#include "stored_number.hpp"

namespace xtape::optim {

using data::detail::csv_field;
using data::detail::number_text;

namespace {

constexpr const char* kHeader =
    "epoch,parameter,weight_mean,weight_std,weight_norm,grad_mean,grad_std,grad_norm\n";

// ",mean,std,norm"; three empty fields for a gradient that there is not.
std::string statistics(const Tensor& t) {
  if (!t.defined() || t.numel() == 0) return ",,,";
  const Tensor x = t.detach().to(float64);
  const double mean = xtape::mean(x).item<double>();
  const double squares = sum(square(x)).item<double>();
  const double variance = xtape::mean(square(x - mean)).item<double>();
  return "," + number_text(mean) + "," + number_text(std::sqrt(variance)) + "," +
         number_text(std::sqrt(squares));
}

// Where the line feed is that ends the record beginning at `at`; npos for none. One in quotes is
// part of a name.
std::size_t end_of_record(const std::string& text, std::size_t at) {
  for (bool in_quotes = false; at < text.size(); ++at) {
    if (text[at] == '"') in_quotes = !in_quotes;
    if (text[at] == '\n' && !in_quotes) return at;
  }
  return text.npos;
}

bool is_last_batch(const FitState& state) { return state.batch == state.train.size(); }

}  // namespace

ModelCheckpoint::ModelCheckpoint(ModelCheckpointOptions options) : options_(std::move(options)) {
  if (options_.last.empty() && options_.best.empty()) {
    throw ValueError("ModelCheckpoint: name a file for the last model, the best one or both");
  }
}

void ModelCheckpoint::on_epoch_end(FitState& state) {
  if (!options_.last.empty()) save_model(state.model, options_.last);
  if (options_.best.empty()) return;
  const double figure = state.history.last(options_.monitor);
  const bool better = options_.mode == PlateauMode::min ? figure < best_ : figure > best_;
  if (std::isnan(figure) || (best_epoch_ != 0 && !better)) return;
  save_model(state.model, options_.best);
  best_ = figure;
  best_epoch_ = state.epoch;
}

NamedNumbers ModelCheckpoint::state() const {
  return {{"best", best_}, {"best_epoch", static_cast<double>(best_epoch_)}};
}

void ModelCheckpoint::load_state(const NamedNumbers& state) {
  const auto number = [&](const char* name) {
    return detail::stored_number("ModelCheckpoint", state, name);
  };
  const double best = number("best"), epoch = number("best_epoch");
  best_ = best;
  best_epoch_ = static_cast<std::int64_t>(epoch);
}

TensorBoard::TensorBoard(const std::string& folder, const TensorBoardOptions& options)
    : file_(folder), options_(options) {}

void TensorBoard::on_backward(FitState& state, const data::Batch&, const Tensor&) {
  if (!options_.histograms || !is_last_batch(state)) return;
  for (const auto& [name, parameter] : state.model.named_parameters()) {
    if (parameter.grad().defined()) {
      file_.histogram("gradients/" + name, parameter.grad(), state.epoch);
    }
  }
}

void TensorBoard::on_epoch_end(FitState& state) {
  for (const auto& [name, x] : state.history.epochs.back()) file_.scalar(name, x, state.epoch);
  if (options_.histograms) {
    for (const auto& [name, parameter] : state.model.named_parameters()) {
      file_.histogram("weights/" + name, parameter, state.epoch);
    }
  }
  file_.flush();
}

void WeightStatistics::on_fit_begin(FitState& state) {
  rows_.clear();
  if (state.epoch == 0) return;
  data::detail::InputFile file("WeightStatistics", path_);
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(text.data(), text.size());
  if (!text.starts_with(kHeader)) file.fail("not a table of weight statistics");
  // An epoch left in its middle is done again, and so are its rows.
  for (std::size_t at = std::string(kHeader).size(); at < text.size();) {
    const std::size_t end = std::min(end_of_record(text, at), text.size() - 1);
    std::int64_t epoch = 0;
    std::from_chars(text.data() + at, text.data() + end, epoch);
    if (epoch >= 1 && epoch <= state.epoch) rows_ += text.substr(at, end + 1 - at);
    at = end + 1;
  }
}

void WeightStatistics::on_backward(FitState& state, const data::Batch&, const Tensor&) {
  if (!is_last_batch(state)) return;
  const NoGrad no_grad;
  current_.clear();
  for (const auto& [name, parameter] : state.model.named_parameters()) {
    current_ += std::to_string(state.epoch) + "," + csv_field(name) + statistics(parameter) +
                statistics(parameter.grad()) + "\n";
  }
}

void WeightStatistics::on_epoch_end(FitState&) {
  rows_ += std::exchange(current_, {});
  const std::string text = kHeader + rows_;
  data::detail::OutputFile file("WeightStatistics", path_);
  file.write(text.data(), text.size());
  file.commit();
}

void StopOnNaN::on_batch_begin(FitState&) { generator_ = default_generator(); }

void StopOnNaN::on_backward(FitState& state, const data::Batch& batch, const Tensor& loss) {
  std::string what;
  {
    const NoGrad no_grad;
    if (!std::isfinite(loss.item<double>()))
      what = "the loss is " + number_text(loss.item<double>());
    for (const auto& [name, parameter] : state.model.named_parameters()) {
      if (what.empty() && xtape::detail::anomaly_in(parameter.grad(), true)) {
        what = "the gradient of " + name + " is not finite";
      }
    }
  }
  if (what.empty()) return;
  const std::string where = "StopOnNaN: epoch " + std::to_string(state.epoch) + ", batch " +
                            std::to_string(state.batch) + ": " + what;
  try {
    const GeneratorScope same_numbers(generator_);
    const DetectAnomaly detect;
    loss_->call(state.model(batch.x), batch.y).backward();
  } catch (const AnomalyError& error) {
    throw AnomalyError(where + ": " + error.what());
  }
  throw AnomalyError(where + "; computed once more it is finite");
}

}  // namespace xtape::optim
