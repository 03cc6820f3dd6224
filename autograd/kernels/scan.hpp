// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../dtype.hpp"

// Running results along the middle dimension of [outer, count, inner], dense.
namespace xtape::kernels {

struct Slices3 {
  std::int64_t outer, count, inner;
};

/// int64 or floating: float32 runs in double. From the back with `reverse`.
void scan_sum(const Slices3& s, DType dtype, bool reverse, void* target, const void* source);
void scan_product(const Slices3& s, DType dtype, void* target, const void* source);
/// y_k = a_k + x_k y_(k-1), from y_(-1) = 0; floating.
void scan_linear(const Slices3& s, DType dtype, bool reverse, void* y, const void* a,
                 const void* x);
/// The largest (smallest) so far and where it is: the last of equal ones, NaN wherever one was.
void scan_extreme(const Slices3& s, DType dtype, bool largest, void* values, std::int64_t* indices,
                  const void* source);

}  // namespace xtape::kernels
