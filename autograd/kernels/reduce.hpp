// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

#include "../dtype.hpp"

namespace xtape::kernels {

/// A reduction seen over the dimensions of its source. Strides are in elements; those of the target
/// are 0 along the dimensions that are reduced.
struct Reduction {
  std::span<const std::int64_t> sizes;
  const std::int64_t* source_strides;
  const std::int64_t* target_strides;
};

/// Sums of any dtype: float32 into float32 by way of double, integers and booleans into int64.
void reduce_sum(const Reduction& r, DType dtype, void* target, const void* source);
/// Floating only: the sum divided by `count`.
void reduce_mean(const Reduction& r, DType dtype, void* target, const void* source, double count);
/// Floating only: sum (x - origin) / count; `origins` lie as the target.
void reduce_mean_difference(const Reduction& r, DType dtype, void* target, const void* source,
                            const void* origins, double count);
/// Floating only: sqrt(sum x^2).
void reduce_norm(const Reduction& r, DType dtype, void* target, const void* source);
/// Floating only: sum (x - mean)^2 / count, its square root on request; `means` lie as the target.
void reduce_variance(const Reduction& r, DType dtype, void* target, const void* source,
                     const void* means, double count, bool root);
/// Floating only: log(sum exp(x - shift)); `shifts` lie as the target.
void reduce_log_sum_exp(const Reduction& r, DType dtype, void* target, const void* source,
                        const void* shifts);
/// As reduce_sum.
void reduce_product(const Reduction& r, DType dtype, void* target, const void* source);
/// Any dtype; NaN counts as not 0.
void reduce_all(const Reduction& r, DType dtype, bool* target, const void* source);
void reduce_any(const Reduction& r, DType dtype, bool* target, const void* source);

/// The largest (or smallest) element, in the source's dtype; NaN where there is one. No reduced
/// dimension may be empty.
void reduce_extreme(const Reduction& r, DType dtype, bool largest, void* target,
                    const void* source);
/// Where the largest (or smallest) element of source [outer, count, inner], dense, lies along the
/// middle dimension: the first one, or the first NaN. `values` may be null.
void find_extreme(DType dtype, bool largest, std::int64_t outer, std::int64_t count,
                  std::int64_t inner, std::int64_t* indices, void* values, const void* source);

}  // namespace xtape::kernels
