// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The measuring side that libtorch/ and xtape/ share: command line, timing, one JSON line per
// workload. Standard library only, so that neither framework sees the other.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace measure {

/// A number that some workloads can be given in place of their own.
struct Size {
  std::string_view name;
  int given = 0;  // 0: the workload's own
  bool taken = false;
};

struct Options {
  int threads = 1;
  int repetitions = 10;
  double seconds = 0;  // 0: as long as it takes
  std::string only;    // empty: every workload
  bool memory = false;
  bool deterministic = false;
  bool bf16 = false;
  std::array<Size, 4> sizes{Size{"depth"}, Size{"width"}, Size{"length"}, Size{"batch"}};
};

[[noreturn]] inline void usage(const char* program) {
  std::fprintf(stderr,
               "usage: %s --threads N [--only NAME [--depth N] [--width N] [--length N] "
               "[--batch N]] [--repetitions R] [--seconds S] [--memory] [--deterministic] "
               "[--bf16]\n",
               program);
  std::exit(2);
}

inline int positive(const char* program, const char* text) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (end == text || *end != '\0' || value < 1 || value > 1000000) usage(program);
  return static_cast<int>(value);
}

inline Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const auto value = [&] {
      if (++i == argc) usage(argv[0]);
      return argv[i];
    };
    const auto size = std::find_if(options.sizes.begin(), options.sizes.end(), [&](const Size& s) {
      return flag.substr(0, 2) == "--" && flag.substr(2) == s.name;
    });
    if (size != options.sizes.end()) {
      size->given = positive(argv[0], value());
    } else if (flag == "--threads") {
      options.threads = positive(argv[0], value());
    } else if (flag == "--repetitions") {
      options.repetitions = positive(argv[0], value());
    } else if (flag == "--seconds") {
      options.seconds = positive(argv[0], value());
    } else if (flag == "--only") {
      options.only = value();
    } else if (flag == "--memory") {
      options.memory = true;
    } else if (flag == "--deterministic") {
      options.deterministic = true;
    } else if (flag == "--bf16") {
      options.bf16 = true;
    } else {
      usage(argv[0]);
    }
  }
  return options;
}

/// Nanoseconds in which a cache line goes to another thread and back, the least of several batches.
/// Whether two cores of a virtual machine share a cache may change, and all figures for several
/// threads with it.
inline double round_trip() {
  constexpr int kBatches = 20, kTurns = 500;
  std::atomic<int> turn{0};
  std::thread other([&] {
    for (int i = 1; i < 2 * kBatches * kTurns; i += 2) {
      while (turn.load(std::memory_order_acquire) != i) {}
      turn.store(i + 1, std::memory_order_release);
    }
  });
  double least = std::numeric_limits<double>::infinity();
  for (int batch = 0, i = 0; batch < kBatches; ++batch) {
    const auto start = std::chrono::steady_clock::now();
    for (const int end = i + 2 * kTurns; i < end; i += 2) {
      turn.store(i + 1, std::memory_order_release);
      while (turn.load(std::memory_order_acquire) != i + 2) {}
    }
    const std::chrono::duration<double, std::nano> span = std::chrono::steady_clock::now() - start;
    least = std::min(least, span.count() / kTurns);
  }
  other.join();
  return least;
}

class Session {
 public:
  explicit Session(const Options& options)
      : options_(options), round_trip_(options.threads > 1 ? round_trip() : 0) {}

  /// Whether the command line asks for this workload; set up nothing that is not wanted.
  bool wants(std::string_view name) {
    const bool wanted = options_.only.empty() || options_.only == name;
    matched_ |= wanted;
    return wanted;
  }

  /// The size that the command line gives under this name, or the workload's own; asked for before
  /// `run`, which refuses sizes that the workload has not asked for.
  std::int64_t size(std::string_view name, std::int64_t own) {
    for (Size& s : options_.sizes) {
      if (s.name != name) continue;
      s.taken = true;
      return s.given > 0 ? s.given : own;
    }
    std::fprintf(stderr, "a workload asks for a size that no option gives\n");
    std::abort();
  }

  /// Prints the time of `step` in nanoseconds, divided by `units`: one figure per repetition, each
  /// over as many steps as fill 20 ms, after a warm-up of at least 3 steps and 100 ms. Where
  /// seconds are given, one step of warm-up is enough, and repetitions beyond the second end with
  /// them. Beside the times the most memory that the process has held: at its start, after the
  /// warm-up, at the end.
  template <class F>
  void run(const char* name, F&& step, double units = 1) {
    refuse_other_sizes(name);
    if (options_.memory) return run_for_memory(name, step);
    const bool brief = options_.seconds > 0;
    double spent = 0, one = std::numeric_limits<double>::infinity();
    for (int steps = 0; steps < (brief ? 1 : 3) || (spent < 1e8 && steps < 100000); ++steps) {
      // The first step pays for pages, pools and compiled kernels, the fastest for none of it.
      const double taken = time(1, step);
      one = std::min(one, taken);
      spent += taken;
    }
    const long warm = peak_kib();
    const int inner = static_cast<int>(std::clamp(2e7 / std::max(one, 1.0), 1.0, 1e6));
    std::printf("{\"workload\": \"%s\", \"threads\": %d, \"ns\": [", name, options_.threads);
    spent = 0;
    for (int i = 0; i < options_.repetitions; ++i) {
      if (brief && i >= 2 && spent >= options_.seconds * 1e9) break;
      const double taken = time(inner, step);
      spent += taken;
      std::printf("%s%.6g", i == 0 ? "" : ", ", taken / inner / units);
    }
    std::printf(
        "], \"round_trip_ns\": %.1f, \"start_kib\": %ld, \"warm_kib\": %ld, \"peak_kib\": %ld}\n",
        round_trip_, start_kib_, warm, peak_kib());
    std::fflush(stdout);
  }

  /// Prints the numeric libraries in this process; exit code of main.
  int finish() const {
    if (!matched_) {
      std::fprintf(stderr, "no workload is called %s\n", options_.only.c_str());
      return 2;
    }
    std::vector<std::string> found;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      const auto slash = line.find('/');
      if (slash == std::string::npos) continue;
      const std::string path = line.substr(slash);
      for (const char* part :
           {"openblas", "libblas", "libgomp", "libdnnl", "libtorch_cpu", "libxtape"}) {
        if (path.find(part) != std::string::npos &&
            std::find(found.begin(), found.end(), path) == found.end()) {
          found.push_back(path);
        }
      }
    }
    std::printf("{\"libraries\": [");
    for (std::size_t i = 0; i < found.size(); ++i) {
      std::printf("%s\"%s\"", i == 0 ? "" : ", ", found[i].c_str());
    }
    std::printf("]}\n");
    return 0;
  }

 private:
  void refuse_other_sizes(const char* workload) {
    for (Size& s : options_.sizes) {
      if (s.given > 0 && !s.taken) {
        std::fprintf(stderr, "%s has no --%s\n", workload, std::string(s.name).c_str());
        std::exit(2);
      }
      s.taken = false;
    }
  }

  template <class F>
  static double time(int count, F& step) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) step();
    const std::chrono::duration<double, std::nano> span = std::chrono::steady_clock::now() - start;
    return span.count();
  }

  // What the process holds after 10 steps and after 1,000: a loop that trains must not grow.
  template <class F>
  void run_for_memory(const char* name, F& step) {
    for (int i = 0; i < 10; ++i) step();
    const long early = status_kib("VmRSS:");
    for (int i = 10; i < 1000; ++i) step();
    std::printf(
        "{\"workload\": \"%s\", \"threads\": %d, \"kib_10\": %ld, \"kib_1000\": %ld, "
        "\"peak_kib\": %ld}\n",
        name, options_.threads, early, status_kib("VmRSS:"), peak_kib());
    std::fflush(stdout);
  }

  // Not getrusage's: that one remembers the program which started this one.
  static long peak_kib() { return status_kib("VmHWM:"); }
  static long status_kib(std::string_view field) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind(field, 0) == 0) return std::strtol(line.c_str() + field.size(), nullptr, 10);
    }
    return 0;
  }

  Options options_;
  long start_kib_ = peak_kib();
  double round_trip_;  // 0 for one thread
  bool matched_ = false;
};

}  // namespace measure
