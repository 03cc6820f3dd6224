// SPDX-License-Identifier: BSD-3-Clause
#include "file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "../autograd/error.hpp"

namespace xtape::data::detail {
namespace {

// One call moves at most this much: Linux moves no more than 2 GiB at once.
constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

std::string reason(int error) { return std::generic_category().message(error); }

[[noreturn]] void raise(const char* operation, const std::string& path, const std::string& what) {
  throw FileError(std::string(operation) + ": " + path + ": " + what);
}

// A link stays a link: what it points to is replaced.
std::string resolve(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result = resolved;
  std::free(resolved);
  return result;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

InputFile::InputFile(const char* operation, const std::string& path)
    : operation_(operation), path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail("cannot open: " + reason(errno));
  struct stat status;
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    fail("not a regular file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

void Source::fail(const std::string& what) const { throw FileError(where() + ": " + what); }

std::string InputFile::where() const { return std::string(operation_) + ": " + path_; }

std::size_t InputFile::read_some(void* to, std::size_t bytes) {
  for (;;) {
    const ssize_t got = ::read(descriptor_, to, std::min(bytes, kLargestTransfer));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) fail("cannot read: " + reason(errno));
  }
}

void InputFile::read(void* to, std::size_t bytes) {
  auto* next = static_cast<char*>(to);
  for (std::size_t left = bytes; left > 0;) {
    const std::size_t got = read_some(next, left);
    if (got == 0) {
      fail("expected " + std::to_string(bytes) + " more bytes, found " +
           std::to_string(bytes - left));
    }
    next += got;
    left -= got;
  }
}

void InputFile::seek(std::uint64_t position) {
  if (::lseek(descriptor_, static_cast<off_t>(position), SEEK_SET) < 0) {
    fail("cannot seek: " + reason(errno));
  }
}

std::shared_ptr<std::byte> InputFile::map() {
  const auto bytes = static_cast<std::size_t>(size_);
  void* start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor_, 0);
  if (start == MAP_FAILED) fail("cannot map to memory: " + reason(errno));
  return {static_cast<std::byte*>(start), [bytes](std::byte* s) { ::munmap(s, bytes); }};
}

OutputFile::OutputFile(const char* operation, const std::string& path)
    : operation_(operation), path_(resolve(path)) {
  // A device or a pipe would be replaced by a file of its name.
  struct stat old;
  const bool replaces = ::stat(path_.c_str(), &old) == 0;
  if (replaces && !S_ISREG(old.st_mode)) fail("not a regular file");
  static std::atomic<unsigned> counter{0};
  do {
    temporary_ = path_ + ".part-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail("cannot write: " + reason(errno));
  if (replaces) {
    // The new file keeps the old one's permissions; where that is refused, it has the default ones.
    [[maybe_unused]] const int ignored = ::fchmod(descriptor_, old.st_mode & 07777);
  }
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void OutputFile::fail(const std::string& what) const { raise(operation_, path_, what); }

void OutputFile::write(const void* from, std::size_t bytes) {
  const auto* next = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t done = ::write(descriptor_, next, std::min(bytes, kLargestTransfer));
    if (done < 0) {
      if (errno == EINTR) continue;
      fail("cannot write: " + reason(errno));
    }
    next += done;
    bytes -= static_cast<std::size_t>(done);
  }
}

void OutputFile::commit() {
  if (::fsync(descriptor_) != 0) fail("cannot flush: " + reason(errno));
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot write: " + reason(errno));
  ::close(descriptor_);
  descriptor_ = -1;
  // The name survives a power cut once the folder is flushed; some file systems refuse to, and the
  // file is complete all the same.
  const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

}  // namespace xtape::data::detail
