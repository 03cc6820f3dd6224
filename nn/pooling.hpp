// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/ops/pooling.hpp"
#include "module.hpp"

// Pooling of x [N, C, L] or [N, C, H, W], as the functions of the same names; stride is the
// kernel's size where nothing is said. Where the maxima are is told by the functions
// `..._with_indices`.
namespace xtape::nn {

/// The maximum over windows: xtape::max_pool1d.
class XTAPE_API MaxPool1d : public Module {
 public:
  std::int64_t kernel_size;
  MaxPool1dOptions options;
  XTAPE_DECLARE_PARTS()

  explicit MaxPool1d(std::int64_t kernel_size, const MaxPool1dOptions& options = {});
  Tensor forward(const Tensor& x) override;
};

/// The maximum over windows: xtape::max_pool2d.
class XTAPE_API MaxPool2d : public Module {
 public:
  Size2 kernel_size;
  MaxPool2dOptions options;
  XTAPE_DECLARE_PARTS()

  explicit MaxPool2d(Size2 kernel_size, const MaxPool2dOptions& options = {});
  Tensor forward(const Tensor& x) override;
};

/// The mean over windows: xtape::avg_pool1d.
class XTAPE_API AvgPool1d : public Module {
 public:
  std::int64_t kernel_size;
  AvgPool1dOptions options;
  XTAPE_DECLARE_PARTS()

  explicit AvgPool1d(std::int64_t kernel_size, const AvgPool1dOptions& options = {});
  Tensor forward(const Tensor& x) override;
};

/// The mean over windows: xtape::avg_pool2d.
class XTAPE_API AvgPool2d : public Module {
 public:
  Size2 kernel_size;
  AvgPool2dOptions options;
  XTAPE_DECLARE_PARTS()

  explicit AvgPool2d(Size2 kernel_size, const AvgPool2dOptions& options = {});
  Tensor forward(const Tensor& x) override;
};

/// The p-norm over windows, p = `norm_type`: xtape::lp_pool1d.
class XTAPE_API LPPool1d : public Module {
 public:
  double norm_type;
  std::int64_t kernel_size;
  LPPool1dOptions options;
  XTAPE_DECLARE_PARTS()

  LPPool1d(double norm_type, std::int64_t kernel_size, const LPPool1dOptions& options = {});
  Tensor forward(const Tensor& x) override;
};

/// The p-norm over windows, p = `norm_type`: xtape::lp_pool2d.
class XTAPE_API LPPool2d : public Module {
 public:
  double norm_type;
  Size2 kernel_size;
  LPPool2dOptions options;
  XTAPE_DECLARE_PARTS()

  LPPool2d(double norm_type, Size2 kernel_size, const LPPool2dOptions& options = {});
  Tensor forward(const Tensor& x) override;
};

/// The mean over `output_size` windows that cover x: xtape::adaptive_avg_pool1d.
class XTAPE_API AdaptiveAvgPool1d : public Module {
 public:
  std::int64_t output_size;
  XTAPE_DECLARE_PARTS()

  explicit AdaptiveAvgPool1d(std::int64_t output_size);
  Tensor forward(const Tensor& x) override;
};

/// The mean over `output_size` windows that cover x: xtape::adaptive_avg_pool2d.
class XTAPE_API AdaptiveAvgPool2d : public Module {
 public:
  Size2 output_size;
  XTAPE_DECLARE_PARTS()

  explicit AdaptiveAvgPool2d(Size2 output_size);
  Tensor forward(const Tensor& x) override;
};

/// The maximum over `output_size` windows that cover x: xtape::adaptive_max_pool1d.
class XTAPE_API AdaptiveMaxPool1d : public Module {
 public:
  std::int64_t output_size;
  XTAPE_DECLARE_PARTS()

  explicit AdaptiveMaxPool1d(std::int64_t output_size);
  Tensor forward(const Tensor& x) override;
};

/// The maximum over `output_size` windows that cover x: xtape::adaptive_max_pool2d.
class XTAPE_API AdaptiveMaxPool2d : public Module {
 public:
  Size2 output_size;
  XTAPE_DECLARE_PARTS()

  explicit AdaptiveMaxPool2d(Size2 output_size);
  Tensor forward(const Tensor& x) override;
};

}  // namespace xtape::nn
