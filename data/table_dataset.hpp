// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "../autograd/tensor.hpp"
#include "dataset.hpp"
#include "encoding.hpp"
#include "table.hpp"

namespace xtape::data {

/// The rows of a table as samples: x as an encoder makes it, y beside it. A cross-validation fits
/// the encoder anew in each fold, to its training rows: fill values, scales and categories know
/// nothing of the rows that are tested.
class XTAPE_API TableDataset : public Dataset {
 public:
  /// The samples are encoded here where the encoder is fitted; otherwise they can only be `fitted`.
  /// `y` [rows, ...] may be left out. Throws ShapeError where it has another number of rows, and
  /// what `fit` and `transform` of TableEncoder throw on the table.
  TableDataset(Table table, TableEncoder encoder, const Tensor& y = {});

  std::int64_t size() const override;
  /// These throw ValueError where the encoder is not fitted.
  Batch get(std::int64_t index) const override;
  Batch get_batch(std::span<const std::int64_t> indices) const override;
  /// All rows, by a copy of the encoder that is fitted to these. Throws IndexError, and what `fit`
  /// and `transform` throw.
  Owned<Dataset> fitted(std::span<const std::int64_t> rows) const override;

 private:
  const TensorDataset& samples() const;

  Table table_;
  TableEncoder encoder_;
  Tensor y_;
  std::optional<TensorDataset> samples_;
};

}  // namespace xtape::data
