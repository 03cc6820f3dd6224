// SPDX-License-Identifier: BSD-3-Clause
#include "transformer.hpp"

#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/activations.hpp"
#include "../autograd/ops/arithmetic.hpp"

namespace xtape::nn {
namespace {

MultiheadAttentionOptions attention_options(const TransformerLayerOptions& o) {
  return {.dropout = o.dropout, .bias = o.bias, .batch_first = o.batch_first, .dtype = o.dtype};
}
LinearOptions linear_options(const TransformerLayerOptions& o) { return {o.bias, o.dtype}; }
LayerNormOptions norm_options(const TransformerLayerOptions& o) {
  return {.eps = o.layer_norm_eps, .bias = o.bias, .dtype = o.dtype};
}

Tensor attend(MultiheadAttention& attention, const Tensor& x, const Tensor& memory,
              const Tensor& mask, const Tensor& padding, bool is_causal) {
  return attention(x, memory, memory,
                   {.key_padding_mask = padding,
                    .attn_mask = mask,
                    .is_causal = is_causal && !mask.defined(),
                    .need_weights = false})
      .output;
}

template <class Layer>
Tensor feed_forward(Layer& layer, const Tensor& x, TransformerActivation activation) {
  const Tensor a = layer.linear1(x);
  const Tensor h = activation == TransformerActivation::relu ? relu(a) : gelu(a);
  return layer.linear2(layer.dropout(h));
}

// x + f(norm(x)), or norm(x + f(x)).
template <class F>
Tensor shortcut(const Tensor& x, LayerNorm& norm, Dropout& dropout, bool norm_first, F&& f) {
  return norm_first ? x + dropout(f(norm(x))) : norm(x + dropout(f(x)));
}

template <class Layer>
std::vector<Layer> copies(const char* name, const Layer& layer, std::int64_t count) {
  if (count < 1) {
    throw ValueError(std::string(name) + ": expected at least 1 layer, got " +
                     std::to_string(count));
  }
  return std::vector<Layer>(static_cast<std::size_t>(count), layer);
}

}  // namespace

XTAPE_DEFINE_PARTS(TransformerEncoderLayer, self_attn, linear1, dropout, linear2, norm1, norm2,
                   dropout1, dropout2)
XTAPE_DEFINE_PARTS(TransformerDecoderLayer, self_attn, multihead_attn, linear1, dropout, linear2,
                   norm1, norm2, norm3, dropout1, dropout2, dropout3)
XTAPE_DEFINE_PARTS(TransformerEncoder, layers, norm)
XTAPE_DEFINE_PARTS(TransformerDecoder, layers, norm)

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 const TransformerLayerOptions& o)
    : self_attn(d_model, nhead, attention_options(o)),
      linear1(d_model, o.dim_feedforward, linear_options(o)),
      dropout(o.dropout),
      linear2(o.dim_feedforward, d_model, linear_options(o)),
      norm1(d_model, norm_options(o)),
      norm2(d_model, norm_options(o)),
      dropout1(o.dropout),
      dropout2(o.dropout),
      options_(o) {}

Tensor TransformerEncoderLayer::operator()(const Tensor& src, const EncoderMasks& masks) {
  detail::CallScope scope(*this);
  return scope.result(forward(src, masks));
}

Tensor TransformerEncoderLayer::forward(const Tensor& src, const EncoderMasks& m) {
  const bool first = options_.norm_first;
  const Tensor x = shortcut(src, norm1, dropout1, first, [&](const Tensor& y) {
    return attend(self_attn, y, y, m.src_mask, m.src_key_padding_mask, m.is_causal);
  });
  return shortcut(x, norm2, dropout2, first,
                  [&](const Tensor& y) { return feed_forward(*this, y, options_.activation); });
}

TransformerDecoderLayer::TransformerDecoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 const TransformerLayerOptions& o)
    : self_attn(d_model, nhead, attention_options(o)),
      multihead_attn(d_model, nhead, attention_options(o)),
      linear1(d_model, o.dim_feedforward, linear_options(o)),
      dropout(o.dropout),
      linear2(o.dim_feedforward, d_model, linear_options(o)),
      norm1(d_model, norm_options(o)),
      norm2(d_model, norm_options(o)),
      norm3(d_model, norm_options(o)),
      dropout1(o.dropout),
      dropout2(o.dropout),
      dropout3(o.dropout),
      options_(o) {}

Tensor TransformerDecoderLayer::operator()(const Tensor& tgt, const Tensor& memory,
                                           const DecoderMasks& masks) {
  detail::CallScope scope(*this);
  return scope.result(forward(tgt, memory, masks));
}

Tensor TransformerDecoderLayer::forward(const Tensor& tgt, const Tensor& memory,
                                        const DecoderMasks& m) {
  const bool first = options_.norm_first;
  Tensor x = shortcut(tgt, norm1, dropout1, first, [&](const Tensor& y) {
    return attend(self_attn, y, y, m.tgt_mask, m.tgt_key_padding_mask, m.tgt_is_causal);
  });
  x = shortcut(x, norm2, dropout2, first, [&](const Tensor& y) {
    return attend(multihead_attn, y, memory, m.memory_mask, m.memory_key_padding_mask, false);
  });
  return shortcut(x, norm3, dropout3, first,
                  [&](const Tensor& y) { return feed_forward(*this, y, options_.activation); });
}

TransformerEncoder::TransformerEncoder(const TransformerEncoderLayer& layer,
                                       std::int64_t num_layers, std::optional<LayerNorm> n)
    : layers(copies("TransformerEncoder", layer, num_layers)), norm(std::move(n)) {}

Tensor TransformerEncoder::operator()(const Tensor& src, const EncoderMasks& masks) {
  detail::CallScope scope(*this);
  return scope.result(forward(src, masks));
}

Tensor TransformerEncoder::forward(const Tensor& src, const EncoderMasks& masks) {
  Tensor x = src;
  for (TransformerEncoderLayer& layer : layers) x = layer(x, masks);
  return norm ? (*norm)(x) : x;
}

TransformerDecoder::TransformerDecoder(const TransformerDecoderLayer& layer,
                                       std::int64_t num_layers, std::optional<LayerNorm> n)
    : layers(copies("TransformerDecoder", layer, num_layers)), norm(std::move(n)) {}

Tensor TransformerDecoder::operator()(const Tensor& tgt, const Tensor& memory,
                                      const DecoderMasks& masks) {
  detail::CallScope scope(*this);
  return scope.result(forward(tgt, memory, masks));
}

Tensor TransformerDecoder::forward(const Tensor& tgt, const Tensor& memory,
                                   const DecoderMasks& masks) {
  Tensor x = tgt;
  for (TransformerDecoderLayer& layer : layers) x = layer(x, memory, masks);
  return norm ? (*norm)(x) : x;
}

}  // namespace xtape::nn
