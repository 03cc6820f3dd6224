// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "export.hpp"

namespace xtape {

/// Whether results are the same bits for any number of threads. Those of kernels of our own always
/// are; BLAS, LAPACK and oneDNN divide sums as their threads suit. In this mode matrix products and
/// convolutions are cut into parts whose sizes depend on the shapes alone, each computed by one
/// thread, and what the parts of a batch give to a weight's gradient is added up in their order.
/// Bits may still differ between processors and versions of these libraries.
/// Of the whole process, for operations that begin after the call. Default: off.
XTAPE_API void use_deterministic_algorithms(bool enabled) noexcept;
XTAPE_API bool are_deterministic_algorithms_enabled() noexcept;

}  // namespace xtape
