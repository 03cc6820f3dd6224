// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "../export.hpp"
#include "../tensor.hpp"

namespace xtape {

struct AttentionOptions {
  /// Broadcast to [..., L, S]: boolean, true where a query may look, or numbers added to the
  /// scores.
  Tensor attn_mask{};
  double dropout_p = 0;           ///< of the weights, always: pass 0 outside training
  bool is_causal = false;         ///< query i looks at keys 0 ... i; no mask besides
  std::optional<double> scale{};  ///< without a value: 1 / sqrt(E)
};

/// softmax(scale Q K^T + mask) V for query [..., L, E], key [..., S, E], value [..., S, Ev];
/// leading dimensions broadcast. A query that may look nowhere gives zeros. Block by block: no L by
/// S matrix is kept, but where the mask itself requires grad. Throws ShapeError, DTypeError,
/// ValueError on a mask beside is_causal and a dropout_p outside [0, 1). Vaswani et al., 2017.
XTAPE_API Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key,
                                              const Tensor& value,
                                              const AttentionOptions& options = {});

struct AttentionAndWeights {
  Tensor output, weights;
};
/// The same with the weights [..., L, S] past dropout, composed of recorded operations.
XTAPE_API AttentionAndWeights attention_with_weights(const Tensor& query, const Tensor& key,
                                                     const Tensor& value,
                                                     const AttentionOptions& options = {});

}  // namespace xtape
