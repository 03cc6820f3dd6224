// SPDX-License-Identifier: BSD-3-Clause
#include "weight_norm.hpp"

#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/reductions.hpp"

namespace xtape::nn {

namespace detail {

Tensor norm_except_dim(const Tensor& w, std::int64_t dim) {
  if (dim == -1) return norm(w);
  const int kept = xtape::detail::wrap_dim("weight_norm", dim, w.dim());
  Shape dims;
  for (int i = 0; i < w.dim(); ++i) {
    if (i != kept) dims.push_back(i);
  }
  // A vector has a length of its own for each element.
  return dims.empty() ? norm(w.unsqueeze(1), 2, {1}) : norm(w, 2, dims, true);
}

}  // namespace detail

Tensor weight_norm(const Tensor& v, const Tensor& g, std::int64_t dim) {
  return v * (g / detail::norm_except_dim(v, dim));
}

}  // namespace xtape::nn
