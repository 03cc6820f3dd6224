// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "module.hpp"

// Limiting gradients between backward() and step(). Parameters without a gradient are passed over.
// A gradient that somebody else holds too is replaced, never written.
namespace xtape::nn {

struct ClipNormOptions {
  double norm_type = 2;            ///< p of the p-norm; infinity for the largest element
  bool error_if_nonfinite = true;  ///< an Inf or NaN is an error that names the parameter
};

/// Scales the gradients by max_norm / (norm + 1e-6) where their common norm is larger than
/// `max_norm`; returns the norm before. Throws ValueError where a gradient holds Inf or NaN;
/// nothing is changed then. Pascanu et al., ICML 2013.
XTAPE_API double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm,
                                 const ClipNormOptions& options = {});
XTAPE_API double clip_grad_norm_(const Module& module, double max_norm,
                                 const ClipNormOptions& options = {});

struct ClipValueOptions {
  bool error_if_nonfinite = true;
};

/// Limits each element of the gradients to [-clip_value, clip_value]. Throws as above.
XTAPE_API void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value,
                                const ClipValueOptions& options = {});
XTAPE_API void clip_grad_value_(const Module& module, double clip_value,
                                const ClipValueOptions& options = {});

}  // namespace xtape::nn
