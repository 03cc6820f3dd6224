// SPDX-License-Identifier: BSD-3-Clause
#include "state.hpp"

#include <unordered_map>

#include "../autograd/error.hpp"
#include "../autograd/tape.hpp"
#include "walk.hpp"

namespace xtape::nn {
namespace {

struct Target {
  std::string name;  // the first of its names
  Tensor tensor;
  const Tensor* source = nullptr;
};

struct Targets {
  std::vector<Target> all;
  std::unordered_map<std::string, std::size_t> by_name;
};

Targets targets_of(const Module& module) {
  Targets targets;
  std::unordered_map<const void*, std::size_t> seen;
  detail::walk_tensors(module, [&](const std::string& name, const Tensor& t, detail::PartKind) {
    const auto [place, is_new] = seen.emplace(t.value(), targets.all.size());
    if (is_new) targets.all.push_back({name, t, nullptr});
    targets.by_name.emplace(name, place->second);
  });
  return targets;
}

std::string list(const char* what, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::string text = std::string("; ") + what + ": ";
  for (std::size_t i = 0; i < names.size(); ++i) text += (i ? ", " : "") + names[i];
  return text;
}

std::string who(const Module& module) { return "load_state: " + module.type_name(); }

}  // namespace

NamedTensors state_dict(const Module& module) {
  NamedTensors state;
  for (Target& t : targets_of(module).all) state.emplace_back(std::move(t.name), t.tensor);
  return state;
}

LoadReport load_state(Module& module, const NamedTensors& state, const LoadStateOptions& options) {
  Targets targets = targets_of(module);
  LoadReport report;
  for (const auto& [name, tensor] : state) {
    const auto found = targets.by_name.find(name);
    if (found == targets.by_name.end()) {
      report.unexpected.push_back(name);
      continue;
    }
    Target& target = targets.all[found->second];
    if (!tensor.defined() || tensor.shape() != target.tensor.shape()) {
      throw ShapeError(who(module) + ": " + name + ": expected shape " +
                       to_string(target.tensor.sizes()) + ", got " + tensor.description());
    }
    target.source = &tensor;
  }
  for (const Target& t : targets.all) {
    if (!t.source) report.missing.push_back(t.name);
  }
  if (options.strict && !(report.missing.empty() && report.unexpected.empty())) {
    throw ModuleError(who(module) + ": names do not agree" + list("missing", report.missing) +
                      list("unexpected", report.unexpected));
  }
  const NoGrad guard;
  for (Target& t : targets.all) {
    if (t.source) t.tensor.copy_(*t.source);
  }
  return report;
}

}  // namespace xtape::nn
