// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../export.hpp"
#include "../tensor.hpp"

// Answers of yes and no: boolean results, element by element, no gradient.
namespace xtape {

/// Of any dtypes, broadcast: what is not 0 is true.
XTAPE_API Tensor logical_and(const Tensor& a, const Tensor& b);
XTAPE_API Tensor logical_or(const Tensor& a, const Tensor& b);
XTAPE_API Tensor logical_xor(const Tensor& a, const Tensor& b);
XTAPE_API Tensor logical_not(const Tensor& x);

XTAPE_API Tensor isnan(const Tensor& x);
/// True at both infinities.
XTAPE_API Tensor isinf(const Tensor& x);
/// True where x is neither infinite nor NaN.
XTAPE_API Tensor isfinite(const Tensor& x);

/// |a - b| <= atol + rtol |b|, or a = b; NaN is close to nothing, or to NaN with `equal_nan`.
XTAPE_API Tensor isclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8,
                         bool equal_nan = false);
/// Whether all elements are.
XTAPE_API bool allclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8,
                        bool equal_nan = false);
/// Whether shape and all elements are the same; NaN is not the same as itself.
XTAPE_API bool equal(const Tensor& a, const Tensor& b);

/// Of boolean tensors; DTypeError on others.
XTAPE_API Tensor operator&(const Tensor& a, const Tensor& b);
XTAPE_API Tensor operator|(const Tensor& a, const Tensor& b);
XTAPE_API Tensor operator^(const Tensor& a, const Tensor& b);
XTAPE_API Tensor operator~(const Tensor& x);

}  // namespace xtape
