// SPDX-License-Identifier: BSD-3-Clause
#include "bilinear.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/matmul.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/ops/shape.hpp"

namespace xtape::nn {
namespace {

std::string shape_of(const Tensor& x) {
  return x.defined() ? to_string(x.sizes()) : std::string("undefined");
}

}  // namespace

XTAPE_DEFINE_PARTS(Bilinear, weight, bias)

Bilinear::Bilinear(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features,
                   const LinearOptions& options) {
  if (in1_features < 1 || in2_features < 1 || out_features < 1) {
    throw ValueError("Bilinear: expected at least 1 feature, got " + std::to_string(in1_features) +
                     " and " + std::to_string(in2_features) + " in and " +
                     std::to_string(out_features) + " out");
  }
  const double bound = 1 / std::sqrt(static_cast<double>(in1_features));
  weight =
      Parameter(uniform(-bound, bound, {out_features, in1_features, in2_features}, options.dtype));
  if (options.bias) bias = Parameter(uniform(-bound, bound, {out_features}, options.dtype));
}

Tensor Bilinear::forward(const Tensor& a, const Tensor& b) {
  const std::int64_t out = weight.size(0), in1 = weight.size(1), in2 = weight.size(2);
  const bool fits = a.defined() && b.defined() && a.dim() > 0 && a.dim() == b.dim() &&
                    a.sizes().back() == in1 && b.sizes().back() == in2 &&
                    std::ranges::equal(a.sizes().first(a.sizes().size() - 1),
                                       b.sizes().first(b.sizes().size() - 1));
  if (!fits) {
    throw ShapeError("expected inputs [..., " + std::to_string(in1) + "] and [..., " +
                     std::to_string(in2) + "] of equal leading sizes, got " + shape_of(a) +
                     " and " + shape_of(b));
  }
  // All W[k]^T a in one product, then with b.
  const Tensor all = linear(a, reshape(transpose(weight, 1, 2), {out * in2, in1}));
  const Tensor y = sum(unflatten(all, -1, {out, in2}) * unsqueeze(b, -2), {-1});
  return bias.defined() ? y + bias : y;
}

}  // namespace xtape::nn
