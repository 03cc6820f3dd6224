// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::data {

/// Pictures of digits and what they show.
struct Digits {
  Tensor images;  ///< float32 [n, 1, 28, 28], 0 (paper) to 1 (ink)
  Tensor labels;  ///< int64 [n]
};

/// `count` generated digits: stroke figures with random shift, size, slant, bend, thickness and
/// noise. Sample i depends on (seed, i) alone, and has the same bits on every machine. For a test
/// set take another seed. Throws ValueError on a negative count.
XTAPE_API Digits generate_digits(std::int64_t count, std::uint64_t seed = 0);

}  // namespace xtape::data
