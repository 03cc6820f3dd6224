// SPDX-License-Identifier: BSD-3-Clause
#include "scope.hpp"

#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "node.hpp"

namespace xtape::detail {
namespace {

// As many entries as there are paths in the models of the program; kept for ever, since errors in
// static destructors read them too.
struct Table {
  std::mutex mutex;
  std::deque<std::string> texts{""};
  std::unordered_map<std::string, std::uint32_t> numbers{{"", 0}};
};

Table& table() {
  static Table& t = *new Table;
  return t;
}

void tell_watchers() {
  tell(thread_state.watcher, [](Watcher& w) { w.scope_changed(); });
}

}  // namespace

std::uint32_t intern_scope(const std::string& text) {
  Table& t = table();
  const std::lock_guard lock(t.mutex);
  const auto [entry, fresh] =
      t.numbers.try_emplace(text, static_cast<std::uint32_t>(t.texts.size()));
  if (fresh) t.texts.push_back(text);
  return entry->second;
}

const std::string& scope_text(std::uint32_t scope) noexcept {
  Table& t = table();
  const std::lock_guard lock(t.mutex);
  return t.texts[scope];
}

std::uint32_t current_scope() noexcept { return thread_state.scope; }

ScopeGuard::ScopeGuard(std::uint32_t scope) noexcept
    : before_(std::exchange(thread_state.scope, scope)) {
  if (thread_state.watcher) [[unlikely]]
    tell_watchers();
}

ScopeGuard::~ScopeGuard() {
  thread_state.scope = before_;
  if (thread_state.watcher) [[unlikely]]
    tell_watchers();
}

}  // namespace xtape::detail
