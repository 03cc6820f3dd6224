// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../export.hpp"
#include "../tensor.hpp"

namespace xtape {

/// While training, sets each element to 0 with probability p and scales the others by 1 / (1 - p);
/// otherwise x itself. Draws from this thread's generator; nothing but its position is kept for the
/// gradient. Throws ValueError for p outside [0, 1]. Srivastava et al., JMLR 15, 2014.
XTAPE_API Tensor dropout(const Tensor& x, double p = 0.5, bool training = true);

}  // namespace xtape
