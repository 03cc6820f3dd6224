// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "../dtype.hpp"

namespace xtape::kernels {

/// Copies items of 1, 4 or 8 bytes between layouts (strides in elements, 0 where `source` is
/// broadcast); transposes go by tiles.
void copy_items(std::span<const std::int64_t> sizes, int item_bytes, void* target,
                const std::int64_t* target_strides, const void* source,
                const std::int64_t* source_strides);

/// The same with conversion: to boolean is x != 0, from floating to integer truncates.
void copy_converted(std::span<const std::int64_t> sizes, DType target_type, void* target,
                    const std::int64_t* target_strides, DType source_type, const void* source,
                    const std::int64_t* source_strides);

}  // namespace xtape::kernels
