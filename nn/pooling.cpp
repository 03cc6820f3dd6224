// SPDX-License-Identifier: BSD-3-Clause
#include "pooling.hpp"

namespace xtape::nn {

XTAPE_DEFINE_PARTS(MaxPool1d)
XTAPE_DEFINE_PARTS(MaxPool2d)
XTAPE_DEFINE_PARTS(AvgPool1d)
XTAPE_DEFINE_PARTS(AvgPool2d)
XTAPE_DEFINE_PARTS(LPPool1d)
XTAPE_DEFINE_PARTS(LPPool2d)
XTAPE_DEFINE_PARTS(AdaptiveAvgPool1d)
XTAPE_DEFINE_PARTS(AdaptiveAvgPool2d)
XTAPE_DEFINE_PARTS(AdaptiveMaxPool1d)
XTAPE_DEFINE_PARTS(AdaptiveMaxPool2d)

MaxPool1d::MaxPool1d(std::int64_t kernel, const MaxPool1dOptions& o)
    : kernel_size(kernel), options(o) {}
Tensor MaxPool1d::forward(const Tensor& x) { return max_pool1d(x, kernel_size, options); }

MaxPool2d::MaxPool2d(Size2 kernel, const MaxPool2dOptions& o) : kernel_size(kernel), options(o) {}
Tensor MaxPool2d::forward(const Tensor& x) { return max_pool2d(x, kernel_size, options); }

AvgPool1d::AvgPool1d(std::int64_t kernel, const AvgPool1dOptions& o)
    : kernel_size(kernel), options(o) {}
Tensor AvgPool1d::forward(const Tensor& x) { return avg_pool1d(x, kernel_size, options); }

AvgPool2d::AvgPool2d(Size2 kernel, const AvgPool2dOptions& o) : kernel_size(kernel), options(o) {}
Tensor AvgPool2d::forward(const Tensor& x) { return avg_pool2d(x, kernel_size, options); }

LPPool1d::LPPool1d(double p, std::int64_t kernel, const LPPool1dOptions& o)
    : norm_type(p), kernel_size(kernel), options(o) {}
Tensor LPPool1d::forward(const Tensor& x) { return lp_pool1d(x, norm_type, kernel_size, options); }

LPPool2d::LPPool2d(double p, Size2 kernel, const LPPool2dOptions& o)
    : norm_type(p), kernel_size(kernel), options(o) {}
Tensor LPPool2d::forward(const Tensor& x) { return lp_pool2d(x, norm_type, kernel_size, options); }

AdaptiveAvgPool1d::AdaptiveAvgPool1d(std::int64_t size) : output_size(size) {}
Tensor AdaptiveAvgPool1d::forward(const Tensor& x) { return adaptive_avg_pool1d(x, output_size); }

AdaptiveAvgPool2d::AdaptiveAvgPool2d(Size2 size) : output_size(size) {}
Tensor AdaptiveAvgPool2d::forward(const Tensor& x) { return adaptive_avg_pool2d(x, output_size); }

AdaptiveMaxPool1d::AdaptiveMaxPool1d(std::int64_t size) : output_size(size) {}
Tensor AdaptiveMaxPool1d::forward(const Tensor& x) { return adaptive_max_pool1d(x, output_size); }

AdaptiveMaxPool2d::AdaptiveMaxPool2d(Size2 size) : output_size(size) {}
Tensor AdaptiveMaxPool2d::forward(const Tensor& x) { return adaptive_max_pool2d(x, output_size); }

}  // namespace xtape::nn
