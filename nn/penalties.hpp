// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "module.hpp"

// Regularisation: what large weights cost, to be added to a loss: `loss + 1e-4 * l1_penalty(net)`.
// Of a module all parameters of two dimensions or more; biases and the scales of norms are left
// alone. Throws ValueError where there are none.
namespace xtape::nn {

/// The sum of |w|, which drives weights that are of little use to 0 (Tibshirani, "Regression
/// shrinkage and selection via the lasso", J. R. Stat. Soc. B 58, 1996). The gradient at 0 is 0.
XTAPE_API Tensor l1_penalty(const std::vector<Tensor>& weights);
XTAPE_API Tensor l1_penalty(const Module& module);

/// The sum of w^2. With SGD, c times this does what weight_decay = 2 c does; with Adam it is that
/// of Adam, not of AdamW.
XTAPE_API Tensor l2_penalty(const std::vector<Tensor>& weights);
XTAPE_API Tensor l2_penalty(const Module& module);

}  // namespace xtape::nn
