// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../export.hpp"
#include "../tensor.hpp"

namespace xtape::detail {

/// x at a place of its own on the tape: a gradient with respect to it is not one with respect to x.
XTAPE_API Tensor alias(const Tensor& x);

}  // namespace xtape::detail
