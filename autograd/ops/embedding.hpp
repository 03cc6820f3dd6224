// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "../export.hpp"
#include "../tensor.hpp"

// Rows of a table by their numbers. A number out of range is an IndexError.
namespace xtape {

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx{};  ///< a row without gradient; may count from the back
  bool scale_grad_by_freq = false;            ///< a row's gradient divided by how often it occurs
};

/// The rows weight[index], weight [rows, features]: [*index.shape, features]. Gradient: the sum of
/// those of a row's occurrences, dense.
XTAPE_API Tensor embedding(const Tensor& index, const Tensor& weight,
                           const EmbeddingOptions& options = {});

enum class BagMode : std::uint8_t { sum, mean, max };

struct EmbeddingBagOptions {
  BagMode mode = BagMode::mean;
  Tensor offsets{};             ///< int64: where each bag begins in a 1-d index
  Tensor per_sample_weights{};  ///< of the index's shape, factors of the rows; mode sum alone
  std::optional<std::int64_t> padding_idx{};  ///< a row that counts nowhere
  bool include_last_offset = false;           ///< the last offset is the end of the last bag
  bool scale_grad_by_freq = false;
};

/// Sums, means or maxima of the rows of each bag: the rows of a 2-d index, or the parts of a 1-d
/// one between `offsets`; [bags, features], 0 for an empty bag. A maximum's gradient goes to its
/// first row.
XTAPE_API Tensor embedding_bag(const Tensor& index, const Tensor& weight,
                               const EmbeddingBagOptions& options = {});

}  // namespace xtape
