// SPDX-License-Identifier: BSD-3-Clause
#include "error.hpp"

#include "scope.hpp"

namespace xtape {
namespace {

std::string with_scope(const std::string& message) {
  const std::uint32_t scope = detail::current_scope();
  return scope == 0 ? message : detail::scope_text(scope) + ": " + message;
}

}  // namespace

Error::Error(const std::string& message) : std::runtime_error(with_scope(message)) {}

}  // namespace xtape
