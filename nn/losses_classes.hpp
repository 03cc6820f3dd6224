// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "module.hpp"
#include "reduction.hpp"

// Losses of several classes.
namespace xtape::nn {

struct CrossEntropyOptions {
  Tensor weight{};                   ///< of each class [C]; undefined: all 1
  std::int64_t ignore_index = -100;  ///< positions of this label count for nothing
  double label_smoothing = 0;        ///< this share of the target goes evenly to all classes
  Reduction reduction = Reduction::mean;
};
/// -w[t] log softmax(x)[t] for scores x [N, C, ...] (or [C]) and int64 labels t [N, ...]; the mean
/// is over the weights of the positions that are not ignored. Or, for probabilities t of x's shape
/// and a floating dtype, -sum w t log softmax(x) over the classes; the mean is over the positions.
/// Throws ShapeError, DTypeError, IndexError for a label outside [0, C), ValueError.
XTAPE_API Tensor cross_entropy(const Tensor& input, const Tensor& target,
                               const CrossEntropyOptions& options = {});

struct NLLOptions {
  Tensor weight{};                   ///< of each class [C]; undefined: all 1
  std::int64_t ignore_index = -100;  ///< positions of this label count for nothing
  Reduction reduction = Reduction::mean;
};
/// -w[t] x[t] for log-probabilities x [N, C, ...] (or [C]) and int64 labels t [N, ...]; the mean is
/// over the weights. Throws as cross_entropy does.
XTAPE_API Tensor nll_loss(const Tensor& input, const Tensor& target,
                          const NLLOptions& options = {});

struct KLDivOptions {
  bool log_target = false;  ///< targets are log-probabilities too
  Reduction reduction = Reduction::mean;
};
/// t (log t - x) for log-probabilities x and probabilities t, 0 where t is 0. The divergence itself
/// is the reduction batchmean: the sum divided by the first dimension.
XTAPE_API Tensor kl_div(const Tensor& input, const Tensor& target,
                        const KLDivOptions& options = {});

struct XTAPE_API CrossEntropyLoss : Module {
  CrossEntropyOptions options;
  XTAPE_DECLARE_PARTS()
  explicit CrossEntropyLoss(const CrossEntropyOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return cross_entropy(input, target, options);
  }
};

struct XTAPE_API NLLLoss : Module {
  NLLOptions options;
  XTAPE_DECLARE_PARTS()
  explicit NLLLoss(const NLLOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return nll_loss(input, target, options);
  }
};

struct XTAPE_API KLDivLoss : Module {
  KLDivOptions options;
  XTAPE_DECLARE_PARTS()
  explicit KLDivLoss(const KLDivOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return kl_div(input, target, options);
  }
};

}  // namespace xtape::nn
