// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "module.hpp"

// Losses, as functions and as modules. Shapes are not broadcast: [N, 1] against [N] is a
// ShapeError; the mean of nothing is one too.
namespace xtape::nn {

/// Each element's loss, or their mean (as a rule), or their sum.
enum class Reduction { none, mean, sum };

/// (x - t)^2
XTAPE_API Tensor mse_loss(const Tensor& input, const Tensor& target,
                          Reduction reduction = Reduction::mean);
/// |x - t|; gradient 0 where they are equal.
XTAPE_API Tensor l1_loss(const Tensor& input, const Tensor& target,
                         Reduction reduction = Reduction::mean);
/// -t log x - (1 - t) log(1 - x) for probabilities x, the logarithms limited to -100 from below and
/// the gradient accordingly, as in PyTorch. Throws ValueError for an x outside [0, 1].
XTAPE_API Tensor binary_cross_entropy(const Tensor& input, const Tensor& target,
                                      Reduction reduction = Reduction::mean);
/// The same of sigmoid(x), exact for every x.
XTAPE_API Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target,
                                                  Reduction reduction = Reduction::mean);

struct CrossEntropyOptions {
  std::int64_t ignore_index = -100;  ///< positions of this label count for nothing
  double label_smoothing = 0;        ///< this share of the target goes evenly to all classes
  Reduction reduction = Reduction::mean;
};
/// -log softmax(x)[t] for scores x [N, C, ...] (or [C]) and int64 labels t [N, ...]. The mean is
/// over the positions that are not ignored. Throws ShapeError, DTypeError, IndexError for a label
/// outside [0, C), ValueError.
XTAPE_API Tensor cross_entropy(const Tensor& input, const Tensor& target,
                               const CrossEntropyOptions& options = {});

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

struct XTAPE_API CrossEntropyLoss : Module {
  CrossEntropyOptions options;
  XTAPE_DECLARE_PARTS()
  explicit CrossEntropyLoss(const CrossEntropyOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return cross_entropy(input, target, options);
  }
};

}  // namespace xtape::nn
