// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "export.hpp"
#include "tensor.hpp"

namespace xtape {

struct PrintOptions {
  int precision = 4;              ///< digits after the point
  std::int64_t threshold = 1000;  ///< with more elements, only the edges are shown
  std::int64_t edge_items = 3;    ///< how many at each end of a dimension then
  std::int64_t line_width = 80;   ///< characters
};

/// The elements as PyTorch prints them, "tensor([[1., 2.],\n        [3., 4.]])": one format for
/// all, with exponents where the sizes differ by more than 1000; then the dtype, unless float32,
/// int64 or boolean, and whether it requires grad or which operation made it.
XTAPE_API std::string to_string(const Tensor& x, const PrintOptions& options = {});
XTAPE_API std::ostream& operator<<(std::ostream& out, const Tensor& x);

}  // namespace xtape
