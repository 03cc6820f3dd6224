// SPDX-License-Identifier: BSD-3-Clause
#include "elementwise.hpp"

#include <algorithm>
#include <array>

#include "../parallel.hpp"

namespace xtape::detail {
namespace {

bool one_number(const Tensor& x, std::size_t rank) noexcept {
  return x.numel() == 1 && x.sizes().size() <= rank;
}

// The strides of `x` seen with the sizes of `like`: 0 where broadcast.
void broadcast_strides(const Tensor& x, std::size_t rank, std::int64_t* out) noexcept {
  const std::size_t lead = rank - x.sizes().size();
  std::fill_n(out, lead, 0);
  for (std::size_t i = 0; i < x.sizes().size(); ++i) {
    out[lead + i] = x.sizes()[i] == 1 ? 0 : x.strides()[i];
  }
}

// All operands walked as they lie in memory: same shape and dense layout, or a single number.
bool walk_flat(const Tensor& like, std::span<const Tensor* const> inputs) noexcept {
  for (const Tensor* x : inputs) {
    if (pair_up(*x, like) || one_number(*x, like.sizes().size())) continue;
    if (!std::ranges::equal(x->sizes(), like.sizes())) return false;
    if (x->is_contiguous() && like.is_contiguous()) continue;
    if (!std::ranges::equal(x->strides(), like.strides())) return false;
  }
  return true;
}

void run_flat(kernels::StripFunction f, const Tensor& like, std::span<const Tensor* const> outputs,
              std::span<const Tensor* const> inputs, const void* context) {
  std::byte* pointers[kernels::kMaxOperands];
  std::int64_t steps[kernels::kMaxOperands];
  std::int64_t bytes[kernels::kMaxOperands];
  std::size_t n = 0;
  const auto take = [&](const Tensor* x, bool output) {
    pointers[n] = x->defined() ? x->value()->data : nullptr;
    steps[n] = !output && one_number(*x, like.sizes().size()) && like.numel() != 1 ? 0 : 1;
    bytes[n] = x->defined() ? steps[n] * static_cast<std::int64_t>(item_size(x->dtype())) : 0;
    ++n;
  };
  for (const Tensor* y : outputs) take(y, true);
  for (const Tensor* x : inputs) take(x, false);
  if (like.numel() <= kElementwiseGrain) {
    if (like.numel() > 0) f(context, pointers, steps, like.numel());
    return;
  }
  parallel_for(like.numel(), kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    std::byte* here[kernels::kMaxOperands];
    for (std::size_t i = 0; i < n; ++i) {
      here[i] = pointers[i] ? pointers[i] + begin * bytes[i] : nullptr;
    }
    f(context, here, steps, end - begin);
  });
}

}  // namespace

void elementwise_into(kernels::StripFunction f, const Tensor& like,
                      std::span<const Tensor* const> outputs, std::span<const Tensor* const> inputs,
                      const void* context) {
  if (walk_flat(like, inputs)) return run_flat(f, like, outputs, inputs, context);
  const std::size_t rank = like.sizes().size();
  kernels::Operand operands[kernels::kMaxOperands];
  std::int64_t strides[kernels::kMaxOperands][Shape::kMaxRank];
  std::size_t n = 0;
  for (const Tensor* y : outputs) {
    operands[n++] = {y->defined() ? y->value()->data : nullptr, like.strides().data(),
                     y->defined() ? static_cast<int>(item_size(y->dtype())) : 1};
  }
  for (const Tensor* x : inputs) {
    broadcast_strides(*x, rank, strides[n]);
    operands[n] = {x->value()->data, strides[n], static_cast<int>(item_size(x->dtype()))};
    ++n;
  }
  kernels::run_strips(like.sizes(), {operands, n}, static_cast<int>(outputs.size()), f, context,
                      kElementwiseGrain);
}

double elementwise_sum(kernels::StripFunction f, DType dtype, const Shape& shape,
                       const Tensor* like, std::span<const Tensor> inputs, const void* context) {
  const std::size_t rank = shape.size();
  kernels::Operand operands[kernels::kMaxOperands];
  std::int64_t strides[kernels::kMaxOperands][Shape::kMaxRank];
  std::int64_t step = 1;
  for (std::size_t i = rank; i-- > 0;) {
    strides[0][i] = like ? like->strides()[i] : step;
    step *= shape[i];
  }
  operands[0] = {nullptr, strides[0], static_cast<int>(item_size(dtype))};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& x = inputs[i];
    broadcast_strides(x, rank, strides[i + 1]);
    operands[i + 1] = {x.value()->data, strides[i + 1], static_cast<int>(item_size(x.dtype()))};
  }
  return kernels::sum_strips(shape, {operands, inputs.size() + 1}, f, context, kElementwiseGrain);
}

Tensor elementwise(const char* operation, kernels::StripFunction f, DType result,
                   std::initializer_list<TensorRef> inputs, const void* context) {
  const Tensor* tensors[kernels::kMaxOperands] = {};
  std::size_t n = 0;
  for (const TensorRef& x : inputs) tensors[n++] = x.tensor;
  const Tensor* like = tensors[0];
  bool same = true;
  for (std::size_t i = 1; i < n; ++i) {
    if (std::ranges::equal(tensors[i]->sizes(), like->sizes())) continue;
    if (one_number(*tensors[i], like->sizes().size())) continue;
    same = false;
  }
  Tensor y;
  if (same) {
    y = empty_like(*like, result);
  } else {
    Shape shape = tensors[0]->shape();
    for (std::size_t i = 1; i < n; ++i) shape = broadcast(operation, shape, tensors[i]->sizes());
    like = nullptr;
    for (std::size_t i = 0; i < n && !like; ++i) {
      if (std::ranges::equal(tensors[i]->sizes(), std::span(shape.begin(), shape.size()))) {
        like = tensors[i];
      }
    }
    y = like ? empty_like(*like, result) : empty(result, shape);
  }
  const Tensor* output = &y;
  elementwise_into(f, y, {&output, 1}, {tensors, n}, context);
  return y;
}

Tensor elementwise_number(kernels::StripFunction f, const Tensor& x, const void* number,
                          bool swapped, DType result) {
  Tensor y = empty_like(x, result);
  auto* constant = static_cast<std::byte*>(const_cast<void*>(number));
  if (walk_flat(y, std::array{&x})) {
    const std::int64_t in = static_cast<std::int64_t>(item_size(x.dtype()));
    const std::int64_t out = static_cast<std::int64_t>(item_size(result));
    parallel_for(y.numel(), kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
      std::byte* source = x.value()->data + begin * in;
      std::byte* pointers[3] = {y.value()->data + begin * out, swapped ? constant : source,
                                swapped ? source : constant};
      const std::int64_t steps[3] = {1, swapped ? 0 : 1, swapped ? 1 : 0};
      f(nullptr, pointers, steps, end - begin);
    });
    return y;
  }
  const Shape zero = Shape::filled(x.dim(), 0);
  const int item = static_cast<int>(item_size(x.dtype()));
  const kernels::Operand source{x.value()->data, x.strides().data(), item};
  const kernels::Operand constant_operand{constant, zero.data(), item};
  const kernels::Operand operands[3] = {
      {y.value()->data, y.strides().data(), static_cast<int>(item_size(result))},
      swapped ? constant_operand : source,
      swapped ? source : constant_operand};
  kernels::run_strips(x.sizes(), operands, 1, f, nullptr, kElementwiseGrain);
  return y;
}

}  // namespace xtape::detail
