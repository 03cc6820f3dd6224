// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "export.hpp"
#include "owned.hpp"

namespace xtape {

/// One measured piece of work.
struct ProfileEvent {
  const char* operation;
  std::string module;                     ///< "Net.conv2 (Conv2d)", or empty
  bool backward = false;                  ///< its gradient
  std::int64_t begin_ns = 0, end_ns = 0;  ///< since the profiler began
};

/// Times the operations of this thread in its scope, forward and backward, at some 100 ns each:
///
///     Profiler profiler;
///     loss(net(x), y).backward();
///     std::puts(profiler.table().c_str());
///
/// A forward operation counts from the end of whatever came before it in the same module call, so
/// what a program does between two operations counts for the second one. Gradients are timed
/// exactly; the operations that compute them are not listed on their own.
class XTAPE_API Profiler {
 public:
  Profiler();
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  /// What was measured so far, in order.
  const std::vector<ProfileEvent>& events() const noexcept;
  /// Calls and time by operation and by module, forward and backward, largest first.
  std::string table() const;
  /// Writes what Chrome's chrome://tracing and Perfetto show. Throws FileError.
  void write_trace(const std::string& path) const;

 private:
  class Watch;
  Owned<Watch> watch_;
};

}  // namespace xtape
