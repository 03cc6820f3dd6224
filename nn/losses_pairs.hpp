// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "module.hpp"
#include "reduction.hpp"

// Losses of how near two things are. Targets are 1 (near, first) or -1 (far, second).
namespace xtape::nn {

struct MarginOptions {
  double margin = 0;
  Reduction reduction = Reduction::mean;
};
/// 1 - cos(x1, x2) for target 1, max(0, cos(x1, x2) - margin) for -1; x1, x2 [N, D] and target [N],
/// or [D] and []. Throws ShapeError, ValueError for other targets.
XTAPE_API Tensor cosine_embedding_loss(const Tensor& input1, const Tensor& input2,
                                       const Tensor& target, const MarginOptions& options = {});
/// max(0, margin - t (x1 - x2)); all of one shape. Throws ShapeError, ValueError for other targets.
XTAPE_API Tensor margin_ranking_loss(const Tensor& input1, const Tensor& input2,
                                     const Tensor& target, const MarginOptions& options = {});

struct HingeEmbeddingOptions {
  double margin = 1;
  Reduction reduction = Reduction::mean;
};
/// A distance x for target 1, max(0, margin - x) for -1. Throws ShapeError, ValueError for other
/// targets.
XTAPE_API Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target,
                                      const HingeEmbeddingOptions& options = {});

struct TripletMarginOptions {
  double margin = 1;
  double p = 2;  ///< of the distance |a - b + eps|_p
  double eps = 1e-6;
  bool swap = false;  ///< the negative's distance is the smaller of those to anchor and positive
  Reduction reduction = Reduction::mean;
};
/// max(0, margin + d(anchor, positive) - d(anchor, negative)), d the distance along the last
/// dimension. Balntas et al., BMVC 2016. Throws ShapeError, ValueError for p <= 0.
XTAPE_API Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive,
                                     const Tensor& negative,
                                     const TripletMarginOptions& options = {});

struct XTAPE_API CosineEmbeddingLoss : Module {
  MarginOptions options;
  XTAPE_DECLARE_PARTS()
  explicit CosineEmbeddingLoss(const MarginOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input1, const Tensor& input2, const Tensor& target) {
    return cosine_embedding_loss(input1, input2, target, options);
  }
};

struct XTAPE_API MarginRankingLoss : Module {
  MarginOptions options;
  XTAPE_DECLARE_PARTS()
  explicit MarginRankingLoss(const MarginOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input1, const Tensor& input2, const Tensor& target) {
    return margin_ranking_loss(input1, input2, target, options);
  }
};

struct XTAPE_API HingeEmbeddingLoss : Module {
  HingeEmbeddingOptions options;
  XTAPE_DECLARE_PARTS()
  explicit HingeEmbeddingLoss(const HingeEmbeddingOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& input, const Tensor& target) {
    return hinge_embedding_loss(input, target, options);
  }
};

struct XTAPE_API TripletMarginLoss : Module {
  TripletMarginOptions options;
  XTAPE_DECLARE_PARTS()
  explicit TripletMarginLoss(const TripletMarginOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& anchor, const Tensor& positive, const Tensor& negative) {
    return triplet_margin_loss(anchor, positive, negative, options);
  }
};

}  // namespace xtape::nn
