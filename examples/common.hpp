// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// What the examples share: flags, Ctrl-C, progress, output files. The file to copy with an example
// (with digits.hpp where that reads digits); it needs CLI11, and POSIX for the width of the
// terminal.

#include <sys/ioctl.h>
#include <unistd.h>
#include <xtape/xtape.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace example {

using Clock = std::chrono::steady_clock;
/// Named numbers, e.g. {{"test_loss", 0.1}, {"test_accuracy", 0.97}}.
using Values = std::vector<std::pair<std::string, double>>;

struct Flags {
  std::string data_dir, out_dir, save_model, weights;
  int epochs = 1;
  std::int64_t batch_size = 1;
  double lr = 0;
  std::uint64_t seed = 1;
  int threads = 0;
  std::int64_t limit = 0;
  bool resume = false;
  double checkpoint_every = 30;
  bool quiet = false;
};

/// Name and purpose of an example, and what holds where no flag says otherwise.
struct About {
  const char* name;
  const char* purpose;
  int epochs;
  std::int64_t batch_size;
  double lr;
};

namespace detail {

inline volatile std::sig_atomic_t received_signal = 0;

// Handled on a stack of its own: while oneDNN 2.6 multiplies matrices, its stack pointer points
// into the heap, and a handler's frame would overwrite what is there. The second signal has its
// usual effect.
inline void catch_signals() {
  static char stack[1 << 16];
  stack_t own{};
  own.ss_sp = stack;
  own.ss_size = sizeof stack;
  sigaltstack(&own, nullptr);
  struct sigaction action {};
  action.sa_handler = [](int signal) { received_signal = signal; };
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESTART | SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

/// The shortest text that reads back as the same number; JSON has none for NaN and Inf.
inline std::string number(double x) {
  if (!std::isfinite(x)) return "null";
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}

inline std::string short_number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", x);
  return text;
}

inline std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      out += code;
    } else {
      out += c;
    }
  }
  return out + '"';
}

inline std::string minutes(double seconds) {
  char text[32];
  const auto s = static_cast<long>(seconds + 0.5);
  std::snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
  return text;
}

inline std::string make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!std::filesystem::is_directory(path)) {
    throw std::runtime_error("cannot make the folder " + path.string() +
                             (error ? ": " + error.message() : ""));
  }
  return path.string();
}

inline std::ofstream open_to_write(const std::string& path) {
  std::ofstream file(path);
  if (!file) throw std::runtime_error("cannot write " + path);
  return file;
}

// CLI11's own checks let NaN pass, and wrap numbers that an unsigned one cannot hold.
inline CLI::Validator within(double low, double high, const std::string& what) {
  const auto check = [=](std::string& text) {
    double x = 0;
    const bool good = CLI::detail::lexical_cast(text, x) && x >= low && x <= high;
    return good ? std::string() : "expected " + what + ", got " + text;
  };
  return CLI::Validator(check, "");
}

inline void add_flags(CLI::App& app, Flags& f) {
  const auto text = [&](const char* flag, std::string& value, const char* type, const char* help) {
    return app.add_option(flag, value, help)->type_name(type);
  };
  const auto number = [&](const char* flag, auto& value, const CLI::Validator& check,
                          const char* help) {
    auto* option = app.add_option(flag, value, help)->check(check)->type_name("N");
    if (value > 0) option->capture_default_str();
  };
  const auto count = [](std::int64_t low) { return CLI::Range(low, std::int64_t{1} << 30); };
  text("--data-dir", f.data_dir, "DIR", "Folder of real data (default: built-in data)");
  text("--out-dir", f.out_dir, "DIR", "Folder for what the run writes")->capture_default_str();
  number("--epochs", f.epochs, count(0), "Passes over the training data; 0 only tests");
  number("--batch-size", f.batch_size, count(1), "Samples per step");
  number("--lr", f.lr, within(1e-300, 1e300, "a positive number"), "Learning rate at its highest");
  number("--seed", f.seed, within(0, 0x1p53, "a number from 0 to 2^53"),
         "Of all random numbers but those of built-in digits");
  number("--threads", f.threads, CLI::Range(1, 1024), "Threads to use (default: all cores)");
  number("--limit", f.limit, count(1),
         "Use the first N samples only, of training and of test data");
  text("--save-model", f.save_model, "FILE",
       "Where to save the model (default: model.safetensors in --out-dir)");
  text("--weights", f.weights, "FILE",
       "Start from the weights of a saved model; optimizer, learning rate and epochs start afresh");
  app.add_flag("--resume", f.resume,
               "Go on where the run of the same flags in --out-dir was interrupted or killed");
  number("--checkpoint-every", f.checkpoint_every, within(0, 1e300, "a number from 0"),
         "Seconds between checkpoints for --resume");
  app.add_flag("--quiet", f.quiet, "Print the result only");
}

}  // namespace detail

/// True from the first Ctrl-C (or SIGTERM) on.
inline bool interrupted() { return detail::received_signal != 0; }

/// One run of an example: reports progress and writes metrics.json, metrics.csv and loss.svg.
class Run {
 public:
  const Flags flags;

  Run(const About& about, Flags given)
      : flags(std::move(given)),
        name_(about.name),
        own_epochs_(about.epochs),
        on_terminal_(isatty(STDOUT_FILENO) != 0) {
    if (flags.threads > 0) xtape::set_num_threads(flags.threads);
    xtape::manual_seed(flags.seed);
    // What cannot be written should fail now, not after the training.
    table_ = detail::open_to_write(path("metrics.csv", detail::make_folder(flags.out_dir)));
    const auto folder = std::filesystem::path(model_path()).parent_path();
    if (!folder.empty()) detail::make_folder(folder);
    set("example", std::string(about.name));
    set("epochs", flags.epochs);
    set("batch_size", static_cast<double>(flags.batch_size));
    set("lr", flags.lr);
    put("seed", std::to_string(flags.seed));
    set("threads", xtape::num_threads());
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() { end_bar(); }

  /// Prints a line unless --quiet.
  void say(const std::string& line) {
    if (flags.quiet) return;
    end_bar();
    std::puts(line.c_str());
  }

  /// Adds a key to metrics.json, or replaces its value.
  void set(const std::string& key, double value) { put(key, detail::number(value)); }
  void set(const std::string& key, const std::string& value) { put(key, detail::quoted(value)); }

  /// Loads the weights that --weights names.
  void resume(xtape::nn::Module& model) {
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
    resume(model);
    model_ = &model;
    optimizer_ = &optimizer;
    parts_ = parts;
    if (!flags.resume) return;
    if (!std::filesystem::exists(checkpoint_path())) {
      return say("no checkpoint in " + flags.out_dir + " yet: from the start");
    }
    check_settings(xtape::optim::read_position(checkpoint_path()));
    restore(xtape::optim::load_checkpoint(checkpoint_path(), model, optimizer, parts));
    say("going on after epoch " + std::to_string(epoch_) + " and " + std::to_string(resumed_step_) +
        " steps");
  }

  /// Starts the next pass, of so many steps. False when all are done, or after Ctrl-C; what was
  /// given to resume() is no longer referred to then.
  bool next_epoch(std::int64_t steps) {
    const bool leave = interrupted();
    if (epoch_done() && (leave || checkpoint_due() || !parts_.loader)) save_checkpoint();
    if (leave || epoch_ >= flags.epochs) {
      model_ = nullptr;
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
    if (flags.resume && !model_) throw std::runtime_error("--resume: nothing here can go on");
    if (!flags.weights.empty() && !weights_loaded_) {
      throw std::runtime_error("--weights: nothing here takes them");
    }
    epoch_ = epoch;
    steps_ = steps;
    step_ = std::exchange(resumed_step_, 0);
    if (step_ == 0) loss_sum_ = samples_ = 0;
    shown_ = Clock::now();
    epoch_start_ = shown_ - std::exchange(resumed_time_, {});
  }

  /// Reports a training step: the mean loss of its samples. False when it is time to leave. Throws
  /// where the loss is no longer a number.
  bool step(double loss, std::int64_t samples) {
    if (!std::isfinite(loss)) {
      throw std::runtime_error("the loss is not finite at epoch " + std::to_string(epoch_) +
                               ", step " + std::to_string(step_ + 1) + ": try a smaller --lr");
    }
    ++step_;
    samples_ += static_cast<double>(samples);
    loss_sum_ += loss * static_cast<double>(samples);
    add_to_curve(loss);
    if (!flags.quiet) show_progress();
    const bool leave = interrupted();
    if (parts_.loader && !epoch_done() && (leave || checkpoint_due())) save_checkpoint();
    return !leave;
  }

  /// Ends a pass with what was measured after it: a row of metrics.csv. With --epochs 0, the one
  /// test. A pass that Ctrl-C cut short has no row.
  void end_epoch(const Values& values) {
    Values row{{"epoch", epoch_}};
    if (samples_ > 0) row.emplace_back("train_loss", mean_loss());
    row.insert(row.end(), values.begin(), values.end());
    row.emplace_back("seconds", seconds());
    write_row(row, rows_.empty());
    std::string line = "epoch " + std::to_string(epoch_) + "/" + std::to_string(flags.epochs);
    for (std::size_t i = 1; i < row.size(); ++i) {
      line += "  " + row[i].first + " " + detail::short_number(row[i].second);
    }
    say(line);
    rows_.push_back(std::move(row));
  }

  /// True where a figure that the example states is due: a whole run of as many epochs as it has by
  /// itself, on all samples.
  bool judged() const { return !flags.limit && flags.epochs == own_epochs_ && !interrupted(); }

  /// A figure of the pass done last; NaN where there is none.
  double figure(const std::string& name) const {
    for (const auto& [key, value] : rows_.empty() ? Values() : rows_.back()) {
      if (key == name) return value;
    }
    return NAN;
  }

  /// Saves the model, writes the files, prints the result and where everything is.
  void finish(const xtape::nn::Module& model) {
    end_bar();
    xtape::optim::save_model(model, model_path());
    if (samples_ > 0) set("train_loss", mean_loss());
    set("epochs_done", static_cast<double>(samples_ > 0 ? rows_.size() : 0));
    if (!rows_.empty()) {
      for (const auto& [key, value] : rows_.back()) {
        if (key != "epoch" && key != "train_loss") set(key, value);
      }
    }
    set("seconds", seconds());
    put("interrupted", interrupted() ? "true" : "false");
#ifdef XTAPE_VERSION
    set("xtape_version", std::string(XTAPE_VERSION));
#endif
    set("compiler_version", std::string(__VERSION__));
    write_json();
    write_curve();
    table_.close();
    if (!table_) throw std::runtime_error("cannot write " + path("metrics.csv"));
    print_result();
    std::error_code none;
    if (!interrupted()) std::filesystem::remove(checkpoint_path(), none);
  }

 private:
  std::string path(const char* file) const { return path(file, flags.out_dir); }
  static std::string path(const char* file, const std::string& folder) {
    return (std::filesystem::path(folder) / file).string();
  }
  std::string model_path() const {
    return flags.save_model.empty() ? path("model.safetensors") : flags.save_model;
  }
  std::string checkpoint_path() const { return path("checkpoint.safetensors"); }
  double seconds() const { return seconds_since(start_); }
  static double seconds_since(Clock::time_point t) {
    return std::chrono::duration<double>(Clock::now() - t).count();
  }
  double mean_loss() const { return loss_sum_ / samples_; }

  void put(const std::string& key, std::string json) {
    for (auto& [name, value] : metrics_) {
      if (name == key) return void(value = std::move(json));
    }
    metrics_.emplace_back(key, std::move(json));
  }

  bool checkpoint_due() const {
    return model_ && seconds_since(checkpointed_) >= flags.checkpoint_every;
  }
  void save_checkpoint() {
    if (!model_) return;
    const xtape::optim::Position position{epoch_done() ? epoch_ : epoch_ - 1,
                                          static_cast<std::int64_t>(steps_done()), state()};
    xtape::optim::save_checkpoint(checkpoint_path(), *model_, *optimizer_, position, parts_);
    checkpointed_ = Clock::now();
  }

  // What decides the numbers that a run computes.
  Values settings() const {
    return {{"--epochs", flags.epochs},
            {"--batch-size", static_cast<double>(flags.batch_size)},
            {"--lr", flags.lr},
            {"--seed", static_cast<double>(flags.seed)},
            {"--limit", static_cast<double>(flags.limit)}};
  }
  void check_settings(const xtape::optim::Position& position) const {
    const Values& stored = position.metrics;
    for (const auto& setting : settings()) {
      const auto same = [&](const auto& s) { return s.first == setting.first; };
      const auto found = std::find_if(stored.begin(), stored.end(), same);
      if (found == stored.end()) {
        throw std::runtime_error("--resume: " + checkpoint_path() + " is of another program");
      }
      if (found->second == setting.second) continue;
      throw std::runtime_error("--resume: " + checkpoint_path() + " was begun with " +
                               setting.first + " " + detail::number(found->second) + ", not " +
                               detail::number(setting.second));
    }
  }

  // All that a run reports, as named numbers, and back.
  Values state() const {
    Values all = settings();
    const auto steps = static_cast<double>(epoch_done() ? 0 : step_);
    all.insert(all.end(), {{"seconds", seconds()},
                           {"epoch_seconds", epoch_done() ? 0 : seconds_since(epoch_start_)},
                           {"epoch_steps", steps},
                           {"loss_sum", loss_sum_},
                           {"samples", samples_},
                           {"curve_sum", curve_sum_},
                           {"curve_count", static_cast<double>(curve_count_)}});
    for (std::size_t i = 0; i < curve_x_.size(); ++i) {
      all.emplace_back("curve.x." + std::to_string(i), curve_x_[i]);
      all.emplace_back("curve.y." + std::to_string(i), curve_y_[i]);
    }
    for (const Values& row : rows_) {
      const std::string epoch = "epoch." + detail::number(row[0].second) + ".";
      for (const auto& [key, value] : row) all.emplace_back(epoch + key, value);
    }
    return all;
  }
  void restore(const xtape::optim::Position& position) {
    epoch_ = static_cast<int>(position.epoch);
    const auto ago = [](double seconds) {
      return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    };
    for (const auto& [name, value] : position.metrics) {
      if (name == "seconds") start_ = Clock::now() - ago(value);
      if (name == "epoch_seconds") resumed_time_ = ago(value);
      if (name == "epoch_steps") resumed_step_ = static_cast<std::int64_t>(value);
      if (name == "loss_sum") loss_sum_ = value;
      if (name == "samples") samples_ = value;
      if (name == "curve_sum") curve_sum_ = value;
      if (name == "curve_count") curve_count_ = static_cast<std::int64_t>(value);
      if (name.starts_with("curve.x.")) curve_x_.push_back(value);
      if (name.starts_with("curve.y.")) curve_y_.push_back(value);
      if (!name.starts_with("epoch.")) continue;
      const std::string key = name.substr(name.find('.', 6) + 1);
      if (key == "epoch") rows_.emplace_back();
      rows_.back().emplace_back(key, value);
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) write_row(rows_[i], i == 0);
  }

  // Points of the training curve are means over a hundredth of the run.
  void add_to_curve(double loss) {
    curve_sum_ += loss;
    if (++curve_count_ < std::max<std::int64_t>(1, steps_ * flags.epochs / 100)) return;
    curve_x_.push_back(epoch_ - 1 + static_cast<double>(step_) / static_cast<double>(steps_));
    curve_y_.push_back(curve_sum_ / static_cast<double>(curve_count_));
    curve_sum_ = 0;
    curve_count_ = 0;
  }

  // A bar that is drawn anew on a terminal, a line every ten seconds elsewhere.
  void show_progress() {
    const double wait = on_terminal_ ? 0.1 : 10;
    if (seconds_since(shown_) < wait && !(on_terminal_ && step_ == steps_)) return;
    shown_ = Clock::now();
    const double passed = seconds_since(epoch_start_);
    const double done = static_cast<double>(step_) / static_cast<double>(steps_);
    const double left = passed / done * (flags.epochs - epoch_ + 1 - done);
    char text[160];
    std::snprintf(text, sizeof text, " %3.0f %%  %.0f samples/s  %s left  loss %.4f", 100 * done,
                  samples_ / passed, detail::minutes(left).c_str(), mean_loss());
    const std::string head = "epoch " + std::to_string(epoch_) + "/" + std::to_string(flags.epochs);
    if (on_terminal_) {
      std::printf("\r%s\x1b[K", (head + bar(done, head.size() + std::string(text).size()) + text)
                                    .substr(0, columns() - 1)
                                    .c_str());
      bar_open_ = true;
    } else {
      std::puts((head + text).c_str());
    }
    std::fflush(stdout);
  }
  static std::size_t columns() {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
  }
  static std::string bar(double done, std::size_t others) {
    const std::size_t room = columns() > others + 4 ? columns() - others - 4 : 0;
    const std::size_t width = std::min<std::size_t>(room, 30);
    if (width < 5) return "";
    const auto full = static_cast<std::size_t>(done * static_cast<double>(width));
    return " [" + std::string(full, '#') + std::string(width - full, '-') + "]";
  }
  void end_bar() {
    if (!std::exchange(bar_open_, false)) return;
    std::fputs("\r\x1b[K", stdout);
    std::fflush(stdout);
  }

  void write_row(const Values& row, bool first) {
    for (int part = first ? 0 : 1; part < 2; ++part) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        table_ << (i ? "," : "") << (part ? detail::number(row[i].second) : row[i].first);
      }
      table_ << '\n';
    }
    table_.flush();
  }

  void write_json() const {
    auto file = detail::open_to_write(path("metrics.json"));
    const char* before = "{\n  ";
    for (const auto& [key, value] : metrics_) {
      file << before << detail::quoted(key) << ": " << value;
      before = ",\n  ";
    }
    file << "\n}\n";
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path("metrics.json"));
  }

  // Training loss and every other ..._loss of the rows over the epochs.
  void write_curve() const {
    struct Line {
      std::string name;
      std::vector<double> x, y;
    };
    std::vector<Line> lines{{"train", curve_x_, curve_y_}};
    for (std::size_t i = 0; !rows_.empty() && i < rows_[0].size(); ++i) {
      const std::string& name = rows_[0][i].first;
      if (!name.ends_with("_loss") || name == "train_loss") continue;
      lines.push_back({name.substr(0, name.size() - 5), {}, {}});
      for (const Values& row : rows_) {
        lines.back().x.push_back(row[0].second);
        lines.back().y.push_back(row[i].second);
      }
    }
    const bool positive = std::all_of(lines.begin(), lines.end(), [](const Line& l) {
      return std::all_of(l.y.begin(), l.y.end(), [](double y) { return y > 0; });
    });
    using xtape::data::Axis;
    xtape::data::Plot plot({.title = name_,
                            .x_label = "epoch",
                            .y_label = "loss",
                            .y_axis = positive ? Axis::logarithmic : Axis::linear});
    for (const Line& l : lines) plot.line(l.name, l.x, l.y);
    plot.save(path("loss.svg"));
  }

  void print_result() const {
    std::string result = interrupted() ? "interrupted, saved what there is" : "done";
    for (const auto& [key, value] : rows_.empty() ? Values() : rows_.back()) {
      if (key != "epoch") result += ", " + key + " " + detail::short_number(value);
    }
    std::printf("%s\nmodel    %s\nmetrics  %s\n         %s\ncurve    %s\n", result.c_str(),
                model_path().c_str(), path("metrics.json").c_str(), path("metrics.csv").c_str(),
                path("loss.svg").c_str());
    if (interrupted() && std::filesystem::exists(checkpoint_path())) {
      std::printf("--resume goes on from %s\n", checkpoint_path().c_str());
    }
    std::fflush(stdout);
  }

  std::string name_;
  int own_epochs_;
  xtape::nn::Module* model_ = nullptr;
  xtape::optim::Optimizer* optimizer_ = nullptr;
  xtape::optim::CheckpointParts parts_;
  bool weights_loaded_ = false;
  bool on_terminal_;
  bool bar_open_ = false;
  Clock::time_point start_ = Clock::now(), epoch_start_ = start_, shown_ = start_,
                    checkpointed_ = start_;
  Clock::duration resumed_time_{};
  int epoch_ = 0;
  std::int64_t step_ = 0, steps_ = 0, resumed_step_ = 0;
  double loss_sum_ = 0, samples_ = 0;
  std::vector<double> curve_x_, curve_y_;
  double curve_sum_ = 0;
  std::int64_t curve_count_ = 0;
  std::vector<Values> rows_;
  std::vector<std::pair<std::string, std::string>> metrics_;
  std::ofstream table_;
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
  try {
    app.parse(argc, argv);
    Run r(about, std::move(flags));
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

/// Finds a file in --data-dir or its subfolder, packed or not. Throws where there is none.
inline std::string find_data(const Flags& flags, const std::string& subfolder,
                             const std::string& file) {
  const std::filesystem::path top = flags.data_dir;
  if (!std::filesystem::is_directory(top)) {
    throw std::runtime_error("--data-dir: no folder " + flags.data_dir);
  }
  for (const auto& folder : {top, top / subfolder}) {
    for (const char* ending : {"", ".gz"}) {
      const auto path = folder / (file + ending);
      if (std::filesystem::is_regular_file(path)) return path.string();
    }
  }
  throw std::runtime_error("--data-dir: no " + file + " (or .gz) in " + flags.data_dir +
                           " or its " + subfolder + "/");
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
  plot.save((std::filesystem::path(run.flags.out_dir) / (file + ".svg")).string());
}

}  // namespace example
