// SPDX-License-Identifier: BSD-3-Clause
#include "taps.hpp"

#include <algorithm>

#include "../parallel.hpp"

namespace xtape::kernels {

template <class T>
void apply_taps(const Taps& taps, std::int64_t outer, std::int64_t size, std::int64_t inner,
                const T* x, T* y) {
  constexpr std::int64_t kBlock = 64;  // sums side by side
  const std::int64_t grain = std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(1, inner));
  detail::parallel_for(outer * taps.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t unit = begin; unit < end; ++unit) {
      const std::int64_t row = unit % taps.rows;
      const T* from = x + unit / taps.rows * size * inner;
      T* to = y + unit * inner;
      const std::int64_t first = taps.first[row], last = taps.first[row + 1];
      for (std::int64_t j = 0; j < inner; j += kBlock) {
        const std::int64_t n = std::min(kBlock, inner - j);
        double sum[kBlock] = {};
        for (std::int64_t k = first; k < last; ++k) {
          const T* in = from + taps.position[k] * inner + j;
          const double weight = taps.weight[k];
          for (std::int64_t i = 0; i < n; ++i) sum[i] += weight * static_cast<double>(in[i]);
        }
        for (std::int64_t i = 0; i < n; ++i) to[j + i] = static_cast<T>(sum[i]);
      }
    }
  });
}

template XTAPE_API void apply_taps<float>(const Taps&, std::int64_t, std::int64_t, std::int64_t,
                                          const float*, float*);
template XTAPE_API void apply_taps<double>(const Taps&, std::int64_t, std::int64_t, std::int64_t,
                                           const double*, double*);

}  // namespace xtape::kernels
