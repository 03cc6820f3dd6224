// SPDX-License-Identifier: BSD-3-Clause
#include "linear.hpp"

#include <cmath>

#include "../autograd/error.hpp"
#include "../autograd/ops/matmul.hpp"
#include "../autograd/ops/random.hpp"

namespace xtape::nn {

XTAPE_DEFINE_PARTS(Linear, weight, bias)

Linear::Linear(std::int64_t in_features, std::int64_t out_features, const LinearOptions& options) {
  if (in_features < 1 || out_features < 1) {
    throw ValueError("Linear: expected at least 1 feature, got " + std::to_string(in_features) +
                     " in and " + std::to_string(out_features) + " out");
  }
  const double bound = 1 / std::sqrt(static_cast<double>(in_features));
  weight = Parameter(uniform(-bound, bound, {out_features, in_features}, options.dtype));
  if (options.bias) bias = Parameter(uniform(-bound, bound, {out_features}, options.dtype));
}

Tensor Linear::forward(const Tensor& x) {
  if (!x.defined() || x.dim() == 0 || x.sizes().back() != weight.sizes()[1]) {
    throw ShapeError("expected " + std::to_string(in_features()) +
                     " input features, got input of shape " +
                     (x.defined() ? to_string(x.sizes()) : "undefined"));
  }
  return linear(x, weight, bias);
}

}  // namespace xtape::nn
