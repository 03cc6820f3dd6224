// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <utility>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::nn {

/// mean((|d sum(output) / d input| - target)^2), the norm taken over each sample of input [N, ...];
/// differentiable. Throws ShapeError for an input without a batch, GradError where the output does
/// not depend on it.
XTAPE_API Tensor gradient_norm_penalty(const Tensor& output, const Tensor& input,
                                       double target = 1);

namespace detail {
/// A leaf with a random point between each pair of samples.
XTAPE_API Tensor between(const Tensor& real, const Tensor& fake);
}  // namespace detail

/// The penalty at random points between real and fake samples [N, ...], which keeps a critic's
/// slope near 1: `loss + 10 * gradient_penalty(critic, real, fake)`. Gulrajani et al., NeurIPS
/// 2017.
template <class Critic>
Tensor gradient_penalty(Critic&& critic, const Tensor& real, const Tensor& fake,
                        double target = 1) {
  const Tensor x = detail::between(real, fake);
  return gradient_norm_penalty(std::forward<Critic>(critic)(x), x, target);
}

}  // namespace xtape::nn
