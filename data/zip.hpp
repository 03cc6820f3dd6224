// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// zip archives as .npz files need them: stored and deflated members, zip64; not part of the public
// interface. Format: APPNOTE.TXT 6.3.9 of PKWARE.

#include <cstdint>
#include <string>
#include <vector>

#include "../autograd/owned.hpp"
#include "file.hpp"

namespace xtape::data::detail {

struct ZipMember {
  std::string name;
  std::uint64_t size = 0;    ///< unpacked
  std::uint64_t packed = 0;  ///< in the file
  std::uint64_t header = 0;  ///< where it begins
  std::uint64_t data = 0;    ///< where its bytes begin
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// The members of an archive, in the order of its directory. Names, sizes and places are checked
/// against each other and against the file before anything is unpacked: members overlap neither
/// each other nor the directory, and none claims to unpack to more than deflate can make of it.
std::vector<ZipMember> read_zip_directory(InputFile& file);

/// The unpacked bytes of one member.
class ZipReader final : public Source {
 public:
  ZipReader(InputFile& file, const ZipMember& member);
  ~ZipReader();

  void read(void* to, std::size_t bytes) override;
  /// All bytes must have been read, and their checksum be right.
  void finish();

 private:
  std::string where() const override;

  struct State;
  Owned<State> state_;
};

/// Writes an archive with no times in it: the same bytes every time.
class ZipWriter {
 public:
  explicit ZipWriter(OutputFile& file) : file_(file) {}

  /// Adds a member of two pieces, a header and data.
  void add(const std::string& name, const std::string& header, const void* data, std::size_t bytes,
           bool compressed);
  void finish();

 private:
  void write(const void* from, std::size_t bytes);

  OutputFile& file_;
  std::uint64_t position_ = 0;
  std::vector<ZipMember> members_;
};

}  // namespace xtape::data::detail
