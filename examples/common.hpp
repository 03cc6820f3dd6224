// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// What the examples share: flags, Ctrl-C, progress, output files. Copy it and common/ with an
// example (and digits.hpp where that reads digits); they need CLI11, and POSIX for the width of the
// terminal.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <xtape/xtape.hpp>

#include "common/checkpoint.hpp"
#include "common/flags.hpp"
#include "common/interrupt.hpp"
#include "common/outputs.hpp"
#include "common/progress.hpp"
#include "common/values.hpp"

namespace example {

/// One run of an example: reports progress and writes metrics.json, metrics.csv and loss.svg. Of
/// several processes the first alone does, and losses are means over all.
class Run {
 public:
  const Flags flags;
  xtape::optim::ProcessGroup* const group;  ///< null: this process alone

  // What cannot be written should fail now, not after the training.
  Run(const About& about, Flags given, xtape::optim::ProcessGroup* processes = nullptr)
      : flags(std::move(given)),
        group(processes),
        name_(about.name),
        own_epochs_(about.epochs),
        history_(reports() ? detail::make_folder(flags.out_dir) : ""),
        checkpoint_(path("checkpoint.safetensors"), flags) {
    const auto folder = std::filesystem::path(model_path()).parent_path();
    if (reports() && !folder.empty()) detail::make_folder(folder);
    if (flags.threads > 0) xtape::set_num_threads(flags.threads);
    xtape::manual_seed(flags.seed);
    take_own_stream();
    set("example", name_);
    set("epochs", flags.epochs);
    set("batch_size", static_cast<double>(flags.batch_size));
    set("lr", flags.lr);
    metrics_.put("seed", std::to_string(flags.seed));
    set("threads", xtape::num_threads());
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// A file in --out-dir.
  std::string path(const std::string& file) const {
    return (std::filesystem::path(flags.out_dir) / file).string();
  }

  int rank() const { return group ? group->rank() : 0; }

  /// Since its start; a resumed run counts what went before.
  double seconds() const { return detail::seconds_since(start_); }

  /// Prints a line unless --quiet.
  void say(const std::string& line) {
    if (reports() && !flags.quiet) progress_.say(line);
  }

  /// Adds a key to metrics.json, or replaces its value.
  void set(const std::string& key, double value) { metrics_.set(key, value); }
  void set(const std::string& key, const std::string& value) { metrics_.set(key, value); }

  /// Loads the weights that --weights names.
  void load_weights(xtape::nn::Module& model) {
    if (flags.weights.empty()) return;
    xtape::optim::load_model(model, flags.weights);
    weights_loaded_ = true;
    say("weights from " + flags.weights + "; optimizer, learning rate and epochs start afresh");
  }

  /// The same, and from here on checkpoints are written; --resume goes on from the last one, bit
  /// for bit, or starts where there is none yet. Without a loader among the parts an epoch left in
  /// its middle is done again.
  void resume(xtape::nn::Module& model, xtape::optim::Optimizer& optimizer,
              const xtape::optim::CheckpointParts& parts = {}) {
    resume_with(model, &optimizer, parts);
  }
  /// The same of a run without an optimizer.
  void resume(xtape::nn::Module& model) { resume_with(model, nullptr, {}); }

  /// Starts the next pass, of so many steps. False when all are done, or after Ctrl-C; what was
  /// given to resume() is no longer referred to then.
  bool next_epoch(std::int64_t steps) {
    const bool leave = any_interrupted();
    if (epoch_done() && (leave || checkpoint_.due() || !checkpoint_.holds_loader())) save();
    if (leave || epoch_ >= flags.epochs) {
      checkpoint_.end();
      return false;
    }
    begin_epoch(epoch_ + 1, steps);
    return true;
  }
  /// Steps done in the whole run.
  double steps_done() const {
    return static_cast<double>(std::max(epoch_ - 1, 0) * steps_ + step_);
  }
  /// True at the end of a pass, unless Ctrl-C cut it short.
  bool epoch_done() const { return steps_ > 0 && step_ == steps_; }

  /// Starts a pass of so many steps.
  void begin_epoch(int epoch, std::int64_t steps) {
    if (flags.resume && !checkpoint_.begun()) {
      throw std::runtime_error("--resume: nothing here can go on");
    }
    if (!flags.weights.empty() && !weights_loaded_) {
      throw std::runtime_error("--weights: nothing here takes them");
    }
    epoch_ = epoch;
    steps_ = steps;
    step_ = std::exchange(resumed_step_, 0);
    if (step_ == 0) loss_sum_ = samples_ = 0;
    epoch_start_ = detail::Clock::now() - std::exchange(resumed_time_, {});
    progress_.begin();
  }

  /// Reports a training step: the mean loss of its samples. False when it is time to leave. Throws
  /// where the loss is no longer a number.
  bool step(double loss, std::int64_t samples) {
    if (group) loss = average(loss), samples *= group->size();
    if (!std::isfinite(loss)) {
      throw std::runtime_error("the loss is not finite at epoch " + std::to_string(epoch_) +
                               ", step " + std::to_string(step_ + 1) + ": try a smaller --lr");
    }
    ++step_;
    samples_ += static_cast<double>(samples);
    loss_sum_ += loss * static_cast<double>(samples);
    const double done = static_cast<double>(step_) / static_cast<double>(steps_);
    const std::int64_t hundredth = std::max<std::int64_t>(1, steps_ * flags.epochs / 100);
    history_.add_loss(epoch_ - 1 + done, loss, hundredth);
    if (reports() && !flags.quiet) {
      progress_.show(
          {epoch_, flags.epochs, done, detail::seconds_since(epoch_start_), samples_, mean_loss()});
    }
    return end_step();
  }
  /// The same of a step that has no loss.
  bool step() {
    ++step_;
    return end_step();
  }

  /// Ends a pass with what was measured after it: a row of metrics.csv. With --epochs 0, the one
  /// test. A pass that Ctrl-C cut short has no row.
  void end_epoch(const Values& values) {
    Values row{{"epoch", epoch_}};
    if (samples_ > 0) row.emplace_back("train_loss", mean_loss());
    row.insert(row.end(), values.begin(), values.end());
    row.emplace_back("seconds", seconds());
    history_.add(row);
    std::string line = "epoch " + std::to_string(epoch_) + "/" + std::to_string(flags.epochs);
    for (std::size_t i = 1; i < row.size(); ++i) {
      line += "  " + row[i].first + " " + detail::short_number(row[i].second);
    }
    say(line);
  }

  /// True where a figure that the example states is due: a whole run of as many epochs as it has by
  /// itself, on all samples.
  bool judged() const { return !flags.limit && flags.epochs == own_epochs_ && !interrupted(); }

  /// A figure of the pass done last; NaN where there is none.
  double figure(const std::string& name) const { return detail::find(history_.last(), name); }

  /// Where judged(): throws if something did not hold, if a figure of the pass done last is above a
  /// bound, or below.
  void expect(bool held, const std::string& what) const {
    if (judged() && !held) throw std::runtime_error("expected " + what);
  }
  void expect_at_most(const std::string& name, double most) const {
    expect(figure(name) <= most, name + " of at most " + detail::short_number(most) + ", got " +
                                     detail::short_number(figure(name)));
  }
  void expect_at_least(const std::string& name, double least) const {
    expect(figure(name) >= least, name + " of at least " + detail::short_number(least) + ", got " +
                                      detail::short_number(figure(name)));
  }

  /// Saves the model, writes the files, prints the result and where everything is.
  void finish(const xtape::nn::Module& model) {
    progress_.end();
    if (!reports()) return;
    xtape::optim::save_model(model, model_path());
    if (samples_ > 0) set("train_loss", mean_loss());
    set("epochs_done", static_cast<double>(epoch_ > 0 ? history_.rows().size() : 0));
    for (const auto& [key, value] : history_.last()) {
      if (key != "epoch" && key != "train_loss") set(key, value);
    }
    set("seconds", seconds());
    metrics_.put("interrupted", interrupted() ? "true" : "false");
#ifdef XTAPE_VERSION
    set("xtape_version", std::string(XTAPE_VERSION));
#endif
    set("compiler_version", std::string(__VERSION__));
    metrics_.write(path("metrics.json"));
    history_.draw(name_, path("loss.svg"));
    history_.close();
    print_result();
    if (!interrupted()) checkpoint_.remove();
  }

 private:
  void resume_with(xtape::nn::Module& model, xtape::optim::Optimizer* optimizer,
                   const xtape::optim::CheckpointParts& parts) {
    load_weights(model);
    checkpoint_.begin(model, optimizer, parts);
    if (!flags.resume) return;
    if (!checkpoint_.exists()) {
      return say("no checkpoint in " + flags.out_dir + " yet: from the start");
    }
    restore(checkpoint_.load());
    take_own_stream();
    say("going on after epoch " + std::to_string(epoch_) + " and " + std::to_string(resumed_step_) +
        " steps");
  }
  bool end_step() {
    const bool leave = any_interrupted();
    if (checkpoint_.holds_loader() && !epoch_done() && (leave || checkpoint_.due())) save();
    return !leave;
  }
  bool reports() const { return rank() == 0; }
  // Each process drops other activations.
  void take_own_stream() const {
    if (group) xtape::default_generator().stream = static_cast<std::uint64_t>(rank());
  }
  double average(double x) const {
    group->start_sum(&x, 1, xtape::float64)->wait();
    return x / group->size();
  }
  // Ctrl-C in one process is so in all: they leave after the same step.
  bool any_interrupted() const {
    if (!group) return interrupted();
    const bool any = average(interrupted()) > 0;
    if (any && !interrupted()) detail::received_signal = SIGTERM;
    return any;
  }

  std::string model_path() const {
    return flags.save_model.empty() ? path("model.safetensors") : flags.save_model;
  }
  double mean_loss() const { return loss_sum_ / samples_; }

  // All that the run reports, as named numbers, and back.
  void save() {
    if (!reports()) return;
    const bool between = epoch_done();
    Values report{{"seconds", seconds()},
                  {"epoch_seconds", between ? 0 : detail::seconds_since(epoch_start_)},
                  {"epoch_steps", between ? 0 : static_cast<double>(step_)},
                  {"loss_sum", loss_sum_},
                  {"samples", samples_}};
    const Values history = history_.state();
    report.insert(report.end(), history.begin(), history.end());
    checkpoint_.save(between ? epoch_ : epoch_ - 1, static_cast<std::int64_t>(steps_done()),
                     report);
  }
  void restore(const xtape::optim::Position& position) {
    const auto number = [&](const char* name) { return detail::find(position.metrics, name); };
    const auto duration = [&](const char* name) {
      return std::chrono::duration_cast<detail::Clock::duration>(
          std::chrono::duration<double>(number(name)));
    };
    epoch_ = static_cast<int>(position.epoch);
    start_ = detail::Clock::now() - duration("seconds");
    resumed_time_ = duration("epoch_seconds");
    resumed_step_ = static_cast<std::int64_t>(number("epoch_steps"));
    loss_sum_ = number("loss_sum");
    samples_ = number("samples");
    history_.restore(position.metrics);
  }

  void print_result() const {
    std::string result = interrupted() ? "interrupted, saved what there is" : "done";
    for (const auto& [key, value] : history_.last()) {
      if (key != "epoch") result += ", " + key + " " + detail::short_number(value);
    }
    std::printf("%s\nmodel    %s\nmetrics  %s\n         %s\ncurve    %s\n", result.c_str(),
                model_path().c_str(), path("metrics.json").c_str(), path("metrics.csv").c_str(),
                path("loss.svg").c_str());
    if (interrupted() && checkpoint_.exists()) {
      std::printf("--resume goes on from %s\n", checkpoint_.path().c_str());
    }
    std::fflush(stdout);
  }

  std::string name_;
  int own_epochs_;
  detail::Progress progress_;
  detail::Json metrics_;
  detail::History history_;
  detail::Checkpoint checkpoint_;
  bool weights_loaded_ = false;
  detail::Clock::time_point start_ = detail::Clock::now(), epoch_start_ = start_;
  detail::Clock::duration resumed_time_{};
  int epoch_ = 0;
  std::int64_t step_ = 0, steps_ = 0, resumed_step_ = 0;
  double loss_sum_ = 0, samples_ = 0;
};

/// main() of an example: reads the flags, calls train(run). Exit code 0; 1 after an error, 2 after
/// wrong flags, each with one line on stderr; 130 after Ctrl-C.
template <class Train>
int run(int argc, char** argv, const About& about, Train train) {
  detail::catch_signals();
  Flags flags;
  flags.out_dir = std::string("out/") + about.name;
  flags.epochs = about.epochs;
  flags.batch_size = about.batch_size;
  flags.lr = about.lr;
  CLI::App app(about.purpose, about.name);
  detail::add_flags(app, flags);
  if (about.add_flags) about.add_flags(app, flags);
  try {
    app.parse(argc, argv);
    xtape::Owned<xtape::optim::ProcessGroup> group;
    if (flags.distributed) group = about.processes();
    if (group) flags.processes = group->size();
    Run r(about, std::move(flags), group.get());
    train(r);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s: %s (--help lists the flags)\n", about.name, error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", about.name, error.what());
    return 1;
  }
  return interrupted() ? 128 + detail::received_signal : 0;
}

/// Draws curves over x, [n] or [n, 1] each, as `file`.svg in --out-dir, their data beside it.
inline void write_curves(const Run& run, const std::string& file,
                         const xtape::data::PlotOptions& options, const xtape::Tensor& x,
                         const std::vector<std::pair<std::string, xtape::Tensor>>& curves) {
  const auto values = [](const xtape::Tensor& a) {
    const xtape::Tensor dense = a.detach().to(xtape::float64).contiguous();
    return std::vector<double>(dense.data<double>(), dense.data<double>() + dense.numel());
  };
  xtape::data::Plot plot(options);
  for (const auto& [name, y] : curves) plot.line(name, values(x), values(y));
  plot.save(run.path(file + ".svg"));
}

}  // namespace example
