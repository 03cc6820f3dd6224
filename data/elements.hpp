// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Elements of tensors as files hold them; not part of the public interface.

#include <bit>
#include <cstdint>
#include <memory>
#include <string>

#include "../autograd/tensor.hpp"
#include "file.hpp"

namespace xtape::data::detail {

static_assert(std::endian::native == std::endian::little, "files hold little-endian numbers");

/// How an element is stored: as in memory, or as another type that widens.
enum class Element : std::uint8_t { copied, f16, bf16, i8, i16, i32, u16, u32 };

/// Reads a dense row-major tensor of `dtype`. A boolean that is neither 0 nor 1 is an error, which
/// begins with `where`.
Tensor read_elements(Source& from, const Shape& shape, DType dtype, Element element,
                     const std::string& where);

/// True where elements at `begin` of a mapped file can be used as they lie there.
bool is_mappable(Element element, DType dtype, std::uint64_t begin);

/// The same tensor in the mapping, which lives as long as a view of it.
Tensor map_elements(const Source& from, const std::shared_ptr<std::byte>& mapping,
                    std::uint64_t begin, const Shape& shape, DType dtype, const std::string& where);

}  // namespace xtape::data::detail
