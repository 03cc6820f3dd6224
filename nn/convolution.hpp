// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/ops/convolution.hpp"
#include "module.hpp"

namespace xtape::nn {

/// One number, or {height, width}.
struct Conv2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;  ///< zeros added on each side
  Size2 dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  DType dtype = float32;
};

/// Cross-correlation of x [N, in, H, W] (or [in, H, W]), as xtape::conv2d. weight [out, in /
/// groups, KH, KW] and bias [out] from U(-1 / sqrt(fan), 1 / sqrt(fan)), fan = in / groups KH KW.
/// Throws ShapeError where x does not have `in` channels.
class XTAPE_API Conv2d : public Module {
 public:
  Parameter weight, bias;
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError for sizes below 1, negative padding and groups that do not divide both
  /// numbers of channels.
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, Size2 kernel_size,
         const Conv2dOptions& options = {});
  Tensor forward(const Tensor& x) override;

  const Conv2dOptions& options() const noexcept { return options_; }

 private:
  Conv2dOptions options_;
};

}  // namespace xtape::nn
