// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/ops/convolution.hpp"
#include "../autograd/ops/joining.hpp"
#include "module.hpp"

// weight and bias of all of these begin as PyTorch's: U(-1 / sqrt(fan), 1 / sqrt(fan)), fan being
// the size of weight[0]. The constructors throw ValueError for sizes below 1, negative padding and
// groups that do not divide both numbers of channels; `forward` throws ShapeError where x does not
// have `in_channels`.
namespace xtape::nn {

struct Conv1dOptions {
  std::int64_t stride = 1;
  ConvPadding<Size1> padding = 0;  ///< on each side, or `same`
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PadMode padding_mode = PadMode::constant;  ///< zeros
  DType dtype = float32;
};
/// One number, or {height, width}.
struct Conv2dOptions {
  Size2 stride = 1;
  ConvPadding<Size2> padding = 0;  ///< on each side, or `same`
  Size2 dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PadMode padding_mode = PadMode::constant;  ///< zeros
  DType dtype = float32;
};
/// One number, or {depth, height, width}.
struct Conv3dOptions {
  Size3 stride = 1;
  ConvPadding<Size3> padding = 0;  ///< on each side, or `same`
  Size3 dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PadMode padding_mode = PadMode::constant;  ///< zeros
  DType dtype = float32;
};

/// xtape::conv1d of x [N, in, L] (or [in, L]); weight [out, in / groups, K], bias [out].
class XTAPE_API Conv1d : public Module {
 public:
  Parameter weight, bias;
  XTAPE_DECLARE_PARTS()

  Conv1d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size,
         const Conv1dOptions& options = {});
  Tensor forward(const Tensor& x) override;

  const Conv1dOptions& options() const noexcept { return options_; }

 private:
  Conv1dOptions options_;
};

/// xtape::conv2d of x [N, in, H, W] (or [in, H, W]); weight [out, in / groups, KH, KW], bias [out].
class XTAPE_API Conv2d : public Module {
 public:
  Parameter weight, bias;
  XTAPE_DECLARE_PARTS()

  Conv2d(std::int64_t in_channels, std::int64_t out_channels, Size2 kernel_size,
         const Conv2dOptions& options = {});
  Tensor forward(const Tensor& x) override;

  const Conv2dOptions& options() const noexcept { return options_; }

 private:
  Conv2dOptions options_;
};

/// xtape::conv3d of x [N, in, D, H, W] (or [in, D, H, W]); weight [out, in / groups, KD, KH, KW],
/// bias [out].
class XTAPE_API Conv3d : public Module {
 public:
  Parameter weight, bias;
  XTAPE_DECLARE_PARTS()

  Conv3d(std::int64_t in_channels, std::int64_t out_channels, Size3 kernel_size,
         const Conv3dOptions& options = {});
  Tensor forward(const Tensor& x) override;

  const Conv3dOptions& options() const noexcept { return options_; }

 private:
  Conv3dOptions options_;
};

struct ConvTranspose1dOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;         ///< cut off on each side
  std::int64_t output_padding = 0;  ///< added at the end; below the stride or the dilation
  std::int64_t groups = 1;
  bool bias = true;
  std::int64_t dilation = 1;
  DType dtype = float32;
};
/// One number, or {height, width}.
struct ConvTranspose2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;         ///< cut off on each side
  Size2 output_padding = 0;  ///< added at the bottom and right; below the stride or the dilation
  std::int64_t groups = 1;
  bool bias = true;
  Size2 dilation = 1;
  DType dtype = float32;
};

/// xtape::conv_transpose1d of x [N, in, L] (or [in, L]); weight [in, out / groups, K], bias
/// [out].
class XTAPE_API ConvTranspose1d : public Module {
 public:
  Parameter weight, bias;
  XTAPE_DECLARE_PARTS()

  ConvTranspose1d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size,
                  const ConvTranspose1dOptions& options = {});
  Tensor forward(const Tensor& x) override;
  /// To an output of this size, which replaces output_padding. Throws ValueError where no
  /// output_padding below the stride or the dilation leads there.
  Tensor forward(const Tensor& x, std::int64_t output_size);

  const ConvTranspose1dOptions& options() const noexcept { return options_; }

 private:
  ConvTranspose1dOptions options_;
};

/// xtape::conv_transpose2d of x [N, in, H, W] (or [in, H, W]); weight [in, out / groups, KH, KW],
/// bias [out].
class XTAPE_API ConvTranspose2d : public Module {
 public:
  Parameter weight, bias;
  XTAPE_DECLARE_PARTS()

  ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels, Size2 kernel_size,
                  const ConvTranspose2dOptions& options = {});
  Tensor forward(const Tensor& x) override;
  /// To an output of this size, which replaces output_padding. Throws ValueError where no
  /// output_padding below the stride or the dilation leads there.
  Tensor forward(const Tensor& x, Size2 output_size);

  const ConvTranspose2dOptions& options() const noexcept { return options_; }

 private:
  ConvTranspose2dOptions options_;
};

}  // namespace xtape::nn
