// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "export.hpp"

namespace xtape {

/// The processors that the loaded library was compiled for, as the levels of the x86-64 ABI name
/// them: "x86-64" (any; SSE2), "x86-64-v2" (SSE4.2), "x86-64-v3" (AVX2), "x86-64-v4" (AVX-512);
/// elsewhere "generic". Of a library installed with several variants it says which one the dynamic
/// loader chose. BLAS and oneDNN choose their kernels on their own.
XTAPE_API const char* processor_level() noexcept;

}  // namespace xtape
