// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "part_list.hpp"

// Walking over a tree of modules; private to nn/.
namespace xtape::nn::detail {

inline std::string join(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

/// f(path, Module&) for `root` and every module below it, each after the one that holds it.
template <class F>
void walk_below(Module& module, const std::string& path, F& f) {
  module.check_parts();
  f(path, module);
  for (const ListedPart& p : listed_parts(module)) {
    if (p.module) walk_below(*p.module, join(path, p.name), f);
  }
}
template <class F>
void walk(Module& root, F f) {
  walk_below(root, "", f);
}

/// f(path, tensor, kind) for every parameter and buffer that is defined; a tied one comes under
/// each of its names.
template <class F>
void walk_tensors(const Module& root, F f) {
  walk(const_cast<Module&>(root), [&](const std::string& path, Module& m) {
    for (const ListedPart& p : listed_parts(m)) {
      if (p.tensor && p.tensor->defined()) f(join(path, p.name), *p.tensor, p.kind);
    }
  });
}

/// Each value once, under its first name.
NamedTensors named_tensors(const Module& root, PartKind kind);
std::vector<Tensor> tensors(const Module& root, PartKind kind);

}  // namespace xtape::nn::detail
