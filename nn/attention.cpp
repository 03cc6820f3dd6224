// SPDX-License-Identifier: BSD-3-Clause
#include "attention.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/attention.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/joining.hpp"
#include "../autograd/ops/matmul.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/ops/shape.hpp"
#include "init.hpp"

namespace xtape::nn {
namespace {

std::string shape_of(const Tensor& x) {
  return x.defined() ? to_string(x.sizes()) : std::string("undefined");
}

// A boolean mask of what is left out as numbers to add.
Tensor as_numbers(const char* name, const Tensor& mask, DType dtype) {
  if (is_floating(mask.dtype())) return mask;
  if (mask.dtype() != boolean) {
    throw DTypeError(std::string("expected a boolean ") + name +
                     ", true where a key is left out, or floating numbers to add, got " +
                     mask.description());
  }
  return where(mask, scalar_tensor(-std::numeric_limits<double>::infinity(), dtype),
               scalar_tensor(0, dtype));
}

}  // namespace

XTAPE_DEFINE_PARTS(MultiheadAttention, q_proj_weight, k_proj_weight, v_proj_weight, in_proj_weight,
                   in_proj_bias, bias_k, bias_v, out_proj)

MultiheadAttention::MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads,
                                       const MultiheadAttentionOptions& options)
    : out_proj(std::max<std::int64_t>(embed_dim, 1), std::max<std::int64_t>(embed_dim, 1),
               {.bias = options.bias, .dtype = options.dtype}),
      embed_dim_(embed_dim),
      num_heads_(num_heads),
      options_(options) {
  if (embed_dim < 1 || num_heads < 1 || embed_dim % num_heads != 0) {
    throw ValueError("MultiheadAttention: expected heads that divide embed_dim, got " +
                     std::to_string(num_heads) + " for " + std::to_string(embed_dim));
  }
  if (options.kdim < 0 || options.vdim < 0 || !(options.dropout >= 0 && options.dropout < 1)) {
    throw ValueError(
        "MultiheadAttention: expected kdim and vdim of at least 0 and a dropout in "
        "[0, 1), got " +
        std::to_string(options.kdim) + ", " + std::to_string(options.vdim) + " and " +
        std::to_string(options.dropout));
  }
  if (options_.kdim == 0) options_.kdim = embed_dim;
  if (options_.vdim == 0) options_.vdim = embed_dim;
  const auto drawn = [&](std::int64_t rows, std::int64_t columns) {
    return Parameter(init::xavier_uniform_(empty({rows, columns}, options.dtype)));
  };
  if (options_.kdim == embed_dim && options_.vdim == embed_dim) {
    in_proj_weight = drawn(3 * embed_dim, embed_dim);
  } else {
    q_proj_weight = drawn(embed_dim, embed_dim);
    k_proj_weight = drawn(embed_dim, options_.kdim);
    v_proj_weight = drawn(embed_dim, options_.vdim);
  }
  if (options.bias) {
    in_proj_bias = Parameter(zeros({3 * embed_dim}, options.dtype));
    init::zeros_(out_proj.bias);
  }
  if (options.add_bias_kv) {
    const Shape shape{1, 1, embed_dim};
    bias_k = Parameter(init::xavier_normal_(empty(shape, options.dtype)));
    bias_v = Parameter(init::xavier_normal_(empty(shape, options.dtype)));
  }
}

struct MultiheadAttention::Projected {
  Tensor q, k, v;  // [batch, length, embed_dim]
};

void MultiheadAttention::check(const Tensor& query, const Tensor& key, const Tensor& value) const {
  const auto fits = [](const Tensor& x, std::int64_t features, int rank) {
    return x.defined() && x.dim() == rank && x.sizes().back() == features;
  };
  const int rank = query.defined() ? query.dim() : 0;
  if ((rank == 2 || rank == 3) && fits(query, embed_dim_, rank) && fits(key, options_.kdim, rank) &&
      fits(value, options_.vdim, rank)) {
    return;
  }
  throw ShapeError("expected query, key and value of " + std::to_string(embed_dim_) + ", " +
                   std::to_string(options_.kdim) + " and " + std::to_string(options_.vdim) +
                   " features in 2 or 3 dimensions, got " + shape_of(query) + ", " + shape_of(key) +
                   " and " + shape_of(value));
}

// One product where all three are the same tensor.
MultiheadAttention::Projected MultiheadAttention::project(const Tensor& query, const Tensor& key,
                                                          const Tensor& value) const {
  const std::int64_t n = embed_dim_;
  if (in_proj_weight.defined() && query.value() == key.value() && key.value() == value.value()) {
    const std::vector<Tensor> parts = chunk(linear(query, in_proj_weight, in_proj_bias), 3, -1);
    return {parts[0], parts[1], parts[2]};
  }
  const auto part = [&](const Tensor& x, const Tensor& own, std::int64_t i) {
    const Tensor weight = own.defined() ? own : narrow(in_proj_weight, 0, i * n, n);
    return linear(x, weight, in_proj_bias.defined() ? narrow(in_proj_bias, 0, i * n, n) : Tensor());
  };
  return {part(query, q_proj_weight, 0), part(key, k_proj_weight, 1),
          part(value, v_proj_weight, 2)};
}

// [batch, length, embed_dim] as [batch, heads, length, width]
Tensor MultiheadAttention::heads(const Tensor& x) const {
  return transpose(unflatten(x, -1, {num_heads_, embed_dim_ / num_heads_}), 1, 2);
}

// Both masks as numbers over [batch, heads, L, S + extra]; undefined for none.
Tensor MultiheadAttention::mask_of(const AttentionCallOptions& call, const Tensor& q,
                                   const Tensor& k, std::int64_t extra) const {
  const std::int64_t batch = q.sizes()[0], queries = q.sizes()[1], keys = k.sizes()[1];
  Tensor mask;
  const auto add = [&](const Tensor& more) {
    const Tensor wide = extra > 0 ? pad(more, {0, extra}) : more;
    mask = mask.defined() ? mask + wide : wide;
  };
  if (const Tensor& m = call.attn_mask; m.defined()) {
    const Shape one{queries, keys}, each{batch * num_heads_, queries, keys};
    if (m.shape() != one && m.shape() != each) {
      throw ShapeError("expected an attn_mask of shape " + to_string(one) + " or " +
                       to_string(each) + ", got " + to_string(m.sizes()));
    }
    const Tensor numbers = as_numbers("attn_mask", m, q.dtype());
    add(m.dim() == 2 ? numbers : reshape(numbers, {batch, num_heads_, queries, keys}));
  }
  if (const Tensor& m = call.key_padding_mask; m.defined()) {
    if (m.shape() != Shape{batch, keys}) {
      throw ShapeError("expected a key_padding_mask of shape " + to_string(Shape{batch, keys}) +
                       ", got " + to_string(m.sizes()));
    }
    add(reshape(as_numbers("key_padding_mask", m, q.dtype()), {batch, 1, 1, keys}));
  }
  // The fused causal path knows no further keys and no other mask.
  if (call.is_causal && (mask.defined() || extra > 0)) {
    const Tensor later = gt(arange(keys), unsqueeze(arange(queries), 1));
    add(as_numbers("mask", later, q.dtype()));
  }
  return mask;
}

MultiheadAttentionResult MultiheadAttention::operator()(const Tensor& query, const Tensor& key,
                                                        const Tensor& value,
                                                        const AttentionCallOptions& call) {
  detail::CallScope scope(*this);
  return scope.result(forward(query, key, value, call));
}

MultiheadAttentionResult MultiheadAttention::forward(const Tensor& query, const Tensor& key,
                                                     const Tensor& value,
                                                     const AttentionCallOptions& call) {
  check(query, key, value);
  const bool batched = query.dim() == 3, flips = batched && !options_.batch_first;
  auto [q, k, v] = project(query, key, value);
  AttentionCallOptions masks = call;
  for (Tensor* x : {&q, &k, &v}) {
    if (!batched) *x = unsqueeze(*x, 0);
    if (flips) *x = transpose(*x, 0, 1);
  }
  if (!batched && call.key_padding_mask.defined()) {
    masks.key_padding_mask = unsqueeze(call.key_padding_mask, 0);
  }
  const std::int64_t batch = q.sizes()[0];
  const std::int64_t extra = (bias_k.defined() ? 1 : 0) + (options_.add_zero_attn ? 1 : 0);
  const Tensor mask = mask_of(masks, q, k, extra);
  const Shape row{batch, 1, embed_dim_};
  if (bias_k.defined()) {
    k = cat({k, expand(bias_k, row)}, 1);
    v = cat({v, expand(bias_v, row)}, 1);
  }
  if (options_.add_zero_attn) {
    k = cat({k, zeros(row, k.dtype())}, 1);
    v = cat({v, zeros(row, v.dtype())}, 1);
  }
  const AttentionOptions options{.attn_mask = mask,
                                 .dropout_p = is_training() ? options_.dropout : 0,
                                 .is_causal = call.is_causal && !mask.defined()};
  AttentionAndWeights a;
  if (call.need_weights) {
    a = attention_with_weights(heads(q), heads(k), heads(v), options);
    if (call.average_attn_weights) a.weights = mean(a.weights, {1});
    if (!batched) a.weights = squeeze(a.weights, 0);
  } else {
    a.output = scaled_dot_product_attention(heads(q), heads(k), heads(v), options);
  }
  Tensor y = flatten(transpose(a.output, 1, 2), 2);
  if (flips) y = transpose(y, 0, 1);
  return {out_proj(batched ? y : squeeze(y, 0)), a.weights};
}

}  // namespace xtape::nn
