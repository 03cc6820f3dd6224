// SPDX-License-Identifier: BSD-3-Clause
#include "embedding.hpp"

#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/tape.hpp"

namespace xtape::nn {
namespace {

Parameter drawn_table(const char* name, std::int64_t rows, std::int64_t features,
                      std::optional<std::int64_t> padding, DType dtype) {
  if (rows < 1 || features < 1) {
    throw ValueError(std::string(name) + ": expected at least 1 row and feature, got " +
                     std::to_string(rows) + " and " + std::to_string(features));
  }
  if (padding && (*padding < -rows || *padding >= rows)) {
    throw IndexError(std::string(name) + ": padding_idx " + std::to_string(*padding) +
                     " is out of range for " + std::to_string(rows) + " rows");
  }
  Tensor table = randn({rows, features}, dtype);
  if (padding) table[*padding].zero_();
  return Parameter(std::move(table));
}

// Rows in use that are longer than max_norm become that long.
void shorten_rows(const Tensor& weight, const Tensor& index, std::optional<double> max_norm,
                  double norm_type) {
  if (!max_norm || !index.defined() || index.dtype() != int64 || index.numel() == 0) return;
  const NoGrad guard;
  const Tensor flat = index.contiguous().reshape({index.numel()});
  const Tensor rows = index_select(weight, 0, flat);
  const Tensor norms = norm(rows, norm_type, {1}, true);
  const Tensor factors =
      where(gt(norms, *max_norm), *max_norm / (norms + 1e-7), scalar_tensor(1, weight.dtype()));
  // A row that occurs twice is written twice, with the same values.
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    if (factors[i].item<double>() == 1) continue;
    weight[flat[i].item<std::int64_t>()].copy_(rows[i] * factors[i]);
  }
}

}  // namespace

XTAPE_DEFINE_PARTS(Embedding, weight)
XTAPE_DEFINE_PARTS(EmbeddingBag, weight)

Embedding::Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim,
                     const EmbeddingModuleOptions& options)
    : weight(drawn_table("Embedding", num_embeddings, embedding_dim, options.padding_idx,
                         options.dtype)),
      options_(options) {}

Tensor Embedding::forward(const Tensor& x) {
  shorten_rows(weight, x, options_.max_norm, options_.norm_type);
  return embedding(
      x, weight,
      {.padding_idx = options_.padding_idx, .scale_grad_by_freq = options_.scale_grad_by_freq});
}

EmbeddingBag::EmbeddingBag(std::int64_t num_embeddings, std::int64_t embedding_dim,
                           const EmbeddingBagModuleOptions& options)
    : weight(drawn_table("EmbeddingBag", num_embeddings, embedding_dim, options.padding_idx,
                         options.dtype)),
      options_(options) {}

Tensor EmbeddingBag::forward(const Tensor& x, const Tensor& offsets,
                             const Tensor& per_sample_weights) {
  shorten_rows(weight, x, options_.max_norm, options_.norm_type);
  return embedding_bag(x, weight,
                       {.mode = options_.mode,
                        .offsets = offsets,
                        .per_sample_weights = per_sample_weights,
                        .padding_idx = options_.padding_idx,
                        .include_last_offset = options_.include_last_offset,
                        .scale_grad_by_freq = options_.scale_grad_by_freq});
}

}  // namespace xtape::nn
