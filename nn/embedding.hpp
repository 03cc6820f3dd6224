// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "../autograd/export.hpp"
#include "../autograd/ops/embedding.hpp"
#include "module.hpp"

namespace xtape::nn {

struct EmbeddingModuleOptions {
  std::optional<std::int64_t> padding_idx{};  ///< a row that begins as zeros and gets no gradient
  std::optional<double> max_norm{};           ///< rows in use are shortened to this norm, in place
  double norm_type = 2;
  bool scale_grad_by_freq = false;
  DType dtype = float32;
};

/// A table of `num_embeddings` rows by their numbers: x int64 of any shape gives [*x.shape,
/// embedding_dim]. weight [num_embeddings, embedding_dim] from N(0, 1).
class XTAPE_API Embedding : public Module {
 public:
  Parameter weight;
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError for sizes below 1, IndexError for a padding_idx out of range.
  Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim,
            const EmbeddingModuleOptions& options = {});
  Tensor forward(const Tensor& x) override;

  const EmbeddingModuleOptions& options() const noexcept { return options_; }

 private:
  EmbeddingModuleOptions options_;
};

struct EmbeddingBagModuleOptions {
  BagMode mode = BagMode::mean;
  std::optional<std::int64_t> padding_idx{};  ///< a row that counts nowhere and begins as zeros
  std::optional<double> max_norm{};
  double norm_type = 2;
  bool scale_grad_by_freq = false;
  bool include_last_offset = false;
  DType dtype = float32;
};

/// Sums, means or maxima of rows, bag by bag; see xtape::embedding_bag.
class XTAPE_API EmbeddingBag : public Module {
 public:
  Parameter weight;
  XTAPE_DECLARE_PARTS()

  EmbeddingBag(std::int64_t num_embeddings, std::int64_t embedding_dim,
               const EmbeddingBagModuleOptions& options = {});
  Tensor forward(const Tensor& x) override { return forward(x, Tensor()); }
  Tensor forward(const Tensor& x, const Tensor& offsets, const Tensor& per_sample_weights = {});

 private:
  EmbeddingBagModuleOptions options_;
};

}  // namespace xtape::nn
