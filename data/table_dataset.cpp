// SPDX-License-Identifier: BSD-3-Clause
#include "table_dataset.hpp"

#include <string>
#include <utility>

#include "../autograd/error.hpp"

namespace xtape::data {

TableDataset::TableDataset(Table table, TableEncoder encoder, const Tensor& y)
    : table_(std::move(table)), encoder_(std::move(encoder)), y_(y) {
  if (y.defined() && (y.dim() == 0 || y.size(0) != table_.rows())) {
    throw ShapeError("TableDataset: " + std::to_string(table_.rows()) + " rows, got y " +
                     y.description());
  }
  if (encoder_.is_fitted()) {
    samples_.emplace(encoder_.transform(table_), y_);
  } else {
    // What cannot be used is refused now, by line and column, not in some fold; nothing is kept.
    TableEncoder(encoder_).fit(table_);
  }
}

const TensorDataset& TableDataset::samples() const {
  if (!samples_) {
    throw ValueError(
        "TableDataset: the encoder is not fitted yet (see TableEncoder::fit and "
        "TableDataset::fitted)");
  }
  return *samples_;
}

std::int64_t TableDataset::size() const { return table_.rows(); }

Batch TableDataset::get(std::int64_t index) const { return samples().get(index); }

Batch TableDataset::get_batch(std::span<const std::int64_t> indices) const {
  return samples().get_batch(indices);
}

Owned<Dataset> TableDataset::fitted(std::span<const std::int64_t> rows) const {
  TableEncoder encoder = encoder_;
  encoder.fit(table_.take(rows));
  return Owned<TensorDataset>::make(encoder.transform(table_), y_);
}

}  // namespace xtape::data
