// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// gzip files as streams of bytes; not part of the public interface.

#include <cstddef>
#include <cstdint>

#include "../autograd/owned.hpp"
#include "file.hpp"

namespace xtape::data::detail {

/// Whether the file starts as a gzip file does; leaves it at its start.
bool is_gzip(InputFile& file);

/// Reads the one member of a gzip file. Damage of any kind is a FileError.
class GzipReader {
 public:
  explicit GzipReader(InputFile& file);
  ~GzipReader();

  /// Unpacked bytes modulo 2^32, as the file's last four bytes claim.
  std::uint32_t claimed_size() const noexcept;
  /// Reads exactly `bytes`; a stream that ends before is an error.
  void read(void* to, std::size_t bytes);
  /// Reads and drops `bytes`, in bounded steps.
  void skip(std::uint64_t bytes);
  /// The stream must end here, its checksum right, and the file with it.
  void finish();
  /// Starts over from the first byte.
  void rewind();

 private:
  struct State;
  Owned<State> state_;
};

/// Packs what is written to it into a gzip file (with no name and no time: same bytes every time).
class GzipWriter {
 public:
  explicit GzipWriter(OutputFile& file);
  ~GzipWriter();
  void write(const void* from, std::size_t bytes);
  void finish();

 private:
  struct State;
  Owned<State> state_;
};

}  // namespace xtape::data::detail
