// SPDX-License-Identifier: BSD-3-Clause
#include "dropout.hpp"

#include <algorithm>
#include <string>

#include "../error.hpp"
#include "../kernels/copy.hpp"
#include "../kernels/philox.hpp"
#include "../random.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"

namespace xtape {
namespace {

// x, or a copy of it, with these strides: the mask goes by the order in memory.
Tensor laid_out(const Tensor& x, const Shape& strides) {
  if (std::ranges::equal(x.strides(), std::span<const std::int64_t>(strides))) return x;
  const Tensor memory = detail::empty(x.dtype(), x.sizes());
  Tensor y = detail::make_view(memory, memory.value()->data, x.sizes(), strides);
  kernels::copy_items(x.sizes(), static_cast<int>(item_size(x.dtype())), y.value()->data,
                      strides.data(), x.value()->data, x.strides().data());
  return y;
}

// Linear in x: the gradient is the same function of the gradient, with the same numbers.
Tensor masked(const Tensor& x, const Generator& at, double keep, const Shape& strides) {
  const Tensor source = laid_out(x, strides);
  Tensor y = detail::empty_like(source, x.dtype());
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::keep_scaled(at, source.data<T>(), detail::fresh_data<T>(y), x.numel(), keep,
                         1.0 / keep);
  });
  record("dropout", y, {x}, saves(),
         [at, keep, strides](Backward& t) { t.add(0, masked(t.g(), at, keep, strides)); });
  return y;
}

}  // namespace

Tensor dropout(const Tensor& x, double p, bool training) {
  detail::check_defined("dropout", x);
  if (!(p >= 0.0 && p <= 1.0)) {
    throw ValueError("dropout: expected a probability in [0, 1], got " + std::to_string(p));
  }
  if (!is_floating(x.dtype())) {
    throw DTypeError("dropout: expected a floating tensor, got " + x.description());
  }
  if (!training || p == 0.0) return x;
  if (p == 1.0) return x * 0.0;
  Generator at = default_generator();
  default_generator().take(static_cast<std::uint64_t>(x.numel()));
  return masked(x, at, 1.0 - p, Shape(detail::empty_like(x, x.dtype()).strides()));
}

}  // namespace xtape
