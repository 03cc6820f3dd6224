// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "module.hpp"
#include "reduction.hpp"

namespace xtape::nn {

struct CTCOptions {
  std::int64_t blank = 0;
  Reduction reduction = Reduction::mean;
  bool zero_infinity = false;  ///< a label longer than its input costs 0 instead of infinity
};
/// -log of the probability that a path through log-probabilities [T, N, C] spells the label,
/// repeats merged and blanks taken out. Targets int64 [N, S], or all labels one after the other;
/// lengths int64 [N]. The mean divides each loss by its label's length first. For one sample
/// log_probs may be [T, C], targets [S], and the lengths []. Graves et al., ICML 2006. Throws
/// ShapeError, DTypeError, IndexError for classes out of range (or blank), ValueError for lengths
/// that do not fit.
XTAPE_API Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets,
                          const Tensor& input_lengths, const Tensor& target_lengths,
                          const CTCOptions& options = {});

struct XTAPE_API CTCLoss : Module {
  CTCOptions options;
  XTAPE_DECLARE_PARTS()
  explicit CTCLoss(const CTCOptions& o = {}) : options(o) {}
  Tensor forward(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                 const Tensor& target_lengths) {
    return ctc_loss(log_probs, targets, input_lengths, target_lengths, options);
  }
};

namespace detail {
/// The losses of [T, N, C] in recorded operations, targets [N, S]: what the fused pass is checked
/// with and, where the gradient's own graph is wanted, replaced by.
XTAPE_API Tensor composed_ctc(const Tensor& log_probs, const Tensor& targets,
                              const Tensor& input_lengths, const Tensor& target_lengths,
                              std::int64_t blank);
}  // namespace detail

}  // namespace xtape::nn
