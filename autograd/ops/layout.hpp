// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>

#include "../kernels/copy.hpp"
#include "../tensor.hpp"
#include "creation.hpp"

// How operations on whole dense memory see their inputs; private to ops/. Not recorded.
namespace xtape::detail {

/// x, or a dense copy where there are gaps in its memory.
inline Tensor dense(const Tensor& x) { return is_dense(x) ? x : copy_contiguous(x); }

/// x in the layout of `like`, a dense tensor of the same shape.
inline Tensor in_layout(const Tensor& x, const Tensor& like) {
  if (std::ranges::equal(x.strides(), like.strides())) return x;
  if (x.is_contiguous() && like.is_contiguous()) return x;
  Tensor y = empty_like(like, x.dtype());
  kernels::copy_items(x.sizes(), static_cast<int>(item_size(x.dtype())), y.value()->data,
                      y.strides().data(), x.value()->data, x.strides().data());
  return y;
}

/// The elements of a tensor that may be undefined: null then.
inline std::byte* data_or_null(const Tensor& x) noexcept {
  return x.defined() ? x.value()->data : nullptr;
}

}  // namespace xtape::detail
