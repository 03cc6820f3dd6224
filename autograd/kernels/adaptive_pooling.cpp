// SPDX-License-Identifier: BSD-3-Clause
#include "adaptive_pooling.hpp"

#include "../parallel.hpp"

namespace xtape::kernels {
namespace {

template <class T>
std::int64_t largest(const T* x, std::int64_t width, const EvenWindow& rows,
                     const EvenWindow& columns) {
  std::int64_t best = rows.begin * width + columns.begin;
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    for (std::int64_t at = i * width + columns.begin; at < i * width + columns.end; ++at) {
      if (x[best] != x[best]) return best;
      if (x[at] > x[best] || x[at] != x[at]) best = at;
    }
  }
  return best;
}

}  // namespace

template <class T>
void even_maxima(std::int64_t planes, std::int64_t height, std::int64_t width,
                 std::int64_t out_height, std::int64_t out_width, const T* x,
                 std::int64_t* positions) {
  const std::int64_t grain = 1 + 16384 / (1 + height * width);
  detail::parallel_for(planes, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane) {
      const T* from = x + plane * height * width;
      std::int64_t* to = positions + plane * out_height * out_width;
      for (std::int64_t i = 0; i < out_height; ++i) {
        const EvenWindow rows(i, out_height, height);
        for (std::int64_t j = 0; j < out_width; ++j) {
          *to++ = largest(from, width, rows, EvenWindow(j, out_width, width));
        }
      }
    }
  });
}

template XTAPE_API void even_maxima<float>(std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                                           std::int64_t, const float*, std::int64_t*);
template XTAPE_API void even_maxima<double>(std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                                            std::int64_t, const double*, std::int64_t*);

}  // namespace xtape::kernels
