// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::data {

/// The uint8 array of an IDX file (the format of MNIST and its relatives), plain or gzip; which of
/// both is seen from its content. Strict: the shape must account for every byte of the file, and
/// nothing is allocated on a claim that was not checked. Throws FileError.
XTAPE_API Tensor read_idx(const std::string& path);

/// Writes a uint8 tensor of 1 to 16 dimensions as IDX, packed where `path` ends in ".gz". The file
/// appears whole or not at all. Throws DTypeError, ShapeError, FileError.
XTAPE_API void write_idx(const std::string& path, const Tensor& x);

}  // namespace xtape::data
