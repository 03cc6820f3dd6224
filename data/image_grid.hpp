// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::data {

struct ImageGridOptions {
  std::int64_t columns = 8;  ///< pictures in a row
  std::int64_t padding = 2;  ///< pixels between pictures and around them all
  double pad_value = 1;      ///< 0: black, 1: white
  std::int64_t scale = 1;    ///< each pixel becomes a square of so many a side
  bool normalize = false;    ///< the least value of each picture becomes 0, the greatest 1
};

/// Pictures [n, channels, height, width] (or [channels, height, width], or [height, width]) beside
/// each other, uint8 [channels, height, width]; channels are 1 (grey) or 3 (red, green, blue).
/// Numbers from 0 to 1 become 0 to 255, those beyond its ends; uint8 stays as it is. Throws
/// ShapeError; DTypeError on int64 and booleans; ValueError on NaN, on options out of range and on
/// a result above 65535 pixels wide or high.
XTAPE_API Tensor make_grid(const Tensor& images, const ImageGridOptions& options = {});

/// Writes the same as a PNG file, 8 bits for each channel; the file appears whole or not at all.
/// Throws FileError too.
XTAPE_API void save_image(const std::string& path, const Tensor& images,
                          const ImageGridOptions& options = {});

}  // namespace xtape::data
