// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// PNG files; not part of the public interface.

#include <string>

#include "../autograd/tensor.hpp"

namespace xtape::data::detail {

/// Writes a picture, dense uint8 [1 or 3, height, width]; the file appears whole or not at all.
/// Throws FileError.
void write_png(const char* operation, const std::string& path, const Tensor& picture);

}  // namespace xtape::data::detail
