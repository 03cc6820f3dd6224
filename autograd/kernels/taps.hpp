// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../memory.hpp"

namespace xtape::kernels {

/// A linear map along one dimension with few numbers in each row: y[i] is the sum of weight[k]
/// x[position[k]] over first[i] <= k < first[i + 1].
struct Taps {
  std::int64_t rows;
  const std::int64_t* first;
  const std::int64_t* position;
  const double* weight;
};

/// y [outer, rows, inner] from x [outer, size, inner], both dense. T: float, double; sums in
/// double. Nothing is read at positions that no row names.
template <class T>
XTAPE_API void apply_taps(const Taps& taps, std::int64_t outer, std::int64_t size,
                          std::int64_t inner, const T* x, T* y);

}  // namespace xtape::kernels
