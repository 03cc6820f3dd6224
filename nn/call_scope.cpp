// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>
#include <utility>

#include "../autograd/error.hpp"
#include "walk.hpp"

namespace xtape::nn::detail {
namespace {

constinit thread_local CallScope* innermost [[gnu::tls_model("initial-exec")]] = nullptr;
struct Known {
  std::uint64_t serial;
  std::uint32_t outer, scope;
};
constexpr std::size_t kKnown = 512;
constinit thread_local Known known_scopes[kKnown] = {};

constinit thread_local CallObserver* observer [[gnu::tls_model("initial-exec")]] = nullptr;

// The path of `target` below `module`: true where it was found.
bool find_path(const Module& module, const Module& target, std::string& path) {
  for (const ListedPart& p : listed_parts(module)) {
    if (!p.module) continue;
    const std::size_t length = path.size();
    path += "." + p.name;
    if (p.module == &target || find_path(*p.module, target, path)) return true;
    path.resize(length);
  }
  return false;
}

}  // namespace

struct CallStack {
  // "Net.block.conv (Conv2d)"
  static std::string text_of(const CallScope& scope) {
    const std::string path = path_to(scope);
    const std::string type = scope.module_->type_name();
    return path == type ? path : path + " (" + type + ")";
  }

  // From the outermost call inwards; one that is no part of the module around it starts anew.
  static std::string path_to(const CallScope& scope) {
    if (scope.outer_) {
      const Module& around = *scope.outer_->module_;
      std::string path = path_to(*scope.outer_);
      if (&around == scope.module_ || find_path(around, *scope.module_, path)) return path;
    }
    return scope.module_->type_name();
  }

  // Paths are looked for once: a serial number is never given again, an address may be.
  static std::uint32_t number_of(const CallScope& scope) {
    const std::uint64_t serial = scope.module_->serial_;
    const std::uint32_t outer = xtape::detail::current_scope();
    Known& known = known_scopes[(serial + outer * 31u) % kKnown];
    if (known.serial != serial || known.outer != outer) {
      known = {serial, outer, xtape::detail::intern_scope(text_of(scope))};
    }
    return known.scope;
  }
};

CallScope::CallScope(Module& module)
    : module_((module.check_parts(), &module)),
      outer_(std::exchange(innermost, this)),
      observed_(observer != nullptr),
      scope_(CallStack::number_of(*this)) {}

CallScope::~CallScope() { innermost = outer_; }

std::uint64_t next_serial() noexcept {
  static constinit std::atomic<std::uint64_t> newest{0};
  return newest.fetch_add(1, std::memory_order_relaxed) + 1;
}

void CallScope::observe(const Tensor& y) const { observer->called(*module_, y); }

CallObserver* set_call_observer(CallObserver* o) noexcept { return std::exchange(observer, o); }

void refuse_clone(const Module& module) {
  throw ModuleError(module.type_name() +
                    ": clone: the class cannot be copied; hold its parts by value or as AnyModule");
}

}  // namespace xtape::nn::detail
