// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "../error.hpp"
#include "../kernels/scan.hpp"
#include "../tensor.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"

// What operations along one dimension share; private to ops/.
namespace xtape::detail {

/// x along one dimension as kernels see it: [outer, count, inner], dense.
struct Along {
  int dim;
  kernels::Slices3 slices{1, 1, 1};
  Tensor dense;
  Shape kept;  // with size 1 in that dimension

  Along(const char* operation, const Tensor& x, std::int64_t dim_from_user) {
    check_defined(operation, x);
    dim = wrap_dim(operation, dim_from_user, x.dim());
    kept = x.shape();
    if (x.dim() > 0) {
      slices.count = x.sizes()[dim];
      kept[dim] = 1;
      for (int i = 0; i < x.dim(); ++i) {
        (i < dim ? slices.outer : slices.inner) *= i == dim ? 1 : x.sizes()[i];
      }
    }
    dense = x.is_contiguous() ? x : copy_contiguous(x);
  }
  const Along& check_not_empty(const char* operation) const {
    if (slices.count > 0 || slices.outer * slices.inner == 0) return *this;
    throw ValueError(std::string(operation) + ": no elements to choose from along dimension " +
                     std::to_string(dim) + " of shape " + to_string(dense.sizes()));
  }
  Shape result(bool keepdim) const {
    Shape shape = kept;
    if (!keepdim && shape.rank() > 0) shape.erase(dim);
    return shape;
  }
};

/// The gradient of choosing elements along `dim`: `g` at the chosen positions (of the shape of g,
/// or without `dim`) of zeros of the input's shape. Recorded.
inline Tensor spread_along(const Tensor& g, int dim, const Tensor& indices,
                           std::span<const std::int64_t> sizes) {
  if (sizes.empty()) return g;
  Shape shape = indices.shape();
  if (indices.dim() < static_cast<int>(sizes.size())) shape.insert(dim, 1);
  return scatter_add(zeros(Shape(sizes), g.dtype()), dim, indices.reshape(shape), g.reshape(shape));
}

}  // namespace xtape::detail
