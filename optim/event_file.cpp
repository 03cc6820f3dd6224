// SPDX-License-Identifier: BSD-3-Clause
// Formats: TFRecord (tensorflow.org/tutorials/load_data/tfrecord) with the messages Event, Summary
// and HistogramProto of tensorflow/core in protocol buffers' wire format (protobuf.dev).
#include "event_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "../autograd/error.hpp"

namespace xtape::optim {
namespace {

constexpr int kBins = 64;
constexpr std::size_t kMostWaiting = 1 << 16;

// CRC-32C (RFC 3720, appendix B.4), bits reflected.
std::uint32_t crc32c(const std::string& bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> rows{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t x = i;
      for (int bit = 0; bit < 8; ++bit) x = x >> 1 ^ (x & 1 ? 0x82f63b78U : 0);
      rows[i] = x;
    }
    return rows;
  }();
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(c)) & 255];
  return ~crc;
}

template <class T>
std::string little_endian(T x) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes += static_cast<char>(x >> 8 * i);
  return bytes;
}

// The format's own twist, for checksums of data that hold checksums.
std::string masked_checksum(const std::string& bytes) {
  return little_endian(std::rotr(crc32c(bytes), 15) + 0xa282ead8U);
}

// --- protocol buffers: a field is its number with its kind, and its value -----------------------

enum Kind : std::uint64_t { varint = 0, eight_bytes = 1, sized = 2, four_bytes = 5 };

std::string number(std::uint64_t x) {
  std::string bytes;
  for (; x >= 128; x >>= 7) bytes += static_cast<char>(x | 128);
  return bytes + static_cast<char>(x);
}

std::string key(std::uint64_t field, Kind kind) { return number(field << 3 | kind); }

std::string field(std::uint64_t name, const std::string& bytes) {
  return key(name, sized) + number(bytes.size()) + bytes;
}

std::string bits(double x) { return little_endian(std::bit_cast<std::uint64_t>(x)); }

std::string field(std::uint64_t name, double x) { return key(name, eight_bytes) + bits(x); }

std::string packed(std::uint64_t name, const std::vector<double>& numbers) {
  std::string bytes;
  for (const double x : numbers) bytes += bits(x);
  return field(name, bytes);
}

// Event.summary with one Summary.Value: its tag and what it is.
std::string summary(const std::string& tag, const std::string& content) {
  return field(5, field(1, field(1, tag) + content));
}

std::string event(const std::string& content, std::int64_t step = 0) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  return field(1, now.count()) + key(2, varint) + number(static_cast<std::uint64_t>(step)) +
         content;
}

// HistogramProto of the finite ones.
std::string histogram_of(const std::vector<double>& values) {
  double low = 0, high = 0, sum = 0, squares = 0, count = 0;
  for (const double x : values) {
    low = count == 0 ? x : std::min(low, x);
    high = count == 0 ? x : std::max(high, x);
    sum += x;
    squares += x * x;
    ++count;
  }
  // The last bin's limit is the greatest value itself, whatever rounding makes of the others.
  std::vector<double> limits, bins(kBins, 0.0);
  const double width = high / kBins - low / kBins;
  for (int i = 1; i < kBins; ++i) limits.push_back(low + width * i);
  limits.push_back(high);
  for (const double x : values) {
    const auto bin = std::lower_bound(limits.begin(), limits.end(), x) - limits.begin();
    ++bins[static_cast<std::size_t>(std::min<std::ptrdiff_t>(bin, kBins - 1))];
  }
  return field(1, low) + field(2, high) + field(3, count) + field(4, sum) + field(5, squares) +
         packed(6, limits) + packed(7, bins);
}

[[noreturn]] void fail(const std::string& path, int error) {
  throw FileError("EventFile: " + path + ": " + std::generic_category().message(error));
}

}  // namespace

EventFile::EventFile(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto stem = std::filesystem::path(folder) /
                    ("events.out.tfevents." +
                     std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count()) +
                     "." + std::to_string(::getpid()) + ".");
  // A file of one's own, however many are made in a second.
  for (int i = 0; descriptor_ < 0; ++i) {
    path_ = stem.string() + std::to_string(i);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) fail(path_, errno);
  }
  write(event(field(3, std::string("brain.Event:2"))));
}

EventFile::~EventFile() {
  try {
    flush();
  } catch (const FileError&) {  // nobody is left to hear of it
  }
  ::close(descriptor_);
}

void EventFile::scalar(const std::string& tag, double value, std::int64_t step) {
  const auto x = static_cast<float>(value);
  const std::string content = key(2, four_bytes) + little_endian(std::bit_cast<std::uint32_t>(x));
  write(event(summary(tag, content), step));
}

void EventFile::histogram(const std::string& tag, const Tensor& values, std::int64_t step) {
  if (!values.defined() || (values.dtype() != float32 && values.dtype() != float64)) {
    throw DTypeError("EventFile: expected floating numbers, got " + values.description());
  }
  const Tensor dense = values.detach().to(float64).contiguous();
  std::vector<double> finite;
  for (std::int64_t i = 0; i < dense.numel(); ++i) {
    if (std::isfinite(dense.data<double>()[i])) finite.push_back(dense.data<double>()[i]);
  }
  write(event(summary(tag, field(5, histogram_of(finite))), step));
}

void EventFile::write(const std::string& event) {
  const std::string length = little_endian(static_cast<std::uint64_t>(event.size()));
  waiting_ += length + masked_checksum(length) + event + masked_checksum(event);
  if (waiting_.size() > kMostWaiting) flush();
}

void EventFile::flush() {
  while (!waiting_.empty()) {
    const auto written = ::write(descriptor_, waiting_.data(), waiting_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path_, errno);
    waiting_.erase(0, static_cast<std::size_t>(written));
  }
}

}  // namespace xtape::optim
