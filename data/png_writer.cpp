// SPDX-License-Identifier: BSD-3-Clause
#include "png_writer.hpp"

#include <zlib.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "file.hpp"

// PNG (Portable Network Graphics) Specification, W3C Recommendation: signature, header (IHDR),
// packed rows (IDAT), end (IEND). Numbers are big-endian.
namespace xtape::data::detail {
namespace {

void put_number(std::string& to, std::uint32_t x) {
  for (const int shift : {24, 16, 8, 0}) to += static_cast<char>(x >> shift & 255);
}

// Length, type, content, checksum of the last two.
void put_chunk(std::string& to, std::string_view type, std::string_view content) {
  put_number(to, static_cast<std::uint32_t>(content.size()));
  const std::size_t begin = to.size();
  to += type;
  to += content;
  const auto* checked = reinterpret_cast<const Bytef*>(to.data() + begin);
  put_number(to, static_cast<std::uint32_t>(crc32_z(0, checked, to.size() - begin)));
}

// Row by row: a zero, which says that the row is stored as it is, then its pixels.
std::vector<Bytef> rows(const Tensor& picture) {
  const std::int64_t channels = picture.size(0), height = picture.size(1), width = picture.size(2);
  const auto* from = picture.data<std::uint8_t>();
  std::vector<Bytef> bytes;
  bytes.reserve(static_cast<std::size_t>(height * (1 + width * channels)));
  for (std::int64_t y = 0; y < height; ++y) {
    bytes.push_back(0);
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < channels; ++c) {
        bytes.push_back(from[(c * height + y) * width + x]);
      }
    }
  }
  return bytes;
}

}  // namespace

void write_png(const char* operation, const std::string& path, const Tensor& picture) {
  OutputFile file(operation, path);
  const std::vector<Bytef> plain = rows(picture);
  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, plain.data(),
                static_cast<uLong>(plain.size()), Z_DEFAULT_COMPRESSION) != Z_OK) {
    file.fail("cannot pack the picture");
  }
  packed.resize(size);

  std::string text = "\x89PNG\r\n\x1a\n";
  std::string header;
  put_number(header, static_cast<std::uint32_t>(picture.size(2)));
  put_number(header, static_cast<std::uint32_t>(picture.size(1)));
  // 8 bits; grey or RGB; the one way of packing, the one set of filters, rows in order.
  header += {8, static_cast<char>(picture.size(0) == 1 ? 0 : 2), 0, 0, 0};
  put_chunk(text, "IHDR", header);
  constexpr std::size_t kPart = std::size_t{1} << 30;  // a chunk's length is a 31-bit number
  for (std::size_t at = 0; at < packed.size(); at += kPart) {
    put_chunk(text, "IDAT", std::string_view(packed).substr(at, kPart));
  }
  put_chunk(text, "IEND", "");
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace xtape::data::detail
