// SPDX-License-Identifier: BSD-3-Clause
#include "../pointwise.hpp"

#include <algorithm>

#include "../error.hpp"
#include "creation.hpp"
#include "elementwise.hpp"

namespace xtape::detail {

Tensor Ring<Tensor>::number(const Tensor& like, double c) {
  return scalar_tensor(c, like.defined() ? like.dtype() : float64);
}

Tensor zero_number(DType dtype) { return scalar_tensor(0.0, dtype); }

void convert_arguments(const char* name, std::span<Tensor> arguments,
                       std::span<const bool> numbers) {
  const Tensor* widest = nullptr;
  DType dtype = float32;
  bool uniform = true;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    check_defined(name, arguments[i]);
    if (numbers[i]) continue;
    if (!widest) {
      widest = &arguments[i];
      dtype = widest->dtype();
    } else if (arguments[i].dtype() != dtype) {
      uniform = false;
    }
  }
  if (!uniform) {
    // Promoted pair by pair; 0-d tensors count as numbers, as in `result_type`.
    int most = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!numbers[i]) most = std::max(most, arguments[i].dim());
    }
    dtype = boolean;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!numbers[i] && (arguments[i].dim() > 0 || most == 0)) {
        dtype = promote(dtype, arguments[i].dtype());
      }
    }
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const bool number = !numbers[i] && arguments[i].dim() == 0 && most > 0;
      if (number && is_floating(arguments[i].dtype()) && !is_floating(dtype)) {
        dtype = promote(dtype, arguments[i].dtype());
      }
    }
  }
  if (!is_floating(dtype)) dtype = float32;
  if (std::ranges::all_of(arguments, [=](const Tensor& x) { return x.dtype() == dtype; })) return;
  const NoGrad no_grad;
  for (Tensor& x : arguments) {
    if (x.dtype() != dtype) x = x.to(dtype);
  }
}

namespace {

// The common case, in which there is no shape or order to work out: row-major, all of one shape.
bool are_alike(std::span<const Tensor> inputs) noexcept {
  return std::ranges::all_of(inputs, [&](const Tensor& x) { return pair_up(inputs[0], x); });
}

Shape common_shape(const char* name, std::span<const Tensor> inputs) {
  Shape shape = inputs[0].shape();
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (!std::ranges::equal(inputs[i].sizes(), std::span<const std::int64_t>(shape))) {
      shape = broadcast(name, shape, inputs[i].sizes());
    }
  }
  return shape;
}

bool same_layout(const Tensor& a, const Tensor& b) noexcept {
  return std::ranges::equal(a.sizes(), b.sizes()) && std::ranges::equal(a.strides(), b.strides()) &&
         is_dense(a);
}

// The input that lends the result its memory order.
const Tensor* layout_of(std::span<const Tensor> inputs, const Shape& shape) noexcept {
  const std::span<const std::int64_t> sizes = shape;
  for (const Tensor& x : inputs) {
    if (std::ranges::equal(x.sizes(), sizes) && is_dense(x)) return &x;
  }
  return nullptr;
}

}  // namespace

Tensor pointwise_value(const char* name, StripPair f, const void* formula,
                       std::span<const Tensor> arguments) {
  const DType dtype = arguments[0].dtype();
  Tensor y;
  if (are_alike(arguments)) {
    y = empty_like(arguments[0], dtype);
  } else {
    const Shape shape = common_shape(name, arguments);
    const Tensor* like = layout_of(arguments, shape);
    y = like ? empty_like(*like, dtype) : empty(dtype, shape);
  }
  const Tensor* output = &y;
  const Tensor* inputs[kernels::kMaxOperands];
  for (std::size_t i = 0; i < arguments.size(); ++i) inputs[i] = &arguments[i];
  elementwise_into(f.of(dtype), y, {&output, 1}, {inputs, arguments.size()}, formula);
  return y;
}

Tensor pointwise_sum(const char* name, StripPair f, const void* formula,
                     std::span<const Tensor> arguments) {
  const Shape shape = common_shape(name, arguments);
  const DType dtype = arguments[0].dtype();
  return scalar_tensor(
      elementwise_sum(f.of(dtype), dtype, shape, layout_of(arguments, shape), arguments, formula),
      dtype);
}

void pointwise_outputs(StripPair f, const void* formula, std::span<Tensor> outputs, unsigned wanted,
                       std::span<const Tensor> inputs, Tensor* reuse) {
  if (wanted == 0) return;
  const Tensor* like = &inputs[0];
  Shape shape;
  if (!are_alike(inputs)) {
    shape = common_shape("pointwise gradient", inputs);
    // The saved arguments tell the layout better than the incoming gradient, often an expanded one.
    like = layout_of(inputs.subspan(1), shape);
    if (!like) like = layout_of(inputs, shape);
  }
  const DType dtype = inputs[0].dtype();
  const Tensor* out[kernels::kMaxOperands];
  const Tensor* in[kernels::kMaxOperands];
  for (std::size_t i = 0; i < inputs.size(); ++i) in[i] = &inputs[i];
  const Tensor* layout = nullptr;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    out[k] = &outputs[k];
    if (!((wanted >> k) & 1u)) continue;
    // Each strip reads its inputs before it writes: the gradient may become the result.
    if (reuse && like && is_sole_owner(*reuse) && same_layout(*reuse, *like)) {
      outputs[k] = std::move(*reuse);
      in[reuse - inputs.data()] = &outputs[k];
      if (like == reuse) like = &outputs[k];
      reuse = nullptr;
    } else {
      outputs[k] = like ? empty_like(*like, dtype) : empty(dtype, shape);
    }
    layout = &outputs[k];
  }
  elementwise_into(f.of(dtype), *layout, {out, outputs.size()}, {in, inputs.size()}, formula);
}

}  // namespace xtape::detail
