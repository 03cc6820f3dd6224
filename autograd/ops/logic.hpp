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

/// Of boolean tensors; DTypeError on others.
XTAPE_API Tensor operator&(const Tensor& a, const Tensor& b);
XTAPE_API Tensor operator|(const Tensor& a, const Tensor& b);
XTAPE_API Tensor operator^(const Tensor& a, const Tensor& b);
XTAPE_API Tensor operator~(const Tensor& x);

}  // namespace xtape
