// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/data/npy.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>

#include "../autograd/expect.hpp"
#include "../folders.hpp"
#include "files.hpp"

using test::Bytes;
using test::says;
using xtape::FileError;
using xtape::Shape;
using xtape::Tensor;
using xtape::ValueError;
using xtape::data::NamedTensors;
using xtape::data::read_npy;
using xtape::data::read_npz;
using xtape::data::write_npy;
using xtape::data::write_npz;
using xtape::test::elements;

namespace {

Bytes npy_of(const std::string& text, const Bytes& data = {}, int version = 1) {
  Bytes bytes{0x93, 'N', 'U', 'M', 'P', 'Y', static_cast<std::uint8_t>(version), 0};
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    bytes.push_back(static_cast<std::uint8_t>(text.size() >> 8 * i));
  }
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

std::string dictionary(const std::string& descr, const std::string& shape,
                       const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

bool equal(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && elements(a) == elements(b);
}

std::string stored(const std::string& name) {
  return (xtape::test::source_folder() / "tests" / "reference" / "data" / name).string();
}

NamedTensors samples() {
  return {
      {"flags", xtape::tensor({1, 0, 1}, xtape::boolean)},
      {"weight", xtape::tensor({{1.5, -2, 3}, {4, 5, 1e-30}})},
      {"bytes", xtape::tensor({0, 128, 255}, xtape::uint8)},
      {"counts", xtape::tensor({-1, 1e15}, xtape::int64)},
      {"\xc3\xa4/b", xtape::tensor({0.1, 1e300}, xtape::float64)},
      {"scalar", xtape::scalar_tensor(2.5, xtape::float32)},
      {"empty", xtape::zeros({2, 0, 3})},
      {"zeros", xtape::zeros({100'000})},
      {"transposed", xtape::tensor({{1, 2, 3}, {4, 5, 6}}).t()},
  };
}

struct Fixture {
  test::Folder folder;
  std::string path = folder / "x.npy", archive = folder / "x.npz";

  void refuses(const Bytes& bytes, const std::string& text) {
    test::write_bytes(path, bytes);
    BOOST_CHECK_EXCEPTION(read_npy(path), FileError, says(text));
    BOOST_CHECK_EXCEPTION(read_npy(path), FileError, says("read_npy: " + path));
  }
  void refuses_archive(const Bytes& bytes, const std::string& text) {
    test::write_bytes(archive, bytes);
    BOOST_CHECK_EXCEPTION(read_npz(archive), FileError, says(text));
  }
};

// Where `what` first stands in the bytes.
std::size_t find(const Bytes& bytes, const std::string& what, std::size_t from = 0) {
  const auto at = std::search(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(),
                              what.begin(), what.end());
  BOOST_REQUIRE(at != bytes.end());
  return static_cast<std::size_t>(at - bytes.begin());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(data_npy, Fixture)

BOOST_AUTO_TEST_CASE(arrays_come_back) {
  for (const auto& [name, x] : samples()) {
    write_npy(path, x);
    BOOST_TEST(equal(read_npy(path), x), name);
    BOOST_TEST((test::read_bytes(path).size() -
                static_cast<std::size_t>(x.numel()) * item_size(x.dtype())) %
                   64 ==
               0u);
  }
  for (const bool compressed : {false, true}) {
    write_npz(archive, samples(), {.compressed = compressed});
    const NamedTensors back = read_npz(archive);
    BOOST_REQUIRE_EQUAL(back.size(), samples().size());
    for (std::size_t i = 0; i < back.size(); ++i) {
      BOOST_CHECK_EQUAL(back[i].first, samples()[i].first);
      BOOST_TEST(equal(back[i].second, samples()[i].second), back[i].first);
    }
  }
  BOOST_TEST(test::read_bytes(archive).size() < 10'000u);  // the zeros are packed
  write_npz(archive, {});
  BOOST_TEST(read_npz(archive).empty());
  BOOST_CHECK_EQUAL(folder.names().size(), 2u);  // nothing temporary is left
}

BOOST_AUTO_TEST_CASE(large_and_random_members) {
  xtape::manual_seed(3);
  const NamedTensors arrays{{"a", xtape::randn({300, 401})}, {"b", xtape::randint(0, 3, {70'001})}};
  for (const bool compressed : {false, true}) {
    write_npz(archive, arrays, {.compressed = compressed});
    const NamedTensors back = read_npz(archive);
    for (std::size_t i = 0; i < 2; ++i) BOOST_TEST(equal(back[i].second, arrays[i].second));
  }
}

BOOST_AUTO_TEST_CASE(files_of_numpy) {
  const Tensor matrix = xtape::tensor({{0, 0.25, 0.5}, {0.75, 1, 1.25}}, xtape::float64);
  BOOST_TEST(equal(read_npy(stored("matrix.npy")), matrix));
  BOOST_TEST(equal(read_npy(stored("version2.npy")), matrix));
  for (const char* name : {"stored.npz", "compressed.npz"}) {
    const NamedTensors arrays = read_npz(stored(name));
    const auto of = [&](const std::string& key) {
      return std::find_if(arrays.begin(), arrays.end(),
                          [&](const auto& entry) { return entry.first == key; })
          ->second;
    };
    BOOST_TEST(arrays.size() == 15u);
    BOOST_TEST(equal(of("f8"), matrix));
    BOOST_TEST(equal(of("f4"), matrix.to(xtape::float32)));
    BOOST_TEST(equal(of("f2"), matrix.to(xtape::float32)));
    BOOST_TEST(equal(of("fortran"), matrix));
    BOOST_TEST(of("fortran").strides()[0] == 1);
    BOOST_TEST(of("i8").data<std::int64_t>()[1] == std::int64_t{1} << 62);
    BOOST_TEST(equal(of("i4"), xtape::tensor({-1, 2147483647}, xtape::int64)));
    BOOST_TEST(equal(of("i2"), xtape::tensor({-1, 32767}, xtape::int64)));
    BOOST_TEST(equal(of("i1"), xtape::tensor({-128, 127}, xtape::int64)));
    BOOST_TEST(equal(of("u4"), xtape::tensor({4294967295}, xtape::int64)));
    BOOST_TEST(equal(of("u2"), xtape::tensor({65535}, xtape::int64)));
    BOOST_TEST(equal(of("u1"), xtape::tensor({0, 255}, xtape::uint8)));
    BOOST_TEST(equal(of("b1"), xtape::tensor({1, 0}, xtape::boolean)));
    BOOST_TEST(equal(of("scalar"), xtape::scalar_tensor(2.5, xtape::float64)));
    BOOST_TEST(equal(of("empty"), xtape::zeros({2, 0, 3}, xtape::float64)));
    BOOST_TEST(equal(of("repeated"), xtape::zeros({500}, xtape::float64)));
  }
}

// NumPy's own writer pads and orders in one way; any way that means the same is read.
BOOST_AUTO_TEST_CASE(headers_of_other_writers) {
  const Bytes one(8, 0);
  for (const char* text :
       {"{\"shape\":(1,),\"descr\":\"<f8\",\"fortran_order\":False}\n",
        "{'descr': '<f8', 'fortran_order': True, 'shape': (1,)}      \n",
        "{  'shape' : ( 1 , 1 ) , 'fortran_order': False, 'descr': '<f8' , }\n"}) {
    test::write_bytes(path, npy_of(text, one));
    BOOST_TEST(read_npy(path).numel() == 1);
    test::write_bytes(path, npy_of(text, one, 3));
    BOOST_TEST(read_npy(path).numel() == 1);
  }
}

BOOST_AUTO_TEST_CASE(damaged_arrays) {
  refuses({}, "not an .npy file: only 0 bytes");
  refuses(Bytes(20, 'x'), "not an .npy file: its first bytes differ");
  Bytes version = npy_of(dictionary("<f8", "(0,)"));
  version[6] = 4;
  refuses(version, "format 4.0 is not supported");
  Bytes length = npy_of(dictionary("<f8", "(0,)"));
  length[9] = 0xff;
  refuses(length, "header: its length says");

  const Bytes good = npy_of(dictionary("<f8", "(2,)"), Bytes(16, 0));
  for (std::size_t size = 0; size < good.size(); ++size) {
    test::write_bytes(path, {good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
    BOOST_CHECK_THROW(read_npy(path), FileError);
  }
  Bytes longer = good;
  longer.push_back(0);
  refuses(longer, "expected 16 bytes for <f8 [2], found 17");
  refuses(npy_of(dictionary("|b1", "(2,)"), {1, 2}), "neither 0 nor 1");
}

BOOST_AUTO_TEST_CASE(headers_that_are_refused) {
  const auto header = [&](const std::string& text, const std::string& why) {
    refuses(npy_of(text, Bytes(8, 0)), why);
  };
  header(dictionary(">f8", "(1,)"), "dtype '>f8' is not supported");
  header(dictionary("|O", "(1,)"), "dtype '|O' is not supported");
  header(dictionary("<c8", "(1,)"), "dtype '<c8' is not supported");
  header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}\n", "structured arrays");
  header(dictionary("<f8", "(1)"), "expected a tuple");
  header(dictionary("<f8", "(-1,)"), "expected a whole number");
  header(dictionary("<f8", "(99999999999999999999,)"), "a size is too large");
  header(dictionary("<f8", "(4611686018427387904, 4)"), "is too large");
  header(dictionary("<f8", "(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)"),
         "expected at most 16 dimensions");
  header(dictionary("<f8", "(1,)", "1"), "expected 'fortran_order' True or False");
  header("{'descr': '<f8', 'shape': (1,)}\n", "expected 'descr', 'fortran_order' and 'shape'");
  header("{'descr': '<f8', 'descr': '<f8', 'shape': (1,)}\n", "key 'descr' comes twice");
  header("{'descr': '<f8', 'more': 1}\n", "key 'more' is not known");
  header("{'descr': '<f8}\n", "a text does not end");
  header(dictionary("<f8", "(1,)") + "\n", "it does not end with its dictionary");
  header("", "expected '{' at position 0");
  // Sizes that are claimed cost nothing: the file is too short for them.
  header(dictionary("|u1", "(400000000000000000,)"), "expected 400000000000000000 bytes");
}

BOOST_AUTO_TEST_CASE(damaged_archives) {
  const NamedTensors two{{"a", xtape::tensor({1, 2, 3})}, {"b", xtape::zeros({4000})}};
  for (const bool compressed : {false, true}) {
    write_npz(archive, two, {.compressed = compressed});
    const Bytes good = test::read_bytes(archive);
    for (std::size_t size = 0; size < good.size(); size += 1 + size / 50) {
      test::write_bytes(archive, {good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
      BOOST_CHECK_THROW(read_npz(archive), FileError);
    }
    // Every byte turned: an error, or the same arrays where nothing depends on it.
    for (std::size_t i = 0; i < good.size(); i += 1 + (i > 300 && i + 400 < good.size() ? 97 : 0)) {
      Bytes bad = good;
      bad[i] ^= 0x55;
      test::write_bytes(archive, bad);
      try {
        const NamedTensors back = read_npz(archive);
        BOOST_REQUIRE_EQUAL(back.size(), 2u);
        BOOST_TEST(equal(back[0].second, two[0].second));
        BOOST_TEST(equal(back[1].second, two[1].second));
      } catch (const FileError&) {}
    }
  }
  refuses_archive({}, "not a zip archive");
  refuses_archive(Bytes(100, 0), "not a zip archive");
}

BOOST_AUTO_TEST_CASE(archives_that_lie) {
  const NamedTensors two{{"aa", xtape::tensor({1, 2, 3})}, {"bb", xtape::tensor({4, 5})}};
  write_npz(archive, two);
  const Bytes good = test::read_bytes(archive);
  const std::size_t directory = find(good, "PK\1\2"), second = find(good, "PK\1\2", directory + 1);
  const std::size_t end = find(good, "PK\5\6");
  const auto change = [&](std::size_t at, std::uint32_t value, int bytes, const std::string& why) {
    Bytes bad = good;
    for (int i = 0; i < bytes; ++i) {
      bad[at + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> 8 * i);
    }
    refuses_archive(bad, why);
  };
  change(directory + 8, 1, 2, "member 'aa.npy': encryption is not supported");
  change(directory + 10, 12, 2, "compression method 12 is not supported");
  change(directory + 16, 1, 4, "member 'aa.npy': its checksum is wrong");
  change(directory + 24, 1 << 30, 4, "member 'aa.npy': two sizes for stored bytes");
  change(second + 42, 0, 4, "it has another name where it is stored");
  change(second + 42, 1 << 30, 4, "would lie outside of the file");
  change(end + 10, 3, 2, "archives of several parts");
  change(end + 12, 1, 4, "its directory is not where it should be");
  change(end + 16, 1, 4, "its directory is not where it should be");

  // Both members at one place, under one name, which the directory gives twice.
  Bytes twice = good;
  std::copy_n(twice.begin() + static_cast<std::ptrdiff_t>(directory), second - directory,
              twice.begin() + static_cast<std::ptrdiff_t>(second));
  refuses_archive(twice, "member 'aa.npy' comes twice");

  // A few bytes that claim to unpack to gigabytes.
  write_npz(archive, {{"bomb", xtape::zeros({10})}}, {.compressed = true});
  Bytes bomb = test::read_bytes(archive);
  bomb[find(bomb, "PK\1\2") + 27] = 0x7f;
  refuses_archive(bomb, "bytes cannot unpack to");
  // More bytes in the member than its array has.
  Bytes more = good;
  const std::size_t shape = find(more, "(3,)");
  more[shape + 1] = '2';
  refuses_archive(more, "expected 8 bytes for <f4 [2], found 12");
  write_npz(archive, {{"x", xtape::zeros({1})}});
  Bytes renamed = test::read_bytes(archive);
  renamed[find(renamed, "x.npy") + 4] = 'z';
  renamed[find(renamed, "x.npy") + 4] = 'z';
  refuses_archive(renamed, "member 'x.npz': expected a name that ends with .npy");
}

BOOST_AUTO_TEST_CASE(what_writers_refuse) {
  const Tensor x = xtape::zeros({1});
  BOOST_CHECK_EXCEPTION(write_npy(path, Tensor()), ValueError,
                        says("write_npy: got an undefined tensor"));
  BOOST_CHECK_EXCEPTION(write_npz(archive, {{"", x}}), ValueError,
                        says("a name is empty, too long or holds a zero byte"));
  BOOST_CHECK_EXCEPTION(write_npz(archive, {{std::string("a\0b", 3), x}}), ValueError,
                        says("a name is empty, too long or holds a zero byte"));
  BOOST_CHECK_EXCEPTION(write_npz(archive, {{"a", x}, {"a", x}}), ValueError,
                        says("write_npz: name 'a' comes twice"));
  BOOST_CHECK_EXCEPTION(write_npz(archive, {{"a", Tensor()}}), ValueError,
                        says("array 'a' is undefined"));
  BOOST_CHECK_THROW(write_npy(folder / "none/x.npy", x), FileError);
  BOOST_TEST(folder.names().empty());
}

BOOST_AUTO_TEST_SUITE_END()
