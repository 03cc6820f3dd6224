// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace xtape::nn {

/// Each element's loss, or their mean (as a rule), or their sum; for kl_div alone their sum by
/// samples.
enum class Reduction : std::uint8_t { none, mean, sum, batchmean };

}  // namespace xtape::nn
