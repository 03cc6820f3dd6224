// SPDX-License-Identifier: BSD-3-Clause
#include "pooling.hpp"

namespace xtape::nn {

XTAPE_DEFINE_PARTS(MaxPool2d)
XTAPE_DEFINE_PARTS(AvgPool2d)

MaxPool2d::MaxPool2d(Size2 kernel, const MaxPool2dOptions& o) : kernel_size(kernel), options(o) {}
Tensor MaxPool2d::forward(const Tensor& x) { return max_pool2d(x, kernel_size, options); }

AvgPool2d::AvgPool2d(Size2 kernel, const AvgPool2dOptions& o) : kernel_size(kernel), options(o) {}
Tensor AvgPool2d::forward(const Tensor& x) { return avg_pool2d(x, kernel_size, options); }

}  // namespace xtape::nn
