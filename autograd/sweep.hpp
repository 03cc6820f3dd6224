// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "export.hpp"
#include "tensor.hpp"

namespace xtape {

/// Adds the gradient of `y` to the `.grad()` of every leaf it was computed from; see
/// BackwardOptions. One sweep from the newest operation to the oldest, without recursion.
/// Throws GradError where `y` is no scalar and there is no seed, has no history, or its graph was
/// released, or a value needed was overwritten.
XTAPE_API void backward(const Tensor& y, const BackwardOptions& options = {});

/// How `grad()` differentiates.
struct GradOptions {
  std::vector<Tensor> grad_outputs{};  ///< seeds, one for each output; needed unless scalars
  bool retain_graph = false;           ///< keep what is saved, for another sweep
  bool create_graph = false;           ///< record the gradients' own graph; keeps the graph too
  bool allow_unused = false;           ///< undefined gradients for inputs that do not matter
};

/// Gradients of the sum of `outputs` with respect to `inputs` (leaves or recorded values), in their
/// order. Never touches a leaf's `.grad()`, so threads that share parameters use this one.
/// Throws GradError as `backward`, and for an input without a path unless `allow_unused`.
XTAPE_API std::vector<Tensor> grad(const std::vector<Tensor>& outputs,
                                   const std::vector<Tensor>& inputs,
                                   const GradOptions& options = {});

}  // namespace xtape
