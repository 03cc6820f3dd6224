// SPDX-License-Identifier: BSD-3-Clause
#include "containers.hpp"

#include <algorithm>

#include "../autograd/error.hpp"
#include "type_name.hpp"

namespace xtape::nn {

XTAPE_DEFINE_CLONE(ModuleList, modules_)
XTAPE_DEFINE_CLONE(Sequential)
XTAPE_DEFINE_CLONE(ModuleDict, modules_)

void detail::bad_module_type(const char* operation, const Module& got,
                             const std::type_info& wanted) {
  throw ModuleError(std::string(operation) + ": expected a " + type_name(wanted) + ", got a " +
                    got.type_name());
}

ModuleList& ModuleList::push_back(AnyModule module) {
  if (!module) throw ModuleError(type_name() + ": push_back of an empty module");
  modules_.push_back(std::move(module));
  return *this;
}

Module& ModuleList::operator[](std::int64_t i) const {
  const std::int64_t n = size();
  if (i < -n || i >= n) {
    throw IndexError(type_name() + ": index " + std::to_string(i) + " is out of range for " +
                     std::to_string(n) + " modules");
  }
  return *modules_[static_cast<std::size_t>(i < 0 ? i + n : i)];
}

void ModuleList::visit_parts(detail::PartVisitor& visitor) {
  std::int64_t i = 0;
  for (AnyModule& module : modules_) {
    detail::visit_part(visitor, detail::PartName{nullptr, {}, i++}, module);
  }
}

Sequential& Sequential::push_back(AnyModule module) {
  ModuleList::push_back(std::move(module));
  return *this;
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (AnyModule& module : *this) y = module(y);
  return y;
}

void Sequential::visit_parts(detail::PartVisitor& visitor) { ModuleList::visit_parts(visitor); }

ModuleDict& ModuleDict::insert(std::string name, AnyModule module) {
  if (!module) throw ModuleError("ModuleDict: insert of an empty module");
  if (name.empty() || name.find('.') != std::string::npos) {
    throw ModuleError("ModuleDict: expected a name without dots, got \"" + name + "\"");
  }
  const auto at = std::ranges::find(modules_, name, &std::pair<std::string, AnyModule>::first);
  if (at == modules_.end()) {
    modules_.emplace_back(std::move(name), std::move(module));
  } else {
    at->second = std::move(module);
  }
  return *this;
}

bool ModuleDict::contains(std::string_view name) const noexcept {
  return std::ranges::find(modules_, name, &std::pair<std::string, AnyModule>::first) !=
         modules_.end();
}

std::vector<std::string> ModuleDict::keys() const {
  std::vector<std::string> names;
  for (const auto& [name, module] : modules_) names.push_back(name);
  return names;
}

Module& ModuleDict::operator[](std::string_view name) const {
  const auto at = std::ranges::find(modules_, name, &std::pair<std::string, AnyModule>::first);
  if (at == modules_.end()) {
    throw IndexError("ModuleDict: there is no module \"" + std::string(name) + "\"");
  }
  return *at->second;
}

void ModuleDict::visit_parts(detail::PartVisitor& visitor) {
  for (auto& [name, module] : modules_) {
    detail::visit_part(visitor, detail::PartName{nullptr, name}, module);
  }
}

}  // namespace xtape::nn
