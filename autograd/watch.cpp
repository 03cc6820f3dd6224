// SPDX-License-Identifier: BSD-3-Clause
#include "watch.hpp"

#include <utility>

#include "node.hpp"

namespace xtape::detail {

Watcher::Watcher() noexcept : outer_(std::exchange(thread_state.watcher, this)) {}

Watcher::~Watcher() { thread_state.watcher = outer_; }

}  // namespace xtape::detail
