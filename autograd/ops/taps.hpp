// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "../tensor.hpp"

namespace xtape::detail {

/// A linear map along one dimension, row by row: what pooling over uneven windows and interpolation
/// are.
class TapTable {
 public:
  void add(std::int64_t position, double weight) {
    positions_.push_back(position);
    weights_.push_back(weight);
  }
  void end_row() { first_.push_back(static_cast<std::int64_t>(positions_.size())); }

  /// Recorded; differentiable to any order: its gradient is the transposed map.
  Tensor apply(const Tensor& x, std::int64_t dim) const;

 private:
  std::vector<std::int64_t> first_{0}, positions_;
  std::vector<double> weights_;
};

}  // namespace xtape::detail
