// SPDX-License-Identifier: BSD-3-Clause
#include "gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <new>
#include <string>
#include <vector>

namespace xtape::data::detail {
namespace {

constexpr std::size_t kStep = std::size_t{1} << 18;
constexpr int kGzipOnly = MAX_WBITS + 16;  // zlib's flag for the gzip format, not zlib's own
constexpr std::size_t kSmallestFile = 18;  // header and trailer alone

}  // namespace

bool is_gzip(InputFile& file) {
  unsigned char magic[2];
  const bool found =
      file.size() >= 2 && (file.read(magic, 2), magic[0] == 0x1f && magic[1] == 0x8b);
  file.seek(0);
  return found;
}

struct GzipReader::State {
  InputFile& file;
  std::vector<Bytef> packed = std::vector<Bytef>(kStep);
  z_stream stream{};
  std::uint32_t claimed = 0;
  bool ended = false;

  explicit State(InputFile& f) : file(f) {
    if (file.size() < kSmallestFile) file.fail("cut gzip file of " + size_text() + " bytes");
    unsigned char last[4];
    file.seek(file.size() - 4);
    file.read(last, 4);
    file.seek(0);
    for (int i = 3; i >= 0; --i) claimed = claimed << 8 | last[i];
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~State() { inflateEnd(&stream); }

  std::string size_text() const { return std::to_string(file.size()); }

  // Unpacks up to `bytes`, less only where the stream ends.
  std::size_t unpack(Bytef* to, std::size_t bytes) {
    stream.next_out = to;
    stream.avail_out = static_cast<uInt>(bytes);
    while (stream.avail_out > 0 && !ended) {
      if (stream.avail_in == 0) {
        stream.next_in = packed.data();
        stream.avail_in = static_cast<uInt>(file.read_some(packed.data(), packed.size()));
        if (stream.avail_in == 0) {
          file.fail("cut gzip file: its " + size_text() + " bytes end in the middle of the stream");
        }
      }
      const int code = inflate(&stream, Z_NO_FLUSH);
      if (code == Z_MEM_ERROR) throw std::bad_alloc();
      if (code != Z_OK && code != Z_STREAM_END) {
        file.fail(std::string("damaged gzip file: ") +
                  (stream.msg != nullptr ? stream.msg : "a preset dictionary is asked for"));
      }
      ended = code == Z_STREAM_END;
    }
    return bytes - stream.avail_out;
  }
};

GzipReader::GzipReader(InputFile& file) : state_(Owned<State>::make(file)) {}
GzipReader::~GzipReader() = default;

std::uint32_t GzipReader::claimed_size() const noexcept { return state_->claimed; }

void GzipReader::read(void* to, std::size_t bytes) {
  auto* next = static_cast<Bytef*>(to);
  for (std::size_t left = bytes; left > 0;) {
    const std::size_t step = std::min(left, kStep);
    const std::size_t got = state_->unpack(next, step);
    next += got;
    left -= got;
    if (got < step) {
      state_->file.fail("expected " + std::to_string(bytes) + " more unpacked bytes, found " +
                        std::to_string(bytes - left));
    }
  }
}

void GzipReader::skip(std::uint64_t bytes) {
  std::vector<Bytef> scratch(std::min<std::uint64_t>(bytes, kStep));
  for (std::uint64_t left = bytes; left > 0;) {
    const std::size_t step = std::min<std::uint64_t>(left, kStep);
    const std::size_t got = state_->unpack(scratch.data(), step);
    left -= got;
    if (got < step) {
      state_->file.fail("expected " + std::to_string(bytes) + " more unpacked bytes, found " +
                        std::to_string(bytes - left));
    }
  }
}

void GzipReader::finish() {
  Bytef extra;
  if (state_->unpack(&extra, 1) != 0) state_->file.fail("unpacked bytes after the end of the data");
  unsigned char trailing;
  if (state_->stream.avail_in != 0 || state_->file.read_some(&trailing, 1) != 0) {
    state_->file.fail("bytes after the end of the gzip stream");
  }
}

void GzipReader::rewind() {
  state_->file.seek(0);
  inflateReset(&state_->stream);
  state_->stream.avail_in = 0;
  state_->ended = false;
}

struct GzipWriter::State {
  OutputFile& file;
  std::vector<Bytef> packed = std::vector<Bytef>(kStep);
  z_stream stream{};

  explicit State(OutputFile& f) : file(f) {
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipOnly, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~State() { deflateEnd(&stream); }

  void pack(int flush) {
    do {
      stream.next_out = packed.data();
      stream.avail_out = static_cast<uInt>(packed.size());
      deflate(&stream, flush);
      file.write(packed.data(), packed.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }
};

GzipWriter::GzipWriter(OutputFile& file) : state_(Owned<State>::make(file)) {}
GzipWriter::~GzipWriter() = default;

void GzipWriter::write(const void* from, std::size_t bytes) {
  const auto* next = static_cast<const Bytef*>(from);
  while (bytes > 0) {
    const std::size_t step = std::min(bytes, kStep);
    state_->stream.next_in = const_cast<Bytef*>(next);
    state_->stream.avail_in = static_cast<uInt>(step);
    state_->pack(Z_NO_FLUSH);
    next += step;
    bytes -= step;
  }
}

void GzipWriter::finish() { state_->pack(Z_FINISH); }

}  // namespace xtape::data::detail
