// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::data {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;
using Metadata = std::vector<std::pair<std::string, std::string>>;

/// What a safetensors file holds, in the order of its header.
struct Safetensors {
  NamedTensors tensors;
  Metadata metadata;
};

struct ReadSafetensorsOptions {
  /// Tensors share a private mapping of the file: pages come when they are first touched, writing
  /// to a tensor changes this process's copy alone. What widens or is not aligned in the file is
  /// copied. Nobody may shorten or write over the file meanwhile; one that replaces it may come.
  bool mmap = false;
};

/// Reads a safetensors file. F16 and BF16 widen to float32, integers of 8 to 32 bits (except U8) to
/// int64; all others must be BOOL, U8, I64, F32 or F64. Strict: header, offsets, sizes and the
/// file's length are checked against each other before anything is allocated. Throws FileError.
XTAPE_API Safetensors read_safetensors(const std::string& path,
                                       const ReadSafetensorsOptions& options = {});

/// Writes tensors and metadata; the file appears whole or not at all. Throws ValueError on a name
/// or a text that comes twice, is reserved ("__metadata__") or is not UTF-8; FileError.
XTAPE_API void write_safetensors(const std::string& path, const NamedTensors& tensors,
                                 const Metadata& metadata = {});

}  // namespace xtape::data
