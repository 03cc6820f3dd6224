// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "../autograd/ops/pooling.hpp"
#include "module.hpp"

namespace xtape::nn {

/// The maximum over windows of x [N, C, H, W], as xtape::max_pool2d; stride is the kernel's size
/// where nothing is said.
class XTAPE_API MaxPool2d : public Module {
 public:
  Size2 kernel_size;
  MaxPool2dOptions options;
  XTAPE_DECLARE_PARTS()

  explicit MaxPool2d(Size2 kernel_size, const MaxPool2dOptions& options = {});
  Tensor forward(const Tensor& x) override;
};

/// The mean over windows of x [N, C, H, W], as xtape::avg_pool2d.
class XTAPE_API AvgPool2d : public Module {
 public:
  Size2 kernel_size;
  AvgPool2dOptions options;
  XTAPE_DECLARE_PARTS()

  explicit AvgPool2d(Size2 kernel_size, const AvgPool2dOptions& options = {});
  Tensor forward(const Tensor& x) override;
};

}  // namespace xtape::nn
