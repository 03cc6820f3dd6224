// SPDX-License-Identifier: BSD-3-Clause
#include "taps.hpp"

#include <algorithm>

#include "../parallel.hpp"

namespace xtape::kernels {
namespace {

// One number: most rows have one or two taps.
template <class T>
double row_of(const Taps& taps, std::int64_t row, const T* x) {
  const std::int64_t first = taps.first[row], last = taps.first[row + 1];
  const auto term = [&](std::int64_t k) {
    return taps.weight[k] * static_cast<double>(x[taps.position[k]]);
  };
  if (last - first == 1) return term(first);
  if (last - first == 2) return term(first) + term(first + 1);
  double sum = 0;
  for (std::int64_t k = first; k < last; ++k) sum += term(k);
  return sum;
}

// `inner` numbers that lie side by side.
template <class T>
void row_of(const Taps& taps, std::int64_t row, std::int64_t inner, const T* x, T* y) {
  constexpr std::int64_t kBlock = 64;
  for (std::int64_t j = 0; j < inner; j += kBlock) {
    const std::int64_t n = std::min(kBlock, inner - j);
    double sum[kBlock];
    std::fill_n(sum, n, 0.0);
    for (std::int64_t k = taps.first[row]; k < taps.first[row + 1]; ++k) {
      const T* in = x + taps.position[k] * inner + j;
      const double weight = taps.weight[k];
      for (std::int64_t i = 0; i < n; ++i) sum[i] += weight * static_cast<double>(in[i]);
    }
    for (std::int64_t i = 0; i < n; ++i) y[j + i] = static_cast<T>(sum[i]);
  }
}

}  // namespace

template <class T>
void apply_taps(const Taps& taps, std::int64_t outer, std::int64_t size, std::int64_t inner,
                const T* x, T* y) {
  const std::int64_t numbers = std::max<std::int64_t>(1, taps.rows * inner);
  const std::int64_t grain = std::max<std::int64_t>(1, 16384 / numbers);
  detail::parallel_for(outer, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) {
      const T* from = x + o * size * inner;
      T* to = y + o * taps.rows * inner;
      if (inner == 1) {
        for (std::int64_t i = 0; i < taps.rows; ++i) to[i] = static_cast<T>(row_of(taps, i, from));
      } else {
        for (std::int64_t i = 0; i < taps.rows; ++i) {
          row_of(taps, i, inner, from, to + i * inner);
        }
      }
    }
  });
}

template XTAPE_API void apply_taps<float>(const Taps&, std::int64_t, std::int64_t, std::int64_t,
                                          const float*, float*);
template XTAPE_API void apply_taps<double>(const Taps&, std::int64_t, std::int64_t, std::int64_t,
                                           const double*, double*);

}  // namespace xtape::kernels
