// SPDX-License-Identifier: BSD-3-Clause
// Format: http://yann.lecun.com/exdb/mnist/ (section "File formats").
#include "idx.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "../autograd/error.hpp"
#include "file.hpp"
#include "gzip.hpp"

namespace xtape::data {
namespace {

constexpr std::uint8_t kUint8 = 0x08;
constexpr std::uint64_t kDeflateRatio = 1032;  // a byte of deflate stands for no more than this
constexpr std::uint64_t kTrusted = std::uint64_t{1} << 26;
constexpr std::uint64_t kMaxPayload = std::numeric_limits<std::int64_t>::max() - 128;

struct Header {
  Shape shape;
  std::uint64_t payload = 0;  // bytes after the header
  std::uint64_t total() const { return payload + 4 + 4 * shape.size(); }
};

std::string hex(const std::uint8_t* bytes, int count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  for (int i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

// Source is an InputFile or a GzipReader.
template <class Source>
Header read_header(const detail::InputFile& file, Source& source) {
  std::uint8_t magic[4];
  source.read(magic, 4);
  if (magic[0] != 0 || magic[1] != 0) {
    file.fail("not an IDX file: expected it to start with 0x0000, found " + hex(magic, 2));
  }
  if (magic[2] != kUint8) {
    file.fail("expected elements of type 0x08 (uint8), found type " + hex(magic + 2, 1));
  }
  if (magic[3] < 1 || magic[3] > Shape::kMaxRank) {
    file.fail("expected 1 to " + std::to_string(Shape::kMaxRank) + " dimensions, found " +
              std::to_string(magic[3]));
  }
  Header header;
  header.payload = 1;
  bool overflow = false;
  for (int i = 0; i < magic[3]; ++i) {
    std::uint8_t b[4];
    source.read(b, 4);
    const std::uint32_t size = std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 |
                               std::uint32_t{b[2]} << 8 | std::uint32_t{b[3]};
    header.shape.push_back(size);
    overflow |= size != 0 && header.payload > kMaxPayload / size;
    header.payload *= size;
  }
  if (overflow || header.payload > kMaxPayload) {
    file.fail("shape " + to_string(header.shape) + " has more elements than 64 bits count");
  }
  return header;
}

[[noreturn]] void fail_total(const detail::InputFile& file, const Header& header,
                             std::uint64_t found, const char* what) {
  file.fail("shape " + to_string(header.shape) + ": expected " + std::to_string(header.total()) +
            what + std::to_string(found));
}

Tensor read_plain(detail::InputFile& file) {
  const Header header = read_header(file, file);
  if (header.total() != file.size()) fail_total(file, header, file.size(), " bytes, found ");
  Tensor x = xtape::detail::empty(uint8, header.shape);
  file.read(xtape::detail::fresh_data<std::uint8_t>(x), header.payload);
  return x;
}

Tensor read_packed(detail::InputFile& file) {
  detail::GzipReader packed(file);
  const Header header = read_header(file, packed);
  if (static_cast<std::uint32_t>(header.total()) != packed.claimed_size()) {
    fail_total(file, header, packed.claimed_size(),
               " unpacked bytes, the gzip file's last four bytes give (modulo 2^32) ");
  }
  if (header.total() / kDeflateRatio > file.size()) {
    fail_total(file, header, file.size(), " unpacked bytes, too many for a gzip file of ");
  }
  if (header.total() > kTrusted) {
    // Large enough to do harm where the claim is false: unpack once to see, then once to keep.
    packed.skip(header.payload);
    packed.finish();
    packed.rewind();
    packed.skip(header.total() - header.payload);
  }
  Tensor x = xtape::detail::empty(uint8, header.shape);
  packed.read(xtape::detail::fresh_data<std::uint8_t>(x), header.payload);
  packed.finish();
  return x;
}

}  // namespace

Tensor read_idx(const std::string& path) {
  detail::InputFile file("read_idx", path);
  return detail::is_gzip(file) ? read_packed(file) : read_plain(file);
}

void write_idx(const std::string& path, const Tensor& x) {
  if (!x.defined() || x.dtype() != uint8) {
    throw DTypeError("write_idx: expected a uint8 tensor, got " + x.description());
  }
  bool fits = x.dim() >= 1;
  std::vector<std::uint8_t> header = {0, 0, kUint8, static_cast<std::uint8_t>(x.dim())};
  for (const std::int64_t size : x.sizes()) {
    fits &= size <= std::numeric_limits<std::uint32_t>::max();
    for (int shift = 24; shift >= 0; shift -= 8) {
      header.push_back(static_cast<std::uint8_t>(size >> shift));
    }
  }
  if (!fits) {
    throw ShapeError("write_idx: expected 1 to 16 dimensions below 2^32, got " + x.description());
  }
  const Tensor dense = x.contiguous();
  const auto bytes = static_cast<std::size_t>(dense.numel());
  detail::OutputFile file("write_idx", path);
  if (path.ends_with(".gz")) {
    detail::GzipWriter packed(file);
    packed.write(header.data(), header.size());
    packed.write(dense.data<std::uint8_t>(), bytes);
    packed.finish();
  } else {
    file.write(header.data(), header.size());
    file.write(dense.data<std::uint8_t>(), bytes);
  }
  file.commit();
}

}  // namespace xtape::data
