// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// PNG and JPEG as read_image sees them; not part of the public interface.

#include <cstdint>
#include <span>
#include <string>

#include "../autograd/tensor.hpp"
#include "file.hpp"
#include "image_file.hpp"

namespace xtape::data::detail {

/// The whole file, and how to fail with its name.
struct EncodedImage {
  const Source& file;
  std::span<const std::uint8_t> bytes;
  ReadImageOptions options;

  /// Throws where so many pixels are none or too many.
  void check_size(std::uint64_t width, std::uint64_t height) const;
  /// Of the result, for a file that has colours or not.
  std::int64_t channels(bool colour) const {
    return options.mode == ImageMode::rgb || (options.mode == ImageMode::unchanged && colour) ? 3
                                                                                              : 1;
  }
};

/// uint8 [height, width, channels].
Tensor decode_png(const EncodedImage& image);
Tensor decode_jpeg(const EncodedImage& image);

}  // namespace xtape::data::detail
