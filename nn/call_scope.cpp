// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "../autograd/error.hpp"
#include "walk.hpp"

namespace xtape::nn::detail {
namespace {

constinit thread_local CallScope* innermost [[gnu::tls_model("initial-exec")]] = nullptr;
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
  // "Net.block.conv (Conv2d): ", or "" where no module is being called.
  static std::string context() {
    if (!innermost) return {};
    std::string path = path_to(*innermost);
    const std::string type = innermost->module_->type_name();
    return path == type ? path + ": " : path + " (" + type + "): ";
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
};

namespace {

[[maybe_unused]] const bool installed =
    (xtape::detail::set_error_context(&CallStack::context), true);

}  // namespace

CallScope::CallScope(Module& module)
    : module_(&module), outer_(innermost), observed_(observer != nullptr) {
  module.check_parts();
  innermost = this;
}

CallScope::~CallScope() { innermost = outer_; }

void CallScope::observe(const Tensor& y) const { observer->called(*module_, y); }

CallObserver* set_call_observer(CallObserver* o) noexcept { return std::exchange(observer, o); }

void refuse_clone(const Module& module) {
  throw ModuleError(module.type_name() +
                    ": clone: the class cannot be copied; hold its parts by value or as AnyModule");
}

}  // namespace xtape::nn::detail
