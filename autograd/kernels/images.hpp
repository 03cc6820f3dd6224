// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "../memory.hpp"
#include "../parallel.hpp"

// How pictures [batch, channels, height, width] lie in memory.
namespace xtape::kernels {

/// Sizes, or strides in elements: any, negative and 0 (inputs) too.
using Strides4 = std::array<std::int64_t, 4>;

inline std::int64_t volume(const Strides4& sizes) {
  return sizes[0] * sizes[1] * sizes[2] * sizes[3];
}

inline Strides4 channels_first(const Strides4& n) {
  return {n[1] * n[2] * n[3], n[2] * n[3], n[3], 1};
}

inline Strides4 channels_last(const Strides4& n) {
  return {n[1] * n[2] * n[3], 1, n[3] * n[1], n[1]};
}

// Strides of dimensions of size 1 mean nothing.
inline bool same_memory(const Strides4& sizes, const Strides4& a, const Strides4& b) {
  for (int i = 0; i < 4; ++i) {
    if (sizes[i] != 1 && a[i] != b[i]) return false;
  }
  return true;
}

// Copies one image [channels, height, width] between layouts, channels in tiles so that neither
// side is walked across its grain alone.
template <class T>
void copy_image(const Strides4& n, const T* from, const Strides4& fs, T* to, const Strides4& ts) {
  constexpr std::int64_t kTile = 16;
  for (std::int64_t h = 0; h < n[2]; ++h) {
    for (std::int64_t c0 = 0; c0 < n[1]; c0 += kTile) {
      const std::int64_t c1 = std::min(c0 + kTile, n[1]);
      for (std::int64_t w0 = 0; w0 < n[3]; w0 += kTile) {
        const std::int64_t w1 = std::min(w0 + kTile, n[3]);
        for (std::int64_t c = c0; c < c1; ++c) {
          const T* f = from + c * fs[1] + h * fs[2];
          T* t = to + c * ts[1] + h * ts[2];
          for (std::int64_t w = w0; w < w1; ++w) t[w * ts[3]] = f[w * fs[3]];
        }
      }
    }
  }
}

template <class T>
void copy_images(const Strides4& sizes, const T* from, const Strides4& from_strides, T* to,
                 const Strides4& to_strides) {
  detail::parallel_for(sizes[0], 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      copy_image(sizes, from + b * from_strides[0], from_strides, to + b * to_strides[0],
                 to_strides);
    }
  });
}

}  // namespace xtape::kernels
