// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "export.hpp"

// The module that is being called, as errors and the tape name it: a text, interned, so that a node
// holds 4 bytes.
namespace xtape::detail {

/// The number of a text such as "Net.conv2 (Conv2d)"; 0 for the empty one.
XTAPE_API std::uint32_t intern_scope(const std::string& text);
/// The text of a number that `intern_scope` gave.
XTAPE_API const std::string& scope_text(std::uint32_t scope) noexcept;

/// The scope of this thread: 0 outside of all modules.
XTAPE_API std::uint32_t current_scope() noexcept;

/// Puts this thread into a scope for the time of its life.
class XTAPE_API ScopeGuard {
 public:
  explicit ScopeGuard(std::uint32_t scope) noexcept;
  ~ScopeGuard();
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

 private:
  std::uint32_t before_;
};

}  // namespace xtape::detail
