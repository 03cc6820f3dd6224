// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <xtape/optim/process_group.hpp>

// The command line, and the files of --data-dir.
namespace example {

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
  bool distributed = false, no_dropout = false, bf16 = false;  // where an example has them
  int processes = 1;
};

/// Name and purpose of an example, and what holds where no flag says otherwise.
struct About {
  const char* name;
  const char* purpose;
  int epochs;
  std::int64_t batch_size;
  double lr;
  /// Flags of this example alone.
  void (*add_flags)(CLI::App& app, Flags& flags) = nullptr;
  /// Those who train together with --distributed.
  xtape::Owned<xtape::optim::ProcessGroup> (*processes)() = nullptr;
};

namespace detail {

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

}  // namespace example
