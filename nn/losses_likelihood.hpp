// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "module.hpp"
#include "reduction.hpp"

// Negative logarithms of likelihoods.
namespace xtape::nn {

struct GaussianNLLOptions {
  bool full = false;  ///< with the constant log(2 pi) / 2
  double eps = 1e-6;  ///< a smaller variance counts as this; its gradient passes
  Reduction reduction = Reduction::mean;
};
/// (log v + (x - t)^2 / v) / 2 for means x and variances v of x's shape, or with a last dimension
/// of 1 where all elements of the last share one. Throws ShapeError, ValueError for a negative
/// variance or eps <= 0.
XTAPE_API Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var,
                                   const GaussianNLLOptions& options = {});

struct PoissonNLLOptions {
  bool log_input = true;  ///< the input is the logarithm of the rate
  bool full = false;      ///< with Stirling's t log t - t + log(2 pi t) / 2 for t > 1
  double eps = 1e-8;      ///< added to a rate of which the logarithm is taken
  Reduction reduction = Reduction::mean;
};
/// e^x - t x for logarithms of rates x and counts t, or x - t log(x + eps) for rates.
XTAPE_API Tensor poisson_nll_loss(const Tensor& input, const Tensor& target,
                                  const PoissonNLLOptions& options = {});

struct XTAPE_API GaussianNLLLoss : Module {
  GaussianNLLOptions options;
  XTAPE_DECLARE_PARTS()
  explicit GaussianNLLLoss(const GaussianNLLOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input, const Tensor& target, const Tensor& var) {
    return gaussian_nll_loss(input, target, var, options);
  }
};

struct XTAPE_API PoissonNLLLoss : Module {
  PoissonNLLOptions options;
  XTAPE_DECLARE_PARTS()
  explicit PoissonNLLLoss(const PoissonNLLOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return poisson_nll_loss(input, target, options);
  }
};

}  // namespace xtape::nn
