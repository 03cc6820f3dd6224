// SPDX-License-Identifier: BSD-3-Clause
#include "autocast.hpp"

#include <utility>

#include "kernels/bfloat16.hpp"
#include "node.hpp"

namespace xtape {

Autocast::Autocast(bool enabled) noexcept
    : before_(std::exchange(detail::thread_state.autocast, enabled)) {}

Autocast::~Autocast() { detail::thread_state.autocast = before_; }

bool Autocast::is_supported() { return kernels::has_bfloat16(); }

bool is_autocast_enabled() noexcept { return detail::thread_state.autocast; }

}  // namespace xtape
