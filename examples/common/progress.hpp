// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace example::detail {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

/// Lines of text, and between them how far a pass has come: a bar that is drawn anew on a terminal,
/// a line every ten seconds elsewhere.
class Progress {
 public:
  /// Of a pass: which one, the part that is done, seconds since its start.
  struct Pass {
    int epoch, epochs;
    double done, seconds, samples, loss;
  };

  Progress() = default;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { end(); }

  void say(const std::string& line) {
    end();
    std::puts(line.c_str());
  }

  void begin() { shown_ = Clock::now(); }

  void show(const Pass& pass) {
    const double wait = on_terminal_ ? 0.1 : 10;
    if (seconds_since(shown_) < wait && !(on_terminal_ && pass.done == 1)) return;
    shown_ = Clock::now();
    const double left = pass.seconds / pass.done * (pass.epochs - pass.epoch + 1 - pass.done);
    char text[160];
    std::snprintf(text, sizeof text, " %3.0f %%  %.0f samples/s  %s left  loss %.4f",
                  100 * pass.done, pass.samples / pass.seconds, minutes(left).c_str(), pass.loss);
    const std::string head =
        "epoch " + std::to_string(pass.epoch) + "/" + std::to_string(pass.epochs);
    if (on_terminal_) {
      const std::size_t others = head.size() + std::string(text).size();
      std::printf("\r%s\x1b[K",
                  (head + bar(pass.done, others) + text).substr(0, columns() - 1).c_str());
      open_ = true;
    } else {
      std::puts((head + text).c_str());
    }
    std::fflush(stdout);
  }

  /// Takes the bar away.
  void end() {
    if (!std::exchange(open_, false)) return;
    std::fputs("\r\x1b[K", stdout);
    std::fflush(stdout);
  }

 private:
  static std::string minutes(double seconds) {
    char text[32];
    const auto s = static_cast<long>(seconds + 0.5);
    std::snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
    return text;
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

  bool on_terminal_ = isatty(STDOUT_FILENO) != 0;
  bool open_ = false;
  Clock::time_point shown_ = Clock::now();
};

}  // namespace example::detail
