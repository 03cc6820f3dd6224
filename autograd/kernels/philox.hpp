// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../random.hpp"

// Random numbers as functions of (seed, stream, block): element i comes from block i / 4 (float32,
// integers) or i / 2 (float64), so that any part can be made by any thread.
namespace xtape::kernels {

/// Uniform in [0, 1), 24 or 53 bits.
template <class T>
void fill_uniform(const Generator& at, T* out, std::int64_t count);

/// Standard normal, by Box and Muller.
template <class T>
void fill_normal(const Generator& at, T* out, std::int64_t count);

/// 64-bit numbers, two a block.
void fill_bits(const Generator& at, std::uint64_t* out, std::int64_t count);

/// y[i] = u_i < keep ? x[i] scale : 0 with u_i uniform, 32 bits.
template <class T>
void keep_scaled(const Generator& at, const T* x, T* y, std::int64_t count, double keep,
                 double scale);

}  // namespace xtape::kernels
