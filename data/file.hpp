// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Files as the readers and writers of this folder see them; not part of the public interface.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace xtape::data::detail {

/// Where bytes are read from, one after the other.
class Source {
 public:
  /// Reads exactly `bytes`; an end before is an error.
  virtual void read(void* to, std::size_t bytes) = 0;
  /// Throws FileError "operation: path: what".
  [[noreturn]] void fail(const std::string& what) const;

 protected:
  ~Source() = default;
  /// "operation: path"
  virtual std::string where() const = 0;
};

/// A regular file open for reading. Every failure is a FileError "operation: path: what".
class InputFile final : public Source {
 public:
  InputFile(const char* operation, const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Bytes in the file when it was opened.
  std::uint64_t size() const noexcept { return size_; }
  void read(void* to, std::size_t bytes) override;
  /// Reads up to `bytes`; 0 at the end.
  std::size_t read_some(void* to, std::size_t bytes);
  void seek(std::uint64_t position);
  /// The whole file in memory, which this process alone sees change.
  std::shared_ptr<std::byte> map();
  std::string where() const override;

 private:
  const char* operation_;
  std::string path_;
  int descriptor_;
  std::uint64_t size_;
};

/// A file that appears whole or not at all: written beside `path` under another name, flushed,
/// renamed by `commit`, and the folder flushed. Without `commit` nothing remains.
class OutputFile {
 public:
  OutputFile(const char* operation, const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(const void* from, std::size_t bytes);
  void commit();
  [[noreturn]] void fail(const std::string& what) const;

 private:
  const char* operation_;
  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
};

}  // namespace xtape::data::detail
