// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

// NumPy's files: one array (.npy), or several with names (.npz).
namespace xtape::data {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Reads an .npy file of format 1, 2 or 3. float16 widens to float32, integers of 8 to 32 bits
/// (except uint8) to int64; all others must be bool, uint8, int64, float32 or float64,
/// little-endian. An array in Fortran's order comes as a view with its strides. Strict: header and
/// length of the file are checked against each other before anything is allocated. Throws
/// FileError.
XTAPE_API Tensor read_npy(const std::string& path);
/// The file appears whole or not at all. Throws ValueError on an undefined tensor; FileError.
XTAPE_API void write_npy(const std::string& path, const Tensor& x);

/// Reads an .npz file, stored or compressed; names without ".npy". Strict: places, sizes and
/// checksums of the archive too. Throws FileError.
XTAPE_API NamedTensors read_npz(const std::string& path);

struct NpzOptions {
  bool compressed = false;
};
/// The file appears whole or not at all. Throws ValueError on a name that is empty, comes twice or
/// holds a zero byte, and on an undefined tensor; FileError.
XTAPE_API void write_npz(const std::string& path, const NamedTensors& arrays,
                         const NpzOptions& options = {});

}  // namespace xtape::data
