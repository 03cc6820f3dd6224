// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../memory.hpp"

namespace xtape::kernels {

/// Window `index` of `count` that cover `size` elements evenly: begin <= i < end.
struct EvenWindow {
  std::int64_t begin, end;

  constexpr EvenWindow(std::int64_t index, std::int64_t count, std::int64_t size)
      : begin(index * size / count), end(((index + 1) * size + count - 1) / count) {}
};

/// For each of `planes` dense pictures [height, width]: where the maximum of each of the windows
/// [out_height, out_width] is, as row * width + column; the first of equals, the first NaN.
template <class T>
XTAPE_API void even_maxima(std::int64_t planes, std::int64_t height, std::int64_t width,
                           std::int64_t out_height, std::int64_t out_width, const T* x,
                           std::int64_t* positions);

}  // namespace xtape::kernels
