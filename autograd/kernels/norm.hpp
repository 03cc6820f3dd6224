// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../dtype.hpp"

// Normalisation of dense memory by mean and deviation; float32 and float64, statistics in the
// dtype of the elements, summed in double.
namespace xtape::kernels {

/// Rows that lie one after the other, normalised each by itself: y = (x - mean) rstd weight + bias,
/// rstd = 1 / sqrt(variance + eps); `centred` false: rstd = 1 / sqrt(mean of squares + eps) and no
/// mean.
struct NormRows {
  std::int64_t rows, count;
  bool centred;
  double eps;
  DType dtype;
};
/// `weight`, `bias` [count], null for none; `mean`, `rstd` [rows] are kept for the gradient (mean
/// null where not centred).
void norm_rows(const NormRows& n, const void* x, const void* weight, const void* bias, void* y,
               void* mean, void* rstd);
/// Each of `dx` [rows, count], `dweight` and `dbias` [count] null where nobody wants it.
void norm_rows_backward(const NormRows& n, const void* g, const void* x, const void* weight,
                        const void* mean, const void* rstd, void* dx, void* dweight, void* dbias);

/// [outer, channels, inner] normalised by channel, over outer and inner.
struct NormChannels {
  std::int64_t outer, channels, inner;
  DType dtype;

  std::int64_t count() const noexcept { return outer * inner; }
};
/// Mean and variance (divided by the count) [channels], in one pass, with a sample taken off first.
void channel_statistics(const NormChannels& n, const void* x, void* mean, void* variance);
/// y = (x - mean) rstd weight + bias, all [channels]; weight and bias null for none.
void norm_channels(const NormChannels& n, const void* x, const void* mean, const void* rstd,
                   const void* weight, const void* bias, void* y);
/// `sum_g`, `sum_gx` [channels]: sums of g and of g (x - mean) rstd, the gradients of bias and
/// weight. dx = weight rstd g where the statistics are given (`fixed`), else weight rstd (g -
/// sum_g / count - (x - mean) rstd sum_gx / count); null where nobody wants it.
void norm_channels_backward(const NormChannels& n, bool fixed, const void* g, const void* x,
                            const void* mean, const void* rstd, const void* weight, void* sum_g,
                            void* sum_gx, void* dx);

}  // namespace xtape::kernels
