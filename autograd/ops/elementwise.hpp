// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <initializer_list>
#include <span>

#include "../kernels/loop.hpp"
#include "../tensor.hpp"

// What all operations of one element at a time share: broadcasting, allocation, strips. Not
// recorded.
namespace xtape::detail {

/// Elements of a chunk; fewer are not divided among threads.
inline constexpr std::int64_t kElementwiseGrain = 1 << 15;

/// f over the broadcast inputs (of the dtypes that `f` expects) into a new tensor. The result has
/// the memory order of the first input that has the common shape. Throws ShapeError.
XTAPE_API Tensor elementwise(const char* operation, kernels::StripFunction f, DType result,
                             std::initializer_list<TensorRef> inputs,
                             const void* context = nullptr);

/// f over x and one number of x's dtype (the second operand, or the first where `swapped`).
XTAPE_API Tensor elementwise_number(kernels::StripFunction f, const Tensor& x, const void* number,
                                    bool swapped, DType result);
inline Tensor elementwise_number(kernels::StripFunction f, const Tensor& x, const void* number,
                                 bool swapped) {
  return elementwise_number(f, x, number, swapped, x.dtype());
}

/// True where both are row-major and of one shape.
inline bool pair_up(const Tensor& a, const Tensor& b) noexcept {
  const Value& v = *a.value();
  const Value& w = *b.value();
  if (v.rank != w.rank || !v.contiguous || !w.contiguous) return false;
  for (int i = 0; i < v.rank; ++i) {
    if (v.sizes()[i] != w.sizes()[i]) return false;
  }
  return true;
}

/// f over given outputs (dense, of one layout, an undefined one is not wanted) and the inputs
/// broadcast to `like`, a tensor of the outputs' shape and layout.
XTAPE_API void elementwise_into(kernels::StripFunction f, const Tensor& like,
                                std::span<const Tensor* const> outputs,
                                std::span<const Tensor* const> inputs, const void* context);

/// The sum of what f would write into one output of this shape and dtype, which is never stored, in
/// the memory order of `like` or, where that is null, row by row.
XTAPE_API double elementwise_sum(kernels::StripFunction f, DType dtype, const Shape& shape,
                                 const Tensor* like, std::span<const Tensor> inputs,
                                 const void* context);

}  // namespace xtape::detail
