// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "../error.hpp"
#include "../kernels/reduce.hpp"
#include "../tensor.hpp"
#include "arithmetic.hpp"

// What all reductions share; private to ops/.
namespace xtape::detail {

/// Bit i: dimension i is reduced.
using Mask = std::uint32_t;

inline Mask reduced_dims(const char* operation, const Tensor& x, const Shape& dims) {
  check_defined(operation, x);
  if (dims.empty()) return (Mask{1} << x.dim()) - 1;
  Mask mask = 0;
  for (const std::int64_t dim : dims) {
    const int i = wrap_dim(operation, dim, x.dim());
    if (mask >> i & 1) {
      throw IndexError(std::string(operation) + ": dimension " + std::to_string(i) +
                       " appears twice in dims " + to_string(dims));
    }
    mask |= Mask{1} << i;
  }
  return x.dim() == 0 ? 0 : mask;
}

/// The result of a reduction of `x`, and how the kernel sees both. Its dimensions lie in the order
/// of x's memory, so that both are walked through in one direction.
struct ReductionPlan {
  Shape kept;     // with the reduced dimensions as size 1
  Shape shape;    // as the caller gets it
  Shape strides;  // of the result over x's dimensions, 0 where reduced
  const Tensor& x;
  Mask mask;
  bool keepdim;
  bool row_major = true;

  ReductionPlan(const Tensor& input, Mask reduced, bool keep)
      : x(input), mask(reduced), keepdim(keep) {
    kept.resize(x.dim());
    strides.resize(x.dim());
    int order[Shape::kMaxRank];
    int count = 0;
    for (int i = 0; i < x.dim(); ++i) {
      const bool goes = mask >> i & 1;
      kept[i] = goes ? 1 : x.sizes()[i];
      if (!goes || keepdim) shape.push_back(kept[i]);
      if (goes || kept[i] == 1) continue;
      const auto step = [&](int d) { return std::abs(x.strides()[d]); };
      int at = count++;
      for (; at > 0 && step(order[at - 1]) < step(i) && step(order[at - 1]) != 0; --at) {
        order[at] = order[at - 1];
        row_major = false;
      }
      order[at] = i;
    }
    std::int64_t step = 1;
    for (int i = x.dim() - 1; i >= 0; --i) {
      if (!(mask >> i & 1) && kept[i] == 1) strides[i] = 1;
    }
    for (int k = count - 1; k >= 0; --k) {
      strides[order[k]] = step;
      step *= std::max<std::int64_t>(kept[order[k]], 1);
    }
  }
  Tensor result(DType dtype) const { return result(dtype, shape, keepdim); }
  /// A tensor like the result, with the reduced dimensions as size 1.
  Tensor kept_result(DType dtype) const { return result(dtype, kept, true); }
  kernels::Reduction reduction() const { return {x.sizes(), x.strides().data(), strides.data()}; }
  /// How many elements make up one of the result.
  std::int64_t count() const {
    std::int64_t n = 1;
    for (int i = 0; i < x.dim(); ++i) n *= mask >> i & 1 ? x.sizes()[i] : 1;
    return n;
  }

 private:
  Tensor result(DType dtype, const Shape& sizes, bool all_dims) const {
    Tensor y = detail::empty(dtype, sizes);
    if (row_major) return y;
    Shape steps;
    for (int i = 0; i < x.dim(); ++i) {
      if (all_dims || !(mask >> i & 1)) steps.push_back(mask >> i & 1 ? 1 : strides[i]);
    }
    return make_view(y, y.value()->data, sizes, steps);
  }
};

/// A result (or its gradient) with the reduced dimensions as size 1: it broadcasts to x.
inline Tensor with_reduced(const Tensor& y, Mask mask, std::span<const std::int64_t> sizes) {
  if (y.dim() == static_cast<int>(sizes.size())) return y;
  Shape kept(sizes);
  for (int i = 0; i < kept.rank(); ++i) {
    if (mask >> i & 1) kept[i] = 1;
  }
  return y.reshape(kept);
}

/// The same seen over all of x's dimensions: a view without copying.
inline Tensor expanded(const Tensor& y, Mask mask, std::span<const std::int64_t> sizes) {
  if (is_grad_enabled()) return with_reduced(y, mask, sizes).expand(Shape(sizes));
  const int rank = static_cast<int>(sizes.size());
  const bool keeps = y.dim() == rank;
  Shape strides;
  strides.resize(rank);
  for (int i = 0, at = 0; i < rank; ++i) {
    const bool goes = mask >> i & 1;
    if (!goes) strides[i] = y.strides()[at];
    if (!goes || keeps) ++at;
  }
  return make_view(y, y.value()->data, sizes, strides);
}

inline void check_not_empty(const char* operation, const ReductionPlan& plan) {
  if (plan.count() > 0 || plan.kept.numel() == 0) return;
  throw ValueError(std::string(operation) + ": no elements to choose from in shape " +
                   to_string(plan.x.sizes()));
}

}  // namespace xtape::detail
