// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/data/safetensors.hpp>

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <cstring>

#include "files.hpp"

using test::Bytes;
using test::says;
using xtape::FileError;
using xtape::Shape;
using xtape::Tensor;
using xtape::data::Metadata;
using xtape::data::NamedTensors;
using xtape::data::read_safetensors;
using xtape::data::Safetensors;
using xtape::data::write_safetensors;

namespace {

Bytes file_of(const std::string& header, const Bytes& data = {}) {
  Bytes bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(header.size() >> 8 * i));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

// The header of one tensor "t".
std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"t":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

bool equal(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.value()->data, b.value()->data,
                     static_cast<std::size_t>(a.numel()) * item_size(a.dtype())) == 0;
}

bool lies_in_a_mapping(const Tensor& x) { return x.value()->storage->release != nullptr; }

struct Fixture {
  test::Folder folder;
  std::string path = folder / "x.safetensors";

  Tensor read_one(const std::string& header, const Bytes& data) {
    test::write_bytes(path, file_of(header, data));
    return read_safetensors(path).tensors.at(0).second;
  }
  void refuses(const Bytes& bytes, const std::string& text) {
    test::write_bytes(path, bytes);
    BOOST_CHECK_EXCEPTION(read_safetensors(path), FileError, says(text));
    BOOST_CHECK_EXCEPTION(read_safetensors(path, {.mmap = true}), FileError, says(text));
    BOOST_CHECK_EXCEPTION(read_safetensors(path), FileError, says("read_safetensors: " + path));
  }
};

NamedTensors samples() {
  const std::uint8_t bytes[] = {0, 128, 255};
  return {
      {"a.bool", xtape::tensor({1, 0, 1}, xtape::boolean)},
      {"weight", xtape::tensor({{1.5, -2, 3}, {4, 5, 1e-30}})},
      {"b", xtape::from_values<std::uint8_t>(bytes, {3})},
      {"counts", xtape::tensor({-1, 1e15}, xtape::int64)},
      {"\xc3\xa4 \"quoted\"\n", xtape::tensor({0.1, 1e300}, xtape::float64)},
      {"scalar", xtape::scalar_tensor(2.5, xtape::float32)},
      {"empty", xtape::zeros({2, 0, 3})},
  };
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(data_safetensors, Fixture)

BOOST_AUTO_TEST_CASE(round_trips) {
  const NamedTensors tensors = samples();
  const Metadata metadata = {{"z", "last first"}, {"format", "pt"}, {"\xe2\x82\xac", "a \"b\" \\"}};
  write_safetensors(path, tensors, metadata);
  const Safetensors back = read_safetensors(path);
  BOOST_CHECK(back.metadata == metadata);
  BOOST_REQUIRE_EQUAL(back.tensors.size(), tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    BOOST_CHECK_EQUAL(back.tensors[i].first, tensors[i].first);
    BOOST_CHECK(equal(back.tensors[i].second, tensors[i].second));
  }
  write_safetensors(path, {});
  BOOST_CHECK(read_safetensors(path).tensors.empty());
  BOOST_CHECK_EQUAL(folder.names().size(), 1u);  // nothing temporary is left
}

BOOST_AUTO_TEST_CASE(mapped_tensors_are_those_that_are_read) {
  write_safetensors(path, samples(), {{"k", "v"}});
  const Safetensors mapped = read_safetensors(path, {.mmap = true});
  BOOST_CHECK(mapped.metadata == (Metadata{{"k", "v"}}));
  const NamedTensors read = read_safetensors(path).tensors;
  BOOST_REQUIRE_EQUAL(mapped.tensors.size(), read.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    BOOST_CHECK_EQUAL(mapped.tensors[i].first, read[i].first);
    BOOST_CHECK(equal(mapped.tensors[i].second, read[i].second));
    BOOST_CHECK(lies_in_a_mapping(mapped.tensors[i].second));
    BOOST_CHECK(!lies_in_a_mapping(read[i].second));
  }
}

// It outlives the file that it came from, and writing to it is nobody else's business.
BOOST_AUTO_TEST_CASE(a_mapped_tensor_is_a_value_of_its_own) {
  write_safetensors(path, {{"a", xtape::tensor({1, 2, 3})}, {"b", xtape::tensor({4, 5})}});
  const Bytes before = test::read_bytes(path);
  Tensor a = read_safetensors(path, {.mmap = true}).tensors.at(0).second;
  a.copy_(xtape::tensor({7, 8, 9}));
  BOOST_CHECK(test::read_bytes(path) == before);
  BOOST_CHECK(equal(read_safetensors(path).tensors[0].second, xtape::tensor({1, 2, 3})));
  write_safetensors(path, {{"a", a * 2}});
  std::filesystem::remove(path);
  BOOST_CHECK(equal(a, xtape::tensor({7, 8, 9})));
  a.requires_grad_();
  sum(a * a).backward();
  BOOST_CHECK(equal(a.grad(), xtape::tensor({14, 16, 18})));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_used_as_it_lies_is_copied) {
  // Other writers may leave elements where they are not aligned.
  const std::string header = entry("F32", "[1]", "[0,4]");
  const auto mapped = [&](const std::string& text, const Bytes& data) {
    test::write_bytes(path, file_of(text, data));
    return read_safetensors(path, {.mmap = true}).tensors.at(0).second;
  };
  const Bytes one = {0, 0, 128, 63};
  for (std::size_t spaces = 0; spaces < 4; ++spaces) {
    const std::string padded = header + std::string(spaces, ' ');
    const Tensor x = mapped(padded, one);
    BOOST_CHECK(equal(x, xtape::tensor({1})));
    BOOST_CHECK_EQUAL(lies_in_a_mapping(x), padded.size() % 4 == 0);
  }
  BOOST_CHECK(
      equal(mapped(entry("F16", "[2]", "[0,4]"), {0, 60, 0, 184}), xtape::tensor({1, -0.5})));
  BOOST_CHECK(equal(mapped(entry("F64", "[0]", "[0,0]"), {}), xtape::zeros({0}, xtape::float64)));
}

BOOST_AUTO_TEST_CASE(data_is_aligned) {
  write_safetensors(path, samples());
  const Bytes bytes = test::read_bytes(path);
  BOOST_CHECK_EQUAL(bytes[0] % 8, 0);
  const std::string text(bytes.begin(), bytes.end());
  // The eight-byte elements come first, then those of four, then bytes.
  BOOST_CHECK(text.find(R"("counts":{"data_offsets":[0,16])") != std::string::npos);
  BOOST_CHECK(text.find(R"("weight":{"data_offsets":[32,56])") != std::string::npos);
  BOOST_CHECK(text.find(R"("a.bool":{"data_offsets":[60,63])") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(views_are_written_as_they_look) {
  Tensor x = xtape::tensor({{1, 2, 3}, {4, 5, 6}});
  x.requires_grad_();
  write_safetensors(path, {{"t", x.t()}});
  BOOST_CHECK(
      equal(read_safetensors(path).tensors[0].second, xtape::tensor({{1, 4}, {2, 5}, {3, 6}})));
}

BOOST_AUTO_TEST_CASE(reads_what_the_python_library_writes) {
  // safetensors 0.8, numpy.save({"b": float16 [1, -0.5], "a": int16 [-2]}, {"k": "v"}).
  const Tensor half =
      read_one(R"({"__metadata__":{"k":"v"},"b":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
               R"("a":{"dtype":"I16","shape":[1],"data_offsets":[4,6]}}    )",
               {0x00, 0x3c, 0x00, 0xb8, 0xfe, 0xff});
  BOOST_CHECK(equal(half, xtape::tensor({1, -0.5})));
  const Safetensors all = read_safetensors(path);
  BOOST_CHECK(all.metadata == (Metadata{{"k", "v"}}));
  BOOST_CHECK(equal(all.tensors.at(1).second, xtape::tensor({-2}, xtape::int64)));
}

BOOST_AUTO_TEST_CASE(every_half_widens_to_its_value) {
  Bytes data;
  for (int bits = 0; bits < 65536; ++bits) {
    data.push_back(static_cast<std::uint8_t>(bits));
    data.push_back(static_cast<std::uint8_t>(bits >> 8));
  }
  const Tensor half = read_one(entry("F16", "[65536]", "[0,131072]"), data);
  const Tensor brain = read_one(entry("BF16", "[65536]", "[0,131072]"), data);
  const auto agrees = [](float x, double expected) {
    return std::isnan(expected) ? std::isnan(x)
                                : x == expected && std::signbit(x) == std::signbit(expected);
  };
  for (int bits = 0; bits < 65536; ++bits) {
    const double sign = bits & 0x8000 ? -1 : 1;
    // The definitions: exponent and fraction of 5 and 10 bits, and of 8 and 7.
    const auto value = [&](int exponent_bits, int fraction_bits) {
      const int fraction = bits & ((1 << fraction_bits) - 1);
      const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
      const int bias = (1 << (exponent_bits - 1)) - 1;
      if (exponent == (1 << exponent_bits) - 1) return fraction == 0 ? sign * HUGE_VAL : NAN;
      const int whole = exponent == 0 ? fraction : fraction + (1 << fraction_bits);
      return sign * std::ldexp(whole, std::max(exponent, 1) - bias - fraction_bits);
    };
    BOOST_REQUIRE(agrees(half.data<float>()[bits], value(5, 10)));
    BOOST_REQUIRE(agrees(brain.data<float>()[bits], value(8, 7)));
  }
}

BOOST_AUTO_TEST_CASE(integers_widen) {
  const Bytes ones(8, 0xff);
  const auto first = [&](const char* dtype, const char* count) {
    return read_one(entry(dtype, count, "[0,8]"), ones).data<std::int64_t>()[0];
  };
  BOOST_CHECK_EQUAL(first("I8", "[8]"), -1);
  BOOST_CHECK_EQUAL(first("I16", "[4]"), -1);
  BOOST_CHECK_EQUAL(first("I32", "[2]"), -1);
  BOOST_CHECK_EQUAL(first("U16", "[4]"), 65535);
  BOOST_CHECK_EQUAL(first("U32", "[2]"), 4294967295);
  BOOST_CHECK_EQUAL(first("I64", "[1]"), -1);
}

BOOST_AUTO_TEST_CASE(every_cut_and_every_tail_is_refused) {
  write_safetensors(folder / "whole", samples(), {{"k", "v"}});
  Bytes bytes = test::read_bytes(folder / "whole");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    test::write_bytes(path, Bytes(bytes.begin(), bytes.begin() + static_cast<long>(size)));
    BOOST_CHECK_THROW(read_safetensors(path), FileError);
    BOOST_CHECK_THROW(read_safetensors(path, {.mmap = true}), FileError);
  }
  bytes.push_back(0);
  refuses(bytes, "of data after the header, found");
}

BOOST_AUTO_TEST_CASE(flipped_bits_never_do_harm) {
  write_safetensors(folder / "whole", samples(), {{"k", "v"}});
  const Bytes whole = test::read_bytes(folder / "whole");
  int refused = 0, read = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes damaged = whole;
    damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ (1u << at * 5 % 8));
    test::write_bytes(path, damaged);
    try {
      BOOST_CHECK_LE(read_safetensors(path).tensors.size(), 7u);
      ++read;  // another name, another number: nothing in the format could tell
    } catch (const FileError&) {
      ++refused;
    }
  }
  BOOST_CHECK_GT(refused, 150);
  BOOST_CHECK_GT(read, 50);
}

BOOST_AUTO_TEST_CASE(damaged_headers_are_named) {
  const Bytes eight(8), four(4);
  refuses({1, 2, 3}, "found only 3 bytes");
  refuses({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '{', '}'},
          "expected a header of at most 2 bytes, its length says 18446744073709551615");
  refuses(file_of("[]"), "expected it to begin with '{'");
  refuses(file_of(" {}"), "expected it to begin with '{'");
  refuses(file_of("{\"a\":"), "header is not valid JSON");
  refuses(file_of("{}x"), "header is not valid JSON");
  refuses(file_of("{\"\xff\":{}}"), "header is not valid JSON");
  refuses(file_of("{\"a\":" + std::string(100000, '[')), "nested too deeply");
  refuses(file_of(R"({"a":1})"), "tensor 'a': expected an object");
  refuses(file_of(R"({"a":{"dtype":"F32","shape":[]}})"), "tensor 'a': expected an object");
  refuses(file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", four),
          "tensor 'a': expected an object");
  refuses(file_of(R"({"__metadata__":{"k":1}})"), "metadata 'k': expected a text");
  refuses(file_of(R"({"__metadata__":{"k":{"l":"m"}}})"), "metadata 'k': expected a text");
  refuses(file_of(R"({"__metadata__":[]})"), "expected '__metadata__' to be an object");
}

BOOST_AUTO_TEST_CASE(keys_that_come_twice_are_refused) {
  const std::string one = R"("t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  refuses(file_of("{" + one + "," + one + "}", {1}), "key 't' comes twice");
  refuses(file_of(R"({"t":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", {1}),
          "key 'dtype' comes twice");
  refuses(file_of(R"({"__metadata__":{"k":"v","k":"w"}})"), "key 'k' comes twice");
}

BOOST_AUTO_TEST_CASE(damaged_entries_are_named) {
  const Bytes four(4);
  refuses(file_of(entry("F99", "[1]", "[0,4]"), four), "dtype 'F99' is not supported");
  refuses(file_of(entry("U64", "[1]", "[0,8]"), Bytes(8)), "dtype 'U64' is not supported");
  refuses(file_of(entry("F32", "[2]", "[0,4]"), four),
          "tensor 't': expected 8 bytes for F32 [2], found data_offsets [0, 4]");
  refuses(file_of(entry("F32", "[-1]", "[0,4]"), four), "whole numbers from 0");
  refuses(file_of(entry("F32", "[1.0]", "[0,4]"), four), "whole numbers from 0");
  refuses(file_of(entry("F32", "[true]", "[0,4]"), four), "whole numbers from 0");
  refuses(file_of(entry("F32", "[18446744073709551615]", "[0,4]"), four), "whole numbers from 0");
  refuses(file_of(entry("F32", "1", "[0,4]"), four), "whole numbers from 0");
  refuses(file_of(entry("F32", "[1]", "[4,0]"), four), "[begin, end]");
  refuses(file_of(entry("F32", "[1]", "[0,4,8]"), four), "[begin, end]");
  refuses(file_of(entry("F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]"), four),
          "expected at most 16 dimensions, found 17");
  refuses(file_of(entry("F32", "[4294967296,4294967296,4294967296]", "[0,4]"), four),
          "shape [4294967296, 4294967296, 4294967296] is too large");
  refuses(file_of(entry("BOOL", "[2]", "[0,2]"), {1, 2}), "a BOOL is neither 0 nor 1");
  BOOST_CHECK_EXCEPTION(read_safetensors(folder / "none"), FileError, says("cannot open"));
}

BOOST_AUTO_TEST_CASE(data_that_is_not_covered_once_is_refused) {
  const auto two = [](const char* a, const char* b) {
    return R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + std::string(a) +
           R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + b + "}}";
  };
  test::write_bytes(path, file_of(two("[2,4]", "[0,2]"), {1, 2, 3, 4}));
  BOOST_CHECK_EQUAL(read_safetensors(path).tensors[0].second.data<std::uint8_t>()[0], 3);
  refuses(file_of(two("[0,2]", "[1,3]"), {1, 2, 3}), "tensor 'b': data starts at 1, overlapping");
  refuses(file_of(two("[0,2]", "[0,2]"), {1, 2}), "overlapping");
  refuses(file_of(two("[0,2]", "[3,5]"), Bytes(5)), "data starts at 3, leaving a gap after");
  refuses(file_of(two("[1,3]", "[3,5]"), Bytes(5)), "data starts at 1, leaving a gap after");
  refuses(file_of(two("[0,2]", "[2,4]"), Bytes(5)),
          "expected 4 bytes of data after the header, found 5");
  refuses(file_of(two("[0,2]", "[2,4]"), Bytes(3)), "expected 4 bytes of data");
}

BOOST_AUTO_TEST_CASE(a_false_size_allocates_nothing) {
  xtape::memory::reset_peak();
  const auto before = xtape::memory::stats().peak_bytes;
  refuses(file_of(entry("F32", "[1099511627776]", "[0,4398046511104]"), Bytes(4)),
          "expected 4398046511104 bytes of data after the header, found 4");
  BOOST_CHECK_LT(xtape::memory::stats().peak_bytes - before, 1 << 20);
}

BOOST_AUTO_TEST_CASE(writing_refuses_and_leaves_the_old_file) {
  const Tensor x = xtape::zeros({2});
  write_safetensors(path, {{"old", x}});
  const Bytes old = test::read_bytes(path);
  const auto throws = [&](const NamedTensors& tensors, const Metadata& metadata,
                          const std::string& text) {
    BOOST_CHECK_EXCEPTION(write_safetensors(path, tensors, metadata), xtape::ValueError,
                          says(text));
  };
  throws({{"a", x}, {"a", x}}, {}, "name 'a' comes twice");
  throws({{"__metadata__", x}}, {}, "'__metadata__' is reserved");
  throws({{"a", Tensor()}}, {}, "tensor 'a' is undefined");
  throws({{"\xff", x}}, {}, "must be UTF-8");
  throws({{"a", x}}, {{"k", "\xc3"}}, "must be UTF-8");
  throws({{"a", x}}, {{"k", "v"}, {"k", "w"}}, "metadata key 'k' comes twice");
  BOOST_CHECK(test::read_bytes(path) == old);
  BOOST_CHECK_EQUAL(folder.names().size(), 1u);
  BOOST_CHECK_THROW(write_safetensors(folder / "no/x", {}), FileError);
}

BOOST_AUTO_TEST_CASE(a_link_stays_a_link_and_permissions_stay) {
  write_safetensors(folder / "real", {});
  std::filesystem::permissions(folder / "real", std::filesystem::perms::owner_all);
  std::filesystem::create_symlink("real", folder / "link");
  write_safetensors(folder / "link", {{"a", xtape::zeros({2})}});
  BOOST_CHECK(std::filesystem::is_symlink(folder / "link"));
  BOOST_CHECK_EQUAL(read_safetensors(folder / "real").tensors.size(), 1u);
  BOOST_CHECK(std::filesystem::status(folder / "real").permissions() ==
              std::filesystem::perms::owner_all);
}

BOOST_AUTO_TEST_SUITE_END()
