// SPDX-License-Identifier: BSD-3-Clause
#include "shape.hpp"

#include "../autograd/ops/shape.hpp"

namespace xtape::nn {

XTAPE_DEFINE_PARTS(Flatten)
XTAPE_DEFINE_PARTS(Unflatten)

Flatten::Flatten(std::int64_t start, std::int64_t end) : start_dim(start), end_dim(end) {}
Tensor Flatten::forward(const Tensor& x) { return flatten(x, start_dim, end_dim); }

Unflatten::Unflatten(std::int64_t d, const Shape& s) : dim(d), sizes(s) {}
Tensor Unflatten::forward(const Tensor& x) { return unflatten(x, dim, sizes); }

}  // namespace xtape::nn
