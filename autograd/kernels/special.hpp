// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../export.hpp"

// Special functions of one number, within 4 ulp (absolute near their zeros).
namespace xtape::kernels {

/// log |Gamma(x)|; infinite at 0, -1, -2, ...
XTAPE_API double log_gamma(double x) noexcept;
/// The n-th derivative of digamma = Gamma' / Gamma, n >= 0.
XTAPE_API double polygamma(int n, double x) noexcept;
/// y with erf(y) = x; NaN outside of [-1, 1].
XTAPE_API double erf_inverse(double x) noexcept;

}  // namespace xtape::kernels
