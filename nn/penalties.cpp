// SPDX-License-Identifier: BSD-3-Clause
#include "penalties.hpp"

#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/reductions.hpp"

namespace xtape::nn {
namespace {

template <class F>
Tensor total(const char* name, const std::vector<Tensor>& weights, F of_element) {
  if (weights.empty()) throw ValueError(std::string(name) + ": there are no weights");
  Tensor result;
  for (const Tensor& w : weights) {
    const Tensor part = sum(of_element(w));
    result = result.defined() ? result + part : part;
  }
  return result;
}

std::vector<Tensor> weights_of(const Module& module) {
  std::vector<Tensor> weights;
  for (const Tensor& p : module.parameters()) {
    if (p.dim() >= 2) weights.push_back(p);
  }
  return weights;
}

}  // namespace

Tensor l1_penalty(const std::vector<Tensor>& weights) {
  return total("l1_penalty", weights, [](const Tensor& w) { return abs(w); });
}

Tensor l1_penalty(const Module& module) { return l1_penalty(weights_of(module)); }

Tensor l2_penalty(const std::vector<Tensor>& weights) {
  return total("l2_penalty", weights, [](const Tensor& w) { return square(w); });
}

Tensor l2_penalty(const Module& module) { return l2_penalty(weights_of(module)); }

}  // namespace xtape::nn
