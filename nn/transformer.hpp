// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "../autograd/export.hpp"
#include "attention.hpp"
#include "dropout.hpp"
#include "linear.hpp"
#include "module.hpp"
#include "normalization.hpp"

// Transformers with PyTorch's names, defaults and masks (boolean ones are true where nobody looks).
// x is [length, batch, d_model], batch_first [batch, length, d_model], or [length, d_model] alone.
namespace xtape::nn {

enum class TransformerActivation { relu, gelu };

struct TransformerLayerOptions {
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  TransformerActivation activation = TransformerActivation::relu;
  double layer_norm_eps = 1e-5;
  bool batch_first = false;
  bool norm_first = false;  ///< normalise before attention and feed-forward, not after
  bool bias = true;
  DType dtype = float32;
};

struct EncoderMasks {
  Tensor src_mask{}, src_key_padding_mask{};
  bool is_causal = false;
};
struct DecoderMasks {
  Tensor tgt_mask{}, memory_mask{}, tgt_key_padding_mask{}, memory_key_padding_mask{};
  bool tgt_is_causal = false;
};

/// Self-attention, then a feed-forward net, each with a shortcut and a norm.
class XTAPE_API TransformerEncoderLayer : public Module {
 public:
  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;
  XTAPE_DECLARE_PARTS()

  TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                          const TransformerLayerOptions& options = {});
  Tensor operator()(const Tensor& src, const EncoderMasks& masks);
  Tensor forward(const Tensor& src) override { return forward(src, EncoderMasks{}); }
  Tensor forward(const Tensor& src, const EncoderMasks& masks);

 private:
  TransformerLayerOptions options_;
};

/// Self-attention, attention to `memory`, then a feed-forward net, each with a shortcut and a norm.
class XTAPE_API TransformerDecoderLayer : public Module {
 public:
  MultiheadAttention self_attn, multihead_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2, norm3;
  Dropout dropout1, dropout2, dropout3;
  XTAPE_DECLARE_PARTS()

  TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead,
                          const TransformerLayerOptions& options = {});
  Tensor operator()(const Tensor& tgt, const Tensor& memory, const DecoderMasks& masks);
  Tensor forward(const Tensor& tgt, const Tensor& memory, const DecoderMasks& masks = {});

 private:
  TransformerLayerOptions options_;
};

/// `num_layers` copies of a layer one after the other, with the same initial values; then a norm,
/// where one is given.
class XTAPE_API TransformerEncoder : public Module {
 public:
  std::vector<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError for less than one layer.
  TransformerEncoder(const TransformerEncoderLayer& layer, std::int64_t num_layers,
                     std::optional<LayerNorm> norm = {});
  Tensor operator()(const Tensor& src, const EncoderMasks& masks);
  Tensor forward(const Tensor& src) override { return forward(src, EncoderMasks{}); }
  Tensor forward(const Tensor& src, const EncoderMasks& masks);
};

class XTAPE_API TransformerDecoder : public Module {
 public:
  std::vector<TransformerDecoderLayer> layers;
  std::optional<LayerNorm> norm;
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError for less than one layer.
  TransformerDecoder(const TransformerDecoderLayer& layer, std::int64_t num_layers,
                     std::optional<LayerNorm> norm = {});
  Tensor operator()(const Tensor& tgt, const Tensor& memory, const DecoderMasks& masks);
  Tensor forward(const Tensor& tgt, const Tensor& memory, const DecoderMasks& masks = {});
};

}  // namespace xtape::nn
