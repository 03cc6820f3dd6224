// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "module.hpp"
#include "reduction.hpp"

// Losses of two classes.
namespace xtape::nn {

/// -t log x - (1 - t) log(1 - x) for probabilities x, the logarithms limited to -100 from below and
/// the gradient accordingly, as in PyTorch. Throws ValueError for an x outside [0, 1].
XTAPE_API Tensor binary_cross_entropy(const Tensor& input, const Tensor& target,
                                      Reduction reduction = Reduction::mean);
/// The same of sigmoid(x), exact for every x.
XTAPE_API Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target,
                                                  Reduction reduction = Reduction::mean);

struct FocalOptions {
  double alpha = 0.25;  ///< weight of the targets 1, that of 0 being 1 - alpha; below 0: none
  double gamma = 2;
  Reduction reduction = Reduction::none;
};
/// alpha_t (1 - p_t)^gamma times binary_cross_entropy_with_logits, p_t being the probability given
/// to the right class. Lin et al., ICCV 2017; as torchvision has it. Throws ValueError for gamma <
/// 0 and alpha > 1.
XTAPE_API Tensor sigmoid_focal_loss(const Tensor& input, const Tensor& target,
                                    const FocalOptions& options = {});

struct DiceOptions {
  double smooth = 1;  ///< keeps empty masks finite
  Reduction reduction = Reduction::mean;
};
/// 1 - (2 sum x t + smooth) / (sum x + sum t + smooth) for probabilities x [N, ...], summed over
/// all but the first dimension. Milletari et al., 3DV 2016. Throws ShapeError for fewer than two
/// dimensions, ValueError for smooth < 0.
XTAPE_API Tensor dice_loss(const Tensor& input, const Tensor& target,
                           const DiceOptions& options = {});

struct XTAPE_API BCELoss : Module {
  Reduction reduction;
  XTAPE_DECLARE_PARTS()
  explicit BCELoss(Reduction r = Reduction::mean) : reduction(r) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return binary_cross_entropy(input, target, reduction);
  }
};

struct XTAPE_API BCEWithLogitsLoss : Module {
  Reduction reduction;
  XTAPE_DECLARE_PARTS()
  explicit BCEWithLogitsLoss(Reduction r = Reduction::mean) : reduction(r) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return binary_cross_entropy_with_logits(input, target, reduction);
  }
};

struct XTAPE_API SigmoidFocalLoss : Module {
  FocalOptions options;
  XTAPE_DECLARE_PARTS()
  explicit SigmoidFocalLoss(const FocalOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return sigmoid_focal_loss(input, target, options);
  }
};

struct XTAPE_API DiceLoss : Module {
  DiceOptions options;
  XTAPE_DECLARE_PARTS()
  explicit DiceLoss(const DiceOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return dice_loss(input, target, options);
  }
};

}  // namespace xtape::nn
