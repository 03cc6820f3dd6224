// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <string>

#include "../error.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

void check_mask(const char* operation, const Tensor& x, const Tensor& mask) {
  detail::check_defined(operation, x);
  detail::check_defined(operation, mask);
  if (mask.dtype() != boolean) {
    throw DTypeError(std::string(operation) + ": expected a boolean mask, got " +
                     mask.description());
  }
}

}  // namespace

Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value) {
  check_mask("masked_fill", x, mask);
  return where(mask, scalar_tensor(value, x.dtype()), x);
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  check_mask("masked_select", x, mask);
  const Shape common = detail::broadcast("masked_select", x.sizes(), mask.sizes());
  const Tensor at = nonzero(expand(mask, common).reshape({-1}));
  return index_select(expand(x, common).reshape({-1}), 0, at.reshape({-1}));
}

Tensor nonzero(const Tensor& x) {
  detail::check_defined("nonzero", x);
  const Tensor flags = x.detach().to(boolean).contiguous();
  const bool* flag = flags.data<bool>();
  const std::int64_t count = std::count(flag, flag + flags.numel(), true);
  Tensor y = detail::empty(int64, Shape{count, x.dim()});
  std::int64_t* out = detail::fresh_data<std::int64_t>(y);
  const Shape strides = detail::contiguous_strides(x.sizes());
  for (std::int64_t i = 0; i < flags.numel(); ++i) {
    if (!flag[i]) continue;
    for (int d = 0; d < x.dim(); ++d) *out++ = i / strides[d] % x.sizes()[d];
  }
  return y;
}

}  // namespace xtape
