// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/optim/event_file.hpp>

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "../data/files.hpp"

// Files are decoded by the letter of the formats, bit by bit, not by the writer's own code.
namespace {

using namespace xtape;
using ::test::Bytes;
using ::test::says;

// CRC-32C by long division.
std::uint32_t checksum(const Bytes& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t b : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool odd = (crc ^ static_cast<std::uint32_t>(b >> bit)) & 1;
      crc = crc >> 1 ^ (odd ? 0x82f63b78 : 0);
    }
  }
  return ~crc;
}

std::uint64_t little(const Bytes& bytes, std::size_t at, std::size_t count) {
  std::uint64_t x = 0;
  for (std::size_t i = count; i-- > 0;) x = x << 8 | bytes.at(at + i);
  return x;
}

Bytes part(const Bytes& bytes, std::size_t at, std::size_t count) {
  BOOST_REQUIRE(at + count <= bytes.size());
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  return Bytes(begin, begin + static_cast<std::ptrdiff_t>(count));
}

std::vector<Bytes> records(const Bytes& file) {
  const auto masked = [](const Bytes& bytes) {
    const std::uint32_t crc = checksum(bytes);
    return static_cast<std::uint32_t>((crc >> 15 | crc << 17) + 0xa282ead8);
  };
  std::vector<Bytes> found;
  for (std::size_t at = 0; at < file.size();) {
    const auto length = static_cast<std::size_t>(little(file, at, 8));
    BOOST_TEST(little(file, at + 8, 4) == masked(part(file, at, 8)));
    found.push_back(part(file, at + 12, length));
    BOOST_TEST(little(file, at + 12 + length, 4) == masked(found.back()));
    at += 16 + length;
  }
  return found;
}

// A message's fields: numbers and their values, as bytes or as a number.
struct Field {
  Bytes bytes;
  std::uint64_t number = 0;
};
using Message = std::multimap<std::uint64_t, Field>;

Message parse(const Bytes& bytes) {
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t x = 0;
    for (int shift = 0;; shift += 7) {
      const std::uint8_t b = bytes.at(at++);
      x |= std::uint64_t{b & 127U} << shift;
      if (b < 128) return x;
    }
  };
  Message message;
  while (at < bytes.size()) {
    const std::uint64_t key = varint();
    Field field;
    if ((key & 7) == 0) {
      field.number = varint();
    } else if ((key & 7) == 2) {
      const auto size = static_cast<std::size_t>(varint());
      field.bytes = part(bytes, at, size);
      at += size;
    } else {
      const std::size_t size = (key & 7) == 1 ? 8 : 4;
      BOOST_REQUIRE(((key & 7) == 1 || (key & 7) == 5));
      field.number = little(bytes, at, size);
      at += size;
    }
    message.emplace(key >> 3, field);
  }
  return message;
}

const Field& one(const Message& message, std::uint64_t name) {
  BOOST_REQUIRE(message.count(name) == 1);
  return message.find(name)->second;
}

double number(const Message& message, std::uint64_t name) {
  return std::bit_cast<double>(one(message, name).number);
}

std::vector<double> numbers(const Message& message, std::uint64_t name) {
  const Bytes& bytes = one(message, name).bytes;
  std::vector<double> found;
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    found.push_back(std::bit_cast<double>(little(bytes, at, 8)));
  }
  return found;
}

// The Summary.Value of an event.
Message value_of(const Bytes& record) {
  return parse(one(parse(one(parse(record), 5).bytes), 1).bytes);
}

std::string text(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

std::vector<Bytes> read(const optim::EventFile& file) {
  return records(::test::read_bytes(file.path()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_event_file)

BOOST_AUTO_TEST_CASE(scalars) {
  const ::test::Folder folder;
  optim::EventFile file(folder / "runs");
  file.scalar("loss", 0.25, 1);
  file.scalar("val_loss", std::numeric_limits<double>::quiet_NaN(), 300);
  file.flush();
  const auto found = read(file);
  BOOST_REQUIRE(found.size() == 3u);
  BOOST_TEST(text(one(parse(found[0]), 3).bytes) == "brain.Event:2");
  const double now = number(parse(found[1]), 1);
  BOOST_TEST((now > 1.7e9 && now < 1e11));  // seconds since 1970
  BOOST_TEST(one(parse(found[1]), 2).number == 1u);
  BOOST_TEST(one(parse(found[2]), 2).number == 300u);
  const Message loss = value_of(found[1]), val_loss = value_of(found[2]);
  BOOST_TEST(text(one(loss, 1).bytes) == "loss");
  BOOST_TEST(std::bit_cast<float>(static_cast<std::uint32_t>(one(loss, 2).number)) == 0.25F);
  BOOST_TEST(text(one(val_loss, 1).bytes) == "val_loss");
  BOOST_TEST(std::isnan(std::bit_cast<float>(static_cast<std::uint32_t>(one(val_loss, 2).number))));
}

BOOST_AUTO_TEST_CASE(histograms) {
  const ::test::Folder folder;
  optim::EventFile file(folder / "runs");
  std::vector<double> x(640);
  std::iota(x.begin(), x.end(), 0.0);
  x.push_back(std::numeric_limits<double>::infinity());
  file.histogram("w", from_values(std::span<const double>(x), {641}), 7);
  file.histogram("equal", full({3}, 2.5), 8);
  file.histogram("none", zeros({0}), 9);
  file.flush();
  const auto found = read(file);
  BOOST_REQUIRE(found.size() == 4u);
  const Message w = parse(one(value_of(found[1]), 5).bytes);
  BOOST_TEST(number(w, 1) == 0);
  BOOST_TEST(number(w, 2) == 639);
  BOOST_TEST(number(w, 3) == 640);
  BOOST_TEST(number(w, 4) == 639 * 320);
  BOOST_TEST(number(w, 5) == 639.0 * 640 * 1279 / 6);
  const std::vector<double> limits = numbers(w, 6), counts = numbers(w, 7);
  BOOST_TEST(limits.size() == 64u);
  BOOST_TEST(counts.size() == 64u);
  BOOST_TEST(limits.back() == 639);
  for (std::size_t i = 0; i < 64; ++i) {
    double inside = 0;
    for (int v = 0; v < 640; ++v) inside += v <= limits[i] && (i == 0 || v > limits[i - 1]);
    BOOST_TEST(counts[i] == inside);
  }
  const Message equal = parse(one(value_of(found[2]), 5).bytes);
  const std::vector<double> bins = numbers(equal, 7);
  BOOST_TEST(std::accumulate(bins.begin(), bins.end(), 0.0) == 3);
  BOOST_TEST(number(parse(one(value_of(found[3]), 5).bytes), 3) == 0);
  BOOST_CHECK_THROW(file.histogram("n", arange(3), 1), DTypeError);
  BOOST_CHECK_THROW(file.histogram("n", Tensor(), 1), DTypeError);
}

BOOST_AUTO_TEST_CASE(every_file_is_a_new_one_and_ends_whole) {
  const ::test::Folder folder;
  std::string first;
  {
    optim::EventFile a(folder / "runs"), b(folder / "runs");
    BOOST_TEST(a.path() != b.path());
    BOOST_TEST(a.path().find("events.out.tfevents.") != std::string::npos);
    a.scalar("x", 1, 1);
    first = a.path();
  }
  BOOST_TEST(records(::test::read_bytes(first)).size() == 2u);
  ::test::write_bytes(folder / "file", {1});
  BOOST_CHECK_EXCEPTION(optim::EventFile(folder / "file"), FileError, says("EventFile: "));
}

BOOST_AUTO_TEST_SUITE_END()
