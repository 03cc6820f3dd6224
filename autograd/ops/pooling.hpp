// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"
#include "convolution.hpp"
#include "reductions.hpp"

// Windows of x [N, C, H, W] (or [C, H, W]), or of x [N, C, L] (or [C, L]) for those of one
// dimension, each put together to one number. All throw ShapeError, ValueError, DTypeError.
namespace xtape {

struct MaxPool1dOptions {
  std::int64_t stride = 0;  ///< 0: the kernel's size
  std::int64_t padding = 0;
  std::int64_t dilation = 1;
  bool ceil_mode = false;  ///< a last window may reach over the edge
};
struct MaxPool2dOptions {
  Size2 stride = 0;  ///< 0: the kernel's size
  Size2 padding = 0;
  Size2 dilation = 1;
  bool ceil_mode = false;  ///< a last window may reach over the edge
};

/// The maximum over each window; NaN wins. The gradient goes to the first maximum.
XTAPE_API Tensor max_pool1d(const Tensor& x, std::int64_t kernel_size,
                            const MaxPool1dOptions& options = {});
XTAPE_API Tensor max_pool2d(const Tensor& x, Size2 kernel_size,
                            const MaxPool2dOptions& options = {});
/// The same, and where each maximum is: row W + column in its plane; -1 where dilation makes a
/// window miss all elements.
XTAPE_API ValuesAndIndices max_pool1d_with_indices(const Tensor& x, std::int64_t kernel_size,
                                                   const MaxPool1dOptions& options = {});
XTAPE_API ValuesAndIndices max_pool2d_with_indices(const Tensor& x, Size2 kernel_size,
                                                   const MaxPool2dOptions& options = {});

struct MaxUnpool1dOptions {
  std::int64_t stride = 0;  ///< 0: the kernel's size
  std::int64_t padding = 0;
  std::int64_t output_size = 0;  ///< 0: (L - 1) stride - 2 padding + kernel_size
};
struct MaxUnpool2dOptions {
  Size2 stride = 0;  ///< 0: the kernel's size
  Size2 padding = 0;
  Size2 output_size = 0;  ///< 0: (H - 1) stride - 2 padding + kernel_size, and so for W
};
/// Zeros with the elements of x where max_pool found them: `indices` are what max_pool's
/// _with_indices gave, of x's shape (ShapeError); one out of range is an IndexError. Where windows
/// overlap, the last element counts.
XTAPE_API Tensor max_unpool1d(const Tensor& x, const Tensor& indices, std::int64_t kernel_size,
                              const MaxUnpool1dOptions& options = {});
XTAPE_API Tensor max_unpool2d(const Tensor& x, const Tensor& indices, Size2 kernel_size,
                              const MaxUnpool2dOptions& options = {});

struct AvgPool1dOptions {
  std::int64_t stride = 0;  ///< 0: the kernel's size
  std::int64_t padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
};
struct AvgPool2dOptions {
  Size2 stride = 0;  ///< 0: the kernel's size
  Size2 padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::int64_t divisor_override = 0;  ///< where not 0, what the sum is divided by
};

/// The mean over each window.
XTAPE_API Tensor avg_pool1d(const Tensor& x, std::int64_t kernel_size,
                            const AvgPool1dOptions& options = {});
XTAPE_API Tensor avg_pool2d(const Tensor& x, Size2 kernel_size,
                            const AvgPool2dOptions& options = {});

/// The mean over `output_size` windows that cover x evenly, window i of n from floor(i L / n) to
/// ceil((i + 1) L / n); -1 keeps the size of x.
XTAPE_API Tensor adaptive_avg_pool1d(const Tensor& x, std::int64_t output_size);
XTAPE_API Tensor adaptive_avg_pool2d(const Tensor& x, Size2 output_size);
/// The maximum over the same windows, as max_pool2d.
XTAPE_API Tensor adaptive_max_pool1d(const Tensor& x, std::int64_t output_size);
XTAPE_API Tensor adaptive_max_pool2d(const Tensor& x, Size2 output_size);
XTAPE_API ValuesAndIndices adaptive_max_pool1d_with_indices(const Tensor& x,
                                                            std::int64_t output_size);
XTAPE_API ValuesAndIndices adaptive_max_pool2d_with_indices(const Tensor& x, Size2 output_size);

struct LPPool1dOptions {
  std::int64_t stride = 0;  ///< 0: the kernel's size
  bool ceil_mode = false;
};
struct LPPool2dOptions {
  Size2 stride = 0;  ///< 0: the kernel's size
  bool ceil_mode = false;
};
/// (sum x^p)^(1/p) over each window, p = `norm_type`; a window that is cut off in ceil mode counts
/// as if its mean went on, as in PyTorch. The gradient is 0 where the sum is.
XTAPE_API Tensor lp_pool1d(const Tensor& x, double norm_type, std::int64_t kernel_size,
                           const LPPool1dOptions& options = {});
XTAPE_API Tensor lp_pool2d(const Tensor& x, double norm_type, Size2 kernel_size,
                           const LPPool2dOptions& options = {});

}  // namespace xtape
