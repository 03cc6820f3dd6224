// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../export.hpp"

// The gamma distribution of rate 1 and shape a > 0, for one number.
namespace xtape::kernels {

/// z with P(Z < z) = u, 0 < u < 1; never 0, however small a is.
XTAPE_API double gamma_quantile(double a, double u) noexcept;
/// d z / d a along the quantile that z is of: -(dF / da) / f.
XTAPE_API double gamma_slope(double a, double z) noexcept;

}  // namespace xtape::kernels
