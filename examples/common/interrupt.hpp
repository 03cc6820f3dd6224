// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <csignal>

// Ctrl-C, which lets a run end well.
namespace example {
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

}  // namespace detail

/// True from the first Ctrl-C (or SIGTERM) on.
inline bool interrupted() { return detail::received_signal != 0; }

}  // namespace example
