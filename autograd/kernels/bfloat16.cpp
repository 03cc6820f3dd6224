// SPDX-License-Identifier: BSD-3-Clause
#include "bfloat16.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <type_traits>

#include "../parallel.hpp"
#ifdef XTAPE_HAS_ONEDNN
#include "onednn.hpp"
#endif

namespace xtape::kernels {
namespace {

constexpr std::int64_t kGrain = 1 << 16;  // elements

// Half of the last kept digit is added, a little less where that digit is even. A NaN would be
// carried into infinity: it gets the bit that makes it quiet instead.
std::uint32_t rounded(std::uint32_t bits) {
  const std::uint32_t even = bits + 0x7fffU + ((bits >> 16) & 1U);
  return (bits & 0x7fffffffU) > 0x7f800000U ? bits | 0x400000U : even;
}

}  // namespace

bool has_bfloat16() {
#ifdef XTAPE_HAS_ONEDNN
  using dnnl::cpu_isa;
  static const cpu_isa isa = dnnl::get_effective_cpu_isa();
  return isa == cpu_isa::avx512_core_bf16 || isa == cpu_isa::avx512_core_amx;
#else
  return false;
#endif
}

template <class To>
void round_to_bfloat16(std::int64_t count, const float* x, To* y) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t bits = rounded(std::bit_cast<std::uint32_t>(x[i]));
    if constexpr (std::is_same_v<To, float>) {
      y[i] = std::bit_cast<float>(bits & 0xffff0000U);
    } else {
      y[i].bits = static_cast<std::uint16_t>(bits >> 16);
    }
  }
}

template <class To>
Rounded<To>::Rounded(std::int64_t rows, std::int64_t columns, const float* x, std::int64_t step)
    : columns_(columns), data_(static_cast<std::size_t>(rows * columns)) {
  if (step == columns) {  // one long row
    columns *= rows;
    rows = std::min<std::int64_t>(rows, 1);
  }
  if (rows == 1) {
    xtape::detail::parallel_for(columns, kGrain, [&](std::int64_t begin, std::int64_t end) {
      round_to_bfloat16(end - begin, x + begin, data_.data() + begin);
    });
    return;
  }
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(columns, 1));
  xtape::detail::parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      round_to_bfloat16(columns, x + r * step, data_.data() + r * columns_);
    }
  });
}

template void round_to_bfloat16<BFloat16>(std::int64_t, const float*, BFloat16*);
template void round_to_bfloat16<float>(std::int64_t, const float*, float*);
template class Rounded<BFloat16>;
template class Rounded<float>;

}  // namespace xtape::kernels
