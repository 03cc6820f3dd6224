// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::nn {

/// What a Linear takes: weight [out, in], bias [out].
struct RidgeFit {
  Tensor weight, bias;
};

/// The W and b of least |x W^T + b - y|^2 + ridge |W|^2 for x [samples, in], y [samples, out] of
/// one floating dtype: (Xc^T Xc + ridge I) W^T = Xc^T Yc with columns less their means, solved by
/// Cholesky in float64; not recorded. Hoerl and Kennard, Technometrics 1970. Throws ShapeError,
/// DTypeError; ValueError for a negative ridge, for Inf or NaN, and where `ridge` is too small for
/// columns that depend on each other.
XTAPE_API RidgeFit ridge_regression(const Tensor& x, const Tensor& y, double ridge);

}  // namespace xtape::nn
