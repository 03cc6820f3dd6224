// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "linear.hpp"
#include "module.hpp"

namespace xtape::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;  ///< of the weights, while training
  bool bias = true;
  bool add_bias_kv = false;    ///< a learned key and value beside those given
  bool add_zero_attn = false;  ///< a key and value of zeros beside those given
  std::int64_t kdim = 0;       ///< features of the keys, 0 for embed_dim
  std::int64_t vdim = 0;       ///< features of the values, 0 for embed_dim
  bool batch_first = false;
  DType dtype = float32;
};

struct AttentionCallOptions {
  /// [batch, S], beside the keys that nobody looks at: boolean, true where there is nothing, or
  /// numbers added to the scores.
  Tensor key_padding_mask{};
  /// [L, S] or [batch heads, L, S]: boolean, true where a query may NOT look, or numbers.
  Tensor attn_mask{};
  bool is_causal = false;            ///< query i looks at keys 0 ... i
  bool need_weights = true;          ///< without them no L by S matrix is made
  bool average_attn_weights = true;  ///< over the heads
};

/// The output, and the weights [batch, L, S] or [batch, heads, L, S] where they are wanted.
struct MultiheadAttentionResult {
  Tensor output, weights;
};

/// Attention of several heads side by side, with projections of queries, keys, values and result:
/// query [L, batch, embed_dim], key [S, batch, kdim], value [S, batch, vdim] (batch_first: [batch,
/// L, ...]; without batch: [L, ...]). in_proj_weight [3 embed_dim, embed_dim] (or q_proj_weight,
/// k_proj_weight, v_proj_weight), in_proj_bias, bias_k, bias_v, out_proj; names, shapes and initial
/// values are PyTorch's. Vaswani et al., 2017.
///
///     auto [y, weights] = attention(x, x, x);
///     auto [z, none] = attention(x, x, x, {.is_causal = true, .need_weights = false});
class XTAPE_API MultiheadAttention : public Module {
 public:
  Parameter q_proj_weight, k_proj_weight, v_proj_weight;  // where kdim or vdim is another
  Parameter in_proj_weight, in_proj_bias, bias_k, bias_v;
  Linear out_proj;
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError for sizes below 1, heads that do not divide embed_dim and a dropout outside
  /// [0, 1).
  MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads,
                     const MultiheadAttentionOptions& options = {});
  MultiheadAttentionResult operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const AttentionCallOptions& call);
  MultiheadAttentionResult forward(const Tensor& query, const Tensor& key, const Tensor& value,
                                   const AttentionCallOptions& call = {});

 private:
  struct Projected;

  void check(const Tensor& query, const Tensor& key, const Tensor& value) const;
  Projected project(const Tensor& query, const Tensor& key, const Tensor& value) const;
  Tensor heads(const Tensor& x) const;
  Tensor mask_of(const AttentionCallOptions& call, const Tensor& q, const Tensor& k,
                 std::int64_t extra) const;

  std::int64_t embed_dim_, num_heads_;
  MultiheadAttentionOptions options_;
};

}  // namespace xtape::nn
