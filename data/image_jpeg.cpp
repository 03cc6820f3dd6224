// SPDX-License-Identifier: BSD-3-Clause
#include "image_decoders.hpp"

#ifdef XTAPE_HAS_JPEG
#include <csetjmp>
#include <cstdio>

// After <cstdio>, which it needs.
#include <jpeglib.h>

#include <jerror.h>
#endif

namespace xtape::data::detail {

#ifndef XTAPE_HAS_JPEG

Tensor decode_jpeg(const EncodedImage& image) {
  image.file.fail("this build of xtape reads no JPEG, libjpeg was not found (Debian: libjpeg-dev)");
}

#else

namespace {

constexpr int kMostScans = 500;  // of a progressive file; each costs time for the whole picture

// libjpeg's state. Its errors leave by longjmp, so no function that libjpeg runs in holds an object
// with a destructor.
struct Reader {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf leave;
  char message[JMSG_LENGTH_MAX] = "";

  Reader() {
    jpeg.err = jpeg_std_error(&errors);
    jpeg.client_data = this;
    errors.error_exit = [](j_common_ptr j) { fail(j); };
    // Where the data end or make no sense libjpeg warns and goes on with grey.
    errors.emit_message = [](j_common_ptr j, int level) {
      const int code = j->err->msg_code;
      const bool broken = code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER ||
                          code == JWRN_HUFF_BAD_CODE || code == JWRN_ARITH_BAD_CODE;
      if (level < 0 && broken) fail(j);
    };
    progress.progress_monitor = [](j_common_ptr j) {
      const auto* reading = reinterpret_cast<j_decompress_ptr>(j);
      if (reading->input_scan_number <= kMostScans) return;
      auto& reader = *static_cast<Reader*>(j->client_data);
      std::snprintf(reader.message, sizeof reader.message, "more than %d scans", kMostScans);
      std::longjmp(reader.leave, 1);
    };
  }
  ~Reader() { jpeg_destroy_decompress(&jpeg); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // False where libjpeg fails; the message says why.
  bool begin(const std::uint8_t* bytes, unsigned long count) {
    if (setjmp(leave) != 0) return false;
    jpeg_create_decompress(&jpeg);
    jpeg.progress = &progress;
    jpeg_mem_src(&jpeg, bytes, count);
    jpeg_read_header(&jpeg, TRUE);
    return true;
  }
  bool read(std::uint8_t* to, J_COLOR_SPACE colours) {
    if (setjmp(leave) != 0) return false;
    jpeg.out_color_space = colours;
    jpeg_start_decompress(&jpeg);
    while (jpeg.output_scanline < jpeg.output_height) {
      JSAMPROW row = to + std::size_t{jpeg.output_scanline} * jpeg.output_width *
                              static_cast<std::size_t>(jpeg.output_components);
      jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
    return true;
  }

 private:
  [[noreturn]] static void fail(j_common_ptr j) {
    auto& reader = *static_cast<Reader*>(j->client_data);
    j->err->format_message(j, reader.message);
    std::longjmp(reader.leave, 1);
  }
};

}  // namespace

Tensor decode_jpeg(const EncodedImage& image) {
  Reader reader;
  const auto check = [&](bool good) {
    if (!good) image.file.fail(std::string("damaged JPEG: ") + reader.message);
  };
  check(reader.begin(image.bytes.data(), static_cast<unsigned long>(image.bytes.size())));
  image.check_size(reader.jpeg.image_width, reader.jpeg.image_height);
  if (reader.jpeg.num_components != 1 && reader.jpeg.num_components != 3) {
    image.file.fail("expected a grey or colour JPEG, found " +
                    std::to_string(reader.jpeg.num_components) + " channels");
  }
  const std::int64_t channels = image.channels(reader.jpeg.num_components == 3);
  const Tensor result = xtape::detail::empty(
      uint8, Shape{reader.jpeg.image_height, reader.jpeg.image_width, channels});
  check(reader.read(xtape::detail::fresh_data<std::uint8_t>(result),
                    channels == 3 ? JCS_RGB : JCS_GRAYSCALE));
  return result;
}

#endif

}  // namespace xtape::data::detail
