// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "../autograd/export.hpp"
#include "module.hpp"

namespace xtape::nn {

/// Parameters and buffers with dotted names, a tied one once; they share memory with the module.
XTAPE_API NamedTensors state_dict(const Module& module);

struct LoadStateOptions {
  bool strict = true;  ///< missing and unexpected names are an error
};

/// Names that `load_state` did not find, and names that it had no use for.
struct LoadReport {
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;
};

/// Writes tensors, converted to each one's dtype, into the parameters and buffers of the same
/// names; a tied parameter may come under any of its names. Throws ShapeError where shapes differ
/// and, where strict, ModuleError for missing and unexpected names; nothing is changed then.
XTAPE_API LoadReport load_state(Module& module, const NamedTensors& state,
                                const LoadStateOptions& options = {});

}  // namespace xtape::nn
