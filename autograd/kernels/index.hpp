// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

#include "../dtype.hpp"

namespace xtape::kernels {

/// Where the first position lies that is not in [0, size), or -1.
std::int64_t find_out_of_range(const std::int64_t* positions, std::int64_t count,
                               std::int64_t size) noexcept;

/// target [outer, count, inner] from source [outer, size, inner], all dense: the slices at
/// `positions`.
void take_slices(int item_bytes, std::int64_t outer, std::int64_t count, std::int64_t size,
                 std::int64_t inner, void* target, const void* source,
                 const std::int64_t* positions);

/// Adds the slices of source [outer, count, inner] to those of target [outer, size, inner] at
/// `positions`, in their order.
void add_slices(DType dtype, std::int64_t outer, std::int64_t count, std::int64_t size,
                std::int64_t inner, void* target, const void* source,
                const std::int64_t* positions);

/// Element by element over `sizes`: target = table[..., position, ...], `position` in place of the
/// index along `dim`. Strides in elements.
struct ElementIndex {
  std::span<const std::int64_t> sizes;  // of the positions
  int dim;
  const std::int64_t* positions;  // row-major
  const std::int64_t* table_strides;
  const std::int64_t* element_strides;
};
void gather_elements(const ElementIndex& e, int item_bytes, void* elements, const void* table);
/// table[..., position, ...] += element, in row-major order.
void scatter_add_elements(const ElementIndex& e, DType dtype, void* table, const void* elements);

/// target[position] = element, or += where `accumulate`, in their order.
void put_elements(DType dtype, std::int64_t count, bool accumulate, void* target,
                  const std::int64_t* positions, const void* elements);

}  // namespace xtape::kernels
