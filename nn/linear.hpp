// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "module.hpp"

namespace xtape::nn {

struct LinearOptions {
  bool bias = true;
  DType dtype = float32;
};

/// y = x W^T + b for x [..., in], weight [out, in], bias [out], both from
/// U(-1 / sqrt(in), 1 / sqrt(in)). Throws ShapeError where the last dimension of x is not `in`.
class XTAPE_API Linear : public Module {
 public:
  Parameter weight, bias;
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError for sizes below 1.
  Linear(std::int64_t in_features, std::int64_t out_features, const LinearOptions& options = {});
  Tensor forward(const Tensor& x) override;

  std::int64_t in_features() const { return weight.size(1); }
  std::int64_t out_features() const { return weight.size(0); }
};

}  // namespace xtape::nn
