// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "linear.hpp"
#include "module.hpp"

namespace xtape::nn {

/// y[k] = a^T W[k] b + bias[k] for a [..., in1] and b [..., in2]; weight [out, in1, in2] and bias
/// [out] from U(-1 / sqrt(in1), 1 / sqrt(in1)). Throws ShapeError where a or b does not fit.
class XTAPE_API Bilinear : public Module {
 public:
  Parameter weight, bias;
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError for sizes below 1.
  Bilinear(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features,
           const LinearOptions& options = {});
  Tensor forward(const Tensor& a, const Tensor& b);
};

}  // namespace xtape::nn
