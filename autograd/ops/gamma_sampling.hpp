// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../export.hpp"
#include "../tensor.hpp"

namespace xtape {

/// Draws from the gamma distribution of this concentration and rate 1, by inversion: the same
/// random numbers give a smooth function of the concentration, whose derivative is the gradient
/// (that of implicit reparametrisation; Figurnov et al., NeurIPS 2018). Differentiable once: a
/// second time throws GradError. Throws ValueError unless all concentrations are positive,
/// DTypeError unless they are floating.
XTAPE_API Tensor standard_gamma(const Tensor& concentration);

}  // namespace xtape
