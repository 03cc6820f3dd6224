// SPDX-License-Identifier: BSD-3-Clause
#include "philox.hpp"

#include <algorithm>
#include <cstring>
#include <numbers>
#include <type_traits>

#include <Random123/philox.h>

#include "../parallel.hpp"
#include "lane.hpp"

namespace xtape::kernels {
namespace {

constexpr std::int64_t kGrain = 1 << 14;
constexpr std::int64_t kBlocks = 256;  // made at a time, in a buffer

using Words = std::uint32_t[kBlocks][4];

// Rounds over many blocks at once, so that the loop becomes vector code; the tests compare it with
// Random123's philox4x32.
void make_blocks(const Generator& g, std::uint64_t first, std::int64_t blocks, Words& out) {
  alignas(64) std::uint32_t c0[kBlocks], c1[kBlocks], c2[kBlocks], c3[kBlocks];
  for (std::int64_t i = 0; i < blocks; ++i) {
    const std::uint64_t n = first + static_cast<std::uint64_t>(i);
    c0[i] = static_cast<std::uint32_t>(n);
    c1[i] = static_cast<std::uint32_t>(n >> 32);
    c2[i] = static_cast<std::uint32_t>(g.stream);
    c3[i] = static_cast<std::uint32_t>(g.stream >> 32);
  }
  auto k0 = static_cast<std::uint32_t>(g.seed);
  auto k1 = static_cast<std::uint32_t>(g.seed >> 32);
  for (int round = 0; round < 10; ++round) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < blocks; ++i) {
      const std::uint64_t p0 = std::uint64_t{PHILOX_M4x32_0} * c0[i];
      const std::uint64_t p1 = std::uint64_t{PHILOX_M4x32_1} * c2[i];
      const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1[i] ^ k0;
      const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3[i] ^ k1;
      c1[i] = static_cast<std::uint32_t>(p1);
      c3[i] = static_cast<std::uint32_t>(p0);
      c0[i] = n0;
      c2[i] = n2;
    }
    k0 += PHILOX_W32_0;
    k1 += PHILOX_W32_1;
  }
  for (std::int64_t i = 0; i < blocks; ++i) {
    out[i][0] = c0[i];
    out[i][1] = c1[i];
    out[i][2] = c2[i];
    out[i][3] = c3[i];
  }
}

// f(words, begin, end): the words of elements [begin, end), `per_block` elements a block.
template <class F>
void for_blocks(const Generator& g, std::int64_t count, std::int64_t per_block, F f) {
  detail::parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) Words words;
    while (begin < end) {
      const std::int64_t n = std::min(end - begin, kBlocks * per_block);
      make_blocks(g, g.position + static_cast<std::uint64_t>(begin / per_block),
                  (n + per_block - 1) / per_block, words);
      f(&words[0][0], begin, begin + n);
      begin += n;
    }
  });
}

inline double to_double(const std::uint32_t* w) {
  const std::uint64_t bits = (std::uint64_t{w[1]} << 32 | w[0]) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

}  // namespace

template <class T>
void fill_uniform(const Generator& g, T* out, std::int64_t count) {
  constexpr std::int64_t kPerBlock = std::is_same_v<T, float> ? 4 : 2;
  for_blocks(g, count, kPerBlock,
             [&](const std::uint32_t* w, std::int64_t begin, std::int64_t end) {
               for (std::int64_t i = begin; i < end; ++i) {
                 if constexpr (std::is_same_v<T, float>) {
                   out[i] = static_cast<float>(w[i - begin] >> 8) * 0x1p-24f;
                 } else {
                   out[i] = to_double(w + 2 * (i - begin));
                 }
               }
             });
}

template <class T>
void fill_normal(const Generator& g, T* out, std::int64_t count) {
  constexpr std::int64_t kPerBlock = std::is_same_v<T, float> ? 4 : 2;
  using L = Lane<T>;
  for_blocks(g, count, kPerBlock,
             [&](const std::uint32_t* w, std::int64_t begin, std::int64_t end) {
               // A block's numbers make one pair (float64) or two; a pair of uniforms makes a pair
               // of normals.
               alignas(64) T radius[2 * kBlocks + 32], angle[2 * kBlocks + 32];
               const std::int64_t pairs = (end - begin + 1) / 2;
               for (std::int64_t i = 0; i < pairs; ++i) {
                 if constexpr (std::is_same_v<T, float>) {
                   radius[i] = static_cast<float>(w[2 * i]) * 0x1p-32f + 0x1p-33f;  // in (0, 1]
                   angle[i] = static_cast<float>(w[2 * i + 1] >> 8) * 0x1p-24f;
                 } else {
                   radius[i] = to_double(w + 4 * i) + 0x1p-54;
                   angle[i] = to_double(w + 4 * i + 2);
                 }
               }
               for (std::int64_t i = pairs; i % L::kSize; ++i) radius[i] = angle[i] = T(0.5);
               for (std::int64_t i = 0; i < pairs; i += L::kSize) {
                 const L r = sqrt(log(L::load(radius + i)) * -2.0);
                 const L a = L::load(angle + i) * (2.0 * std::numbers::pi);
                 (r * cos(a)).store(radius + i);
                 (r * sin(a)).store(angle + i);
               }
               for (std::int64_t i = begin; i < end; ++i) {
                 const std::int64_t k = i - begin;
                 out[i] = k % 2 ? angle[k / 2] : radius[k / 2];
               }
             });
}

void fill_bits(const Generator& g, std::uint64_t* out, std::int64_t count) {
  for_blocks(g, count, 2, [&](const std::uint32_t* w, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::uint32_t* v = w + 2 * (i - begin);
      out[i] = std::uint64_t{v[1]} << 32 | v[0];
    }
  });
}

template <class T>
void keep_scaled(const Generator& g, const T* x, T* y, std::int64_t count, double keep,
                 double scale) {
  const auto limit = static_cast<std::uint32_t>(std::min(keep * 0x1p32, 0x1p32 - 1));
  const auto factor = static_cast<T>(scale);
  for_blocks(g, count, 4, [&](const std::uint32_t* w, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T v = x[i] * factor;
      y[i] = w[i - begin] < limit ? v : T(0);
    }
  });
}

template void fill_uniform<float>(const Generator&, float*, std::int64_t);
template void fill_uniform<double>(const Generator&, double*, std::int64_t);
template void fill_normal<float>(const Generator&, float*, std::int64_t);
template void fill_normal<double>(const Generator&, double*, std::int64_t);
template void keep_scaled<float>(const Generator&, const float*, float*, std::int64_t, double,
                                 double);
template void keep_scaled<double>(const Generator&, const double*, double*, std::int64_t, double,
                                  double);

}  // namespace xtape::kernels
