// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "module.hpp"
#include "reduction.hpp"

// Losses of numbers.
namespace xtape::nn {

/// (x - t)^2
XTAPE_API Tensor mse_loss(const Tensor& input, const Tensor& target,
                          Reduction reduction = Reduction::mean);
/// |x - t|; gradient 0 where they are equal.
XTAPE_API Tensor l1_loss(const Tensor& input, const Tensor& target,
                         Reduction reduction = Reduction::mean);

struct SmoothL1Options {
  double beta = 1;  ///< where the parabola ends; 0: l1_loss
  Reduction reduction = Reduction::mean;
};
/// d^2 / (2 beta) for d = |x - t| < beta, else d - beta / 2. Throws ValueError for beta < 0.
XTAPE_API Tensor smooth_l1_loss(const Tensor& input, const Tensor& target,
                                const SmoothL1Options& options = {});

struct HuberOptions {
  double delta = 1;  ///< where the parabola ends
  Reduction reduction = Reduction::mean;
};
/// d^2 / 2 for d = |x - t| <= delta, else delta (d - delta / 2). Throws ValueError for delta <= 0.
XTAPE_API Tensor huber_loss(const Tensor& input, const Tensor& target,
                            const HuberOptions& options = {});
/// log(cosh(x - t)), exact near 0 and far out; gradient tanh(x - t).
XTAPE_API Tensor log_cosh_loss(const Tensor& input, const Tensor& target,
                               Reduction reduction = Reduction::mean);

struct XTAPE_API MSELoss : Module {
  Reduction reduction;
  XTAPE_DECLARE_PARTS()
  explicit MSELoss(Reduction r = Reduction::mean) : reduction(r) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return mse_loss(input, target, reduction);
  }
};

struct XTAPE_API L1Loss : Module {
  Reduction reduction;
  XTAPE_DECLARE_PARTS()
  explicit L1Loss(Reduction r = Reduction::mean) : reduction(r) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return l1_loss(input, target, reduction);
  }
};

struct XTAPE_API SmoothL1Loss : Module {
  SmoothL1Options options;
  XTAPE_DECLARE_PARTS()
  explicit SmoothL1Loss(const SmoothL1Options& o = {}) : options(o) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return smooth_l1_loss(input, target, options);
  }
};

struct XTAPE_API HuberLoss : Module {
  HuberOptions options;
  XTAPE_DECLARE_PARTS()
  explicit HuberLoss(const HuberOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return huber_loss(input, target, options);
  }
};

struct XTAPE_API LogCoshLoss : Module {
  Reduction reduction;
  XTAPE_DECLARE_PARTS()
  explicit LogCoshLoss(Reduction r = Reduction::mean) : reduction(r) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return log_cosh_loss(input, target, reduction);
  }
};

}  // namespace xtape::nn
