// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/data/idx.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <numeric>

#include "../folders.hpp"
#include "files.hpp"

using test::Bytes;
using test::says;
using xtape::FileError;
using xtape::Shape;
using xtape::Tensor;
using xtape::data::read_idx;
using xtape::data::write_idx;

namespace {

Tensor counted(const Shape& shape) {
  Bytes values(static_cast<std::size_t>(shape.numel()));
  std::iota(values.begin(), values.end(), std::uint8_t{3});
  return xtape::from_values<std::uint8_t>(values, shape);
}

bool equal(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         std::equal(a.data<std::uint8_t>(), a.data<std::uint8_t>() + a.numel(),
                    b.data<std::uint8_t>());
}

struct Fixture {
  test::Folder folder;
  std::string path = folder / "x";

  void refuses(const Bytes& bytes, const std::string& text) {
    test::write_bytes(path, bytes);
    BOOST_CHECK_EXCEPTION(read_idx(path), FileError, says(text));
    BOOST_CHECK_EXCEPTION(read_idx(path), FileError, says("read_idx: " + path));
  }
};

void put_little(Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
}

// gzip's checksum, bit by bit (RFC 1952, section 8).
std::uint32_t crc32(const Bytes& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t b : bytes) {
    crc ^= b;
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(data_idx, Fixture)

BOOST_AUTO_TEST_CASE(reads_bytes_as_the_format_says) {
  test::write_bytes(path, {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 10, 11, 12, 13, 14, 255});
  const Tensor x = read_idx(path);
  BOOST_CHECK(x.dtype() == xtape::uint8);
  BOOST_CHECK(x.shape() == (Shape{2, 3}));
  const Bytes expected = {10, 11, 12, 13, 14, 255};
  BOOST_CHECK_EQUAL_COLLECTIONS(x.data<std::uint8_t>(), x.data<std::uint8_t>() + 6,
                                expected.begin(), expected.end());
}

BOOST_AUTO_TEST_CASE(round_trips) {
  for (const Shape& shape : {Shape{7}, Shape{3, 4, 5}, Shape{300, 28, 28}, Shape{0, 28, 28}}) {
    for (const char* name : {"x-idx", "x-idx.gz"}) {
      const Tensor x = counted(shape);
      write_idx(folder / name, x);
      BOOST_CHECK(equal(read_idx(folder / name), x));
    }
  }
  BOOST_CHECK_EQUAL(test::read_bytes(folder / "x-idx.gz")[0], 0x1f);
  BOOST_CHECK_EQUAL(folder.names().size(), 2u);  // nothing temporary is left
}

BOOST_AUTO_TEST_CASE(writes_a_view_as_it_looks) {
  write_idx(path, counted({2, 3}).t());
  const Bytes bytes = test::read_bytes(path);
  const Bytes expected = {0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 2, 3, 6, 4, 7, 5, 8};
  BOOST_CHECK_EQUAL_COLLECTIONS(bytes.begin(), bytes.end(), expected.begin(), expected.end());
}

BOOST_AUTO_TEST_CASE(every_cut_is_refused) {
  const Tensor x = counted({3, 5, 4});
  for (const char* name : {"x", "x.gz"}) {
    write_idx(folder / name, x);
    const Bytes whole = test::read_bytes(folder / name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      test::write_bytes(path, Bytes(whole.begin(), whole.begin() + static_cast<long>(size)));
      BOOST_CHECK_THROW(read_idx(path), FileError);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_of_a_gzip_file_is_noticed) {
  const Tensor x = counted({3, 5, 4});
  write_idx(folder / "x.gz", x);
  const Bytes whole = test::read_bytes(folder / "x.gz");
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes damaged = whole;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1u << bit % 8));
    test::write_bytes(path, damaged);
    try {
      BOOST_CHECK(equal(read_idx(path), x));  // the time of the file and the like
    } catch (const FileError&) {
      ++refused;
    }
  }
  BOOST_CHECK_GT(refused, static_cast<int>(8 * (whole.size() - 10)) - 16);
}

BOOST_AUTO_TEST_CASE(damage_is_named) {
  refuses({}, "expected 4 more bytes, found 0");
  refuses({1, 2, 8, 1, 0, 0, 0, 0}, "expected it to start with 0x0000, found 0x0102");
  refuses({0, 0, 13, 1, 0, 0, 0, 0}, "expected elements of type 0x08 (uint8), found type 0x0d");
  refuses({0, 0, 8, 0}, "expected 1 to 16 dimensions, found 0");
  refuses({0, 0, 8, 17}, "expected 1 to 16 dimensions, found 17");
  refuses({0, 0, 8, 1, 0, 0, 0, 2, 9, 9, 9}, "shape [2]: expected 10 bytes, found 11");
  refuses({0, 0, 8, 1, 0, 0, 0, 2, 9}, "shape [2]: expected 10 bytes, found 9");
  refuses({0x1f, 0x8b, 8}, "cut gzip file of 3 bytes");
  BOOST_CHECK_EXCEPTION(read_idx(folder / "none"), FileError, says("cannot open: No such file"));
  BOOST_CHECK_EXCEPTION(read_idx(folder.path().string()), FileError, says("not a regular file"));

  write_idx(folder / "x.gz", counted({64}));
  Bytes packed = test::read_bytes(folder / "x.gz");
  Bytes checksum = packed;
  checksum[packed.size() - 6] ^= 1;  // of the CRC
  refuses(checksum, "damaged gzip file: incorrect data check");
  packed.resize(packed.size() + 4);
  put_little(packed, packed.size() - 4, 8 + 64);  // trailing bytes that look like the size
  refuses(packed, "bytes after the end of the gzip stream");
}

BOOST_AUTO_TEST_CASE(a_second_gzip_member_is_refused) {
  write_idx(folder / "x.gz", counted({64}));
  const Bytes once = test::read_bytes(folder / "x.gz");
  Bytes twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  refuses(twice, "bytes after the end of the gzip stream");
}

BOOST_AUTO_TEST_CASE(a_false_size_allocates_nothing) {
  const auto peak_of = [&](const Bytes& bytes, const std::string& text) {
    xtape::memory::reset_peak();
    const auto before = xtape::memory::stats().peak_bytes;
    refuses(bytes, text);
    return xtape::memory::stats().peak_bytes - before;
  };
  constexpr std::int64_t kLittle = 1 << 20;
  const Bytes huge = {0, 0, 8, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 1, 2, 3};
  BOOST_CHECK_LT(peak_of(huge, "expected 281470681677837 bytes, found 15"), kLittle);
  const Bytes beyond = {0,    0,    8,    3,    0xff, 0xff, 0xff, 0xff,
                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  BOOST_CHECK_LT(peak_of(beyond, "more elements than 64 bits count"), kLittle);

  // Packed: noise that does not shrink, under a header that claims 300 MiB.
  Bytes content = {0, 0, 8, 2, 0, 0, 0, 1, 0, 9, 0x27, 0xc0};  // [1, 600000]
  const std::size_t header = content.size();
  std::uint32_t state = 1;
  for (int i = 0; i < 600'000; ++i) {
    state = state * 1664525 + 1013904223;
    content.push_back(static_cast<std::uint8_t>(state >> 24));
  }
  write_idx(folder / "noise.gz", xtape::from_values<std::uint8_t>(
                                     Bytes(content.begin() + 12, content.end()), {1, 600'000}));
  Bytes packed = test::read_bytes(folder / "noise.gz");
  // Noise is stored as it is, so that the array's header can be found and changed.
  const auto at = std::search(packed.begin(), packed.end(), content.begin(),
                              content.begin() + static_cast<long>(header));
  BOOST_REQUIRE(at != packed.end());
  const auto claim = [&](std::uint32_t rows) {
    at[6] = content[6] = static_cast<std::uint8_t>(rows >> 8);
    at[7] = content[7] = static_cast<std::uint8_t>(rows);
    put_little(packed, packed.size() - 8, crc32(content));
  };
  claim(512);
  BOOST_CHECK_LT(peak_of(packed, "the gzip file's last four bytes give (modulo 2^32) 600012"),
                 kLittle);
  put_little(packed, packed.size() - 4, 512 * 600'000 + 12);
  BOOST_CHECK_LT(peak_of(packed, "damaged gzip file: incorrect length check"), kLittle);
  claim(8192);
  put_little(packed, packed.size() - 4, static_cast<std::uint32_t>(8192ull * 600'000 + 12));
  BOOST_CHECK_LT(peak_of(packed, "too many for a gzip file of"), kLittle);
}

BOOST_AUTO_TEST_CASE(a_large_file_is_read_after_a_first_look) {
  const Tensor x = xtape::zeros({68, 1024, 1024}, xtape::uint8);
  write_idx(folder / "zeros.gz", x);
  BOOST_CHECK(equal(read_idx(folder / "zeros.gz"), x));
}

BOOST_AUTO_TEST_CASE(writing_refuses_what_the_format_cannot_hold) {
  BOOST_CHECK_EXCEPTION(write_idx(path, xtape::zeros({2})), xtape::DTypeError,
                        says("expected a uint8 tensor, got float32 [2]"));
  BOOST_CHECK_THROW(write_idx(path, Tensor()), xtape::DTypeError);
  BOOST_CHECK_THROW(write_idx(path, xtape::zeros({}, xtape::uint8)), xtape::ShapeError);
  BOOST_CHECK_EXCEPTION(write_idx(folder / "no/x", counted({2})), FileError, says("cannot write"));
  BOOST_CHECK(folder.names().empty());
}

BOOST_AUTO_TEST_CASE(reads_mnist) {
  const auto data = xtape::test::data_folder();
  if (!data) {
    BOOST_TEST_MESSAGE("skipped: no real data (set XTAPE_DATA_DIR)");
    BOOST_CHECK(true);
    return;
  }
  const Tensor images = read_idx((*data / "mnist" / "t10k-images-idx3-ubyte.gz").string());
  const Tensor labels = read_idx((*data / "mnist" / "t10k-labels-idx1-ubyte.gz").string());
  BOOST_CHECK(images.shape() == (Shape{10000, 28, 28}));
  BOOST_CHECK(labels.shape() == (Shape{10000}));
  // The first test digit is the well-known 7; 980 of the ten thousand are zeros.
  BOOST_CHECK_EQUAL(labels.data<std::uint8_t>()[0], 7);
  BOOST_CHECK_EQUAL(std::count(labels.data<std::uint8_t>(), labels.data<std::uint8_t>() + 10000, 0),
                    980);
  const auto total = std::accumulate(images.data<std::uint8_t>(),
                                     images.data<std::uint8_t>() + images.numel(), 0.0);
  BOOST_CHECK_CLOSE(total / static_cast<double>(images.numel()) / 255, 0.1325, 0.1);
}

BOOST_AUTO_TEST_SUITE_END()
