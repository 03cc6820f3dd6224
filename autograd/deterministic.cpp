// SPDX-License-Identifier: BSD-3-Clause
#include "deterministic.hpp"

#include <atomic>

namespace xtape {
namespace {

// Not of each thread: the threads of a parallel loop ask too.
constinit std::atomic<bool> enabled_now{false};

}  // namespace

void use_deterministic_algorithms(bool enabled) noexcept {
  enabled_now.store(enabled, std::memory_order_relaxed);
}

bool are_deterministic_algorithms_enabled() noexcept {
  return enabled_now.load(std::memory_order_relaxed);
}

}  // namespace xtape
