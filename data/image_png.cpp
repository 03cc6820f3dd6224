// SPDX-License-Identifier: BSD-3-Clause
#include "image_decoders.hpp"

#ifdef XTAPE_HAS_PNG
#include <png.h>

#include <vector>
#endif

namespace xtape::data::detail {

#ifndef XTAPE_HAS_PNG

Tensor decode_png(const EncodedImage& image) {
  image.file.fail("this build of xtape reads no PNG, libpng was not found (Debian: libpng-dev)");
}

#else

namespace {

std::uint32_t big_endian(const std::uint8_t* b) {
  return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

// libpng stops reading where the pixels are complete: a cut behind them is seen here.
void check_chunks(const EncodedImage& image) {
  std::uint64_t at = 8;
  for (;;) {
    if (image.bytes.size() - at < 12) image.file.fail("it ends before its last chunk, IEND");
    const std::uint8_t* chunk = image.bytes.data() + at;
    const std::uint64_t length = big_endian(chunk);
    if (length > image.bytes.size() - at - 12) {
      image.file.fail("it ends within a chunk of " + std::to_string(length) + " bytes");
    }
    if (std::string(chunk + 4, chunk + 8) == "IEND") return;
    at += 12 + length;
  }
}

// libpng's state, freed at the end.
struct Reader {
  png_image png{};
  Reader() { png.version = PNG_IMAGE_VERSION; }
  ~Reader() { png_image_free(&png); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

}  // namespace

Tensor decode_png(const EncodedImage& image) {
  check_chunks(image);
  Reader reader;
  png_image& png = reader.png;
  const auto check = [&](int good) {
    if (!good) image.file.fail(std::string("damaged PNG: ") + png.message);
  };
  check(png_image_begin_read_from_memory(&png, image.bytes.data(), image.bytes.size()));
  image.check_size(png.width, png.height);
  // With transparency, so that libpng does not lay the pixels on a background; 16 bits are sRGB as
  // 8 are.
  const bool colour = (png.format & PNG_FORMAT_FLAG_COLOR) != 0;
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  png.format = colour ? PNG_FORMAT_RGBA : PNG_FORMAT_GA;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(png));
  check(png_image_finish_read(&png, nullptr, pixels.data(), 0, nullptr));
  const std::int64_t channels = image.channels(colour);
  const Tensor result = xtape::detail::empty(uint8, Shape{png.height, png.width, channels});
  auto* to = xtape::detail::fresh_data<std::uint8_t>(result);
  for (std::size_t i = 0; i < pixels.size(); i += colour ? 4 : 2) {
    const std::uint8_t* p = pixels.data() + i;
    if (channels == 3) {
      for (std::size_t c = 0; c < 3; ++c) *to++ = p[colour ? c : 0];
    } else {  // the luma of ITU-R BT.601, as JPEG has it
      *to++ = colour
                  ? static_cast<std::uint8_t>((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000)
                  : p[0];
    }
  }
  return result;
}

#endif

}  // namespace xtape::data::detail
