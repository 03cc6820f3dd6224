// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/data/cifar.hpp>

#include <boost/test/unit_test.hpp>

#include "files.hpp"

using test::Bytes;
using test::says;
using xtape::FileError;
using xtape::Shape;
using namespace xtape::data;

namespace {

// Records of these labels; pixel p of record r is r + 7 p.
Bytes records(const std::vector<Bytes>& labels) {
  Bytes bytes;
  for (std::size_t r = 0; r < labels.size(); ++r) {
    bytes.insert(bytes.end(), labels[r].begin(), labels[r].end());
    for (std::size_t p = 0; p < 3072; ++p) bytes.push_back(static_cast<std::uint8_t>(r + 7 * p));
  }
  return bytes;
}

struct Fixture {
  test::Folder folder;
  std::string path = folder / "batch.bin";
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(data_cifar, Fixture)

BOOST_AUTO_TEST_CASE(reads_cifar10) {
  test::write_bytes(path, records({{6}, {9}, {0}}));
  const ColourImages found = read_cifar10(path);
  BOOST_CHECK(found.images.shape() == (Shape{3, 3, 32, 32}));
  BOOST_CHECK(found.labels.shape() == (Shape{3}));
  BOOST_CHECK(!found.coarse_labels.defined());
  const std::int64_t expected[] = {6, 9, 0};
  for (std::int64_t r = 0; r < 3; ++r) {
    BOOST_CHECK_EQUAL(found.labels.data<std::int64_t>()[r], expected[r]);
    for (const std::int64_t p : {0, 1, 1024, 3071}) {
      BOOST_CHECK_EQUAL(found.images.data<std::uint8_t>()[3072 * r + p],
                        static_cast<std::uint8_t>(r + 7 * p));
    }
  }
}

BOOST_AUTO_TEST_CASE(reads_cifar100) {
  test::write_bytes(path, records({{19, 99}, {3, 20}}));
  const ColourImages found = read_cifar100(path);
  BOOST_CHECK(found.images.shape() == (Shape{2, 3, 32, 32}));
  BOOST_CHECK_EQUAL(found.coarse_labels.data<std::int64_t>()[0], 19);
  BOOST_CHECK_EQUAL(found.labels.data<std::int64_t>()[0], 99);
  BOOST_CHECK_EQUAL(found.labels.data<std::int64_t>()[1], 20);
  BOOST_CHECK_EQUAL(found.images.data<std::uint8_t>()[3072 + 1], 8);
}

BOOST_AUTO_TEST_CASE(files_that_are_none) {
  BOOST_CHECK_THROW(read_cifar10(path), FileError);
  Bytes bytes = records({{6}, {9}});
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, bytes.size() - 1}) {
    test::write_bytes(path, Bytes(bytes.begin(), bytes.begin() + static_cast<long>(size)));
    BOOST_CHECK_EXCEPTION(read_cifar10(path), FileError,
                          says("read_cifar10: " + path + ": expected records of 3073 bytes"));
  }
  bytes[3073] = 10;
  test::write_bytes(path, bytes);
  BOOST_CHECK_EXCEPTION(read_cifar10(path), FileError,
                        says("record 1: expected a label below 10, found 10"));
  test::write_bytes(path, records({{3, 100}}));
  BOOST_CHECK_EXCEPTION(read_cifar100(path), FileError,
                        says("record 0: expected a fine label below 100, found 100"));
  BOOST_CHECK_EXCEPTION(read_cifar10(path), FileError, says("found 3074 bytes"));
}

BOOST_AUTO_TEST_SUITE_END()
