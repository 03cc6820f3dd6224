// SPDX-License-Identifier: BSD-3-Clause
#include "walk.hpp"

#include <unordered_set>

namespace xtape::nn::detail {
namespace {

template <class F>
void walk_values(const Module& root, PartKind kind, F f) {
  std::unordered_set<const void*> seen;
  walk_tensors(root, [&](const std::string& path, OwnedTensor& t, PartKind k) {
    if (k == kind && seen.insert(t.value()).second) f(path, t);
  });
}

}  // namespace

NamedTensors named_tensors(const Module& root, PartKind kind) {
  NamedTensors found;
  walk_values(root, kind,
              [&](const std::string& path, const Tensor& t) { found.emplace_back(path, t); });
  return found;
}

std::vector<Tensor> tensors(const Module& root, PartKind kind) {
  std::vector<Tensor> found;
  walk_values(root, kind, [&](const std::string&, const Tensor& t) { found.push_back(t); });
  return found;
}

}  // namespace xtape::nn::detail
