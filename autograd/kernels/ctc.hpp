// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../dtype.hpp"

// Connectionist temporal classification by the forward and backward recursions over the label with
// a blank between any two classes, in logarithms and in double. Graves et al., ICML 2006.
namespace xtape::kernels {

/// Log-probabilities of dense row-major [steps, samples, classes]; sample n is `input_lengths[n]` >
/// 0 steps long, its label `target_lengths[n]` classes from targets + target_offsets[n].
struct Ctc {
  std::int64_t steps, samples, classes;
  const std::int64_t* input_lengths;
  const std::int64_t* target_lengths;
  const std::int64_t* target_offsets;
  const std::int64_t* targets;
  std::int64_t blank;
};

/// losses [samples]: infinite where the label does not fit into the steps.
void ctc(const Ctc& c, DType dtype, void* losses, const void* log_probs);
/// gradient [steps, samples, classes] from g [samples]; that of an infinite loss is 0 where
/// `zero_infinity`, else NaN.
void ctc_backward(const Ctc& c, DType dtype, bool zero_infinity, void* gradient, const void* g,
                  const void* log_probs);

}  // namespace xtape::kernels
