// SPDX-License-Identifier: BSD-3-Clause
#include "error.hpp"

#include <atomic>

namespace xtape {
namespace {

std::atomic<detail::ContextFunction> context{nullptr};

std::string with_context(const std::string& message) {
  const auto f = context.load();
  return f ? f() + message : message;
}

}  // namespace

Error::Error(const std::string& message) : std::runtime_error(with_context(message)) {}

void detail::set_error_context(ContextFunction f) noexcept { context = f; }

}  // namespace xtape
