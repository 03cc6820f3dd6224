// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "module.hpp"

namespace xtape::nn {

/// Joins the dimensions from `start_dim` to `end_dim`: [N, C, H, W] to [N, C H W].
class XTAPE_API Flatten : public Module {
 public:
  std::int64_t start_dim, end_dim;
  XTAPE_DECLARE_PARTS()

  explicit Flatten(std::int64_t start_dim = 1, std::int64_t end_dim = -1);
  Tensor forward(const Tensor& x) override;
};

/// Splits dimension `dim` into `sizes`, one of which may be -1.
class XTAPE_API Unflatten : public Module {
 public:
  std::int64_t dim;
  Shape sizes;
  XTAPE_DECLARE_PARTS()

  Unflatten(std::int64_t dim, const Shape& sizes);
  Tensor forward(const Tensor& x) override;
};

}  // namespace xtape::nn
