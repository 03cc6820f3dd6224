// SPDX-License-Identifier: BSD-3-Clause
#include "module_hooks.hpp"

#include <memory>
#include <vector>

namespace xtape::nn::detail {
namespace {

struct Entry {
  const void* registration;
  const Module* module;
  std::shared_ptr<CallHook> hook;
};

// The hooks of a thread, called from where the observer before them was.
class Hooks final : public CallObserver {
 public:
  void add(Entry entry) {
    if (entries_.empty()) before_ = set_call_observer(this);
    entries_.push_back(std::move(entry));
  }
  void remove(const void* registration) {
    std::erase_if(entries_, [&](const Entry& e) { return e.registration == registration; });
    if (entries_.empty()) set_call_observer(before_);
  }
  void called(Module& module, const Tensor& result) override {
    if (before_) before_->called(module, result);
    std::vector<std::shared_ptr<CallHook>> its;  // a hook may make or end others
    for (const Entry& e : entries_) {
      if (e.module == &module) its.push_back(e.hook);
    }
    for (const auto& hook : its) hook->call(module, result);
  }

 private:
  std::vector<Entry> entries_;
  CallObserver* before_ = nullptr;
};

thread_local Hooks hooks;

}  // namespace

HookRegistration::HookRegistration(const Module& module, Owned<CallHook> hook) {
  hooks.add({this, &module, std::shared_ptr<CallHook>(hook.release())});
}

HookRegistration::~HookRegistration() { hooks.remove(this); }

}  // namespace xtape::nn::detail
