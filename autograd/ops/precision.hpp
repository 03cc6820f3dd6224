// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autocast.hpp"
#include "../dtype.hpp"
#include "../kernels/bfloat16.hpp"

// Private to ops/.
namespace xtape::detail {

/// How a product of this thread takes operands of this dtype.
inline kernels::Precision precision_of(DType dtype) noexcept {
  return dtype == float32 && is_autocast_enabled() ? kernels::Precision::bfloat16
                                                   : kernels::Precision::full;
}

}  // namespace xtape::detail
