// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/joining.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/data/image_grid.hpp>

#include <zlib.h>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::ShapeError;
using xtape::Tensor;
using xtape::ValueError;
using xtape::data::make_grid;
using xtape::data::save_image;

namespace {

std::uint32_t number(const test::Bytes& bytes, std::size_t at) {
  std::uint32_t x = 0;
  for (std::size_t i = 0; i < 4; ++i) x = x << 8 | bytes.at(at + i);
  return x;
}

struct Png {
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint8_t> format;  // bits, kind of colour, packing, filters, order of rows
  test::Bytes rows;                  // each with its filter before it
};

// Decodes the file by the letter of the specification; every checksum must be right.
Png decode(const test::Bytes& bytes) {
  const test::Bytes signature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  BOOST_REQUIRE(std::equal(signature.begin(), signature.end(), bytes.begin()));
  Png png;
  test::Bytes packed;
  std::string types;
  for (std::size_t at = 8; at < bytes.size();) {
    const std::size_t length = number(bytes, at);
    const std::string type(bytes.begin() + static_cast<std::ptrdiff_t>(at) + 4,
                           bytes.begin() + static_cast<std::ptrdiff_t>(at) + 8);
    types += type;
    BOOST_TEST(crc32(0, bytes.data() + at + 4, static_cast<uInt>(length + 4)) ==
               number(bytes, at + 8 + length));
    const auto content = bytes.begin() + static_cast<std::ptrdiff_t>(at) + 8;
    const auto end = content + static_cast<std::ptrdiff_t>(length);
    if (type == "IHDR") {
      png.width = number(bytes, at + 8);
      png.height = number(bytes, at + 12);
      png.format.assign(content + 8, end);
    }
    if (type == "IDAT") packed.insert(packed.end(), content, end);
    at += length + 12;
  }
  BOOST_TEST(types == "IHDRIDATIEND");
  png.rows.resize(1 << 20);
  uLongf size = png.rows.size();
  BOOST_TEST_REQUIRE(uncompress(png.rows.data(), &size, packed.data(), packed.size()) == Z_OK);
  png.rows.resize(size);
  return png;
}

test::Bytes bytes_of(const Tensor& x) {
  BOOST_REQUIRE(x.dtype() == xtape::uint8);
  return {x.data<std::uint8_t>(), x.data<std::uint8_t>() + x.numel()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_image_grid)

BOOST_AUTO_TEST_CASE(pictures_stand_beside_each_other) {
  const Tensor images = xtape::tensor({0, 1, 0.5, -3, 7, 0.2}).reshape({3, 1, 1, 2});
  const Tensor grid = make_grid(images, {.columns = 2, .padding = 1, .pad_value = 0.4});
  BOOST_TEST((grid.shape() == xtape::Shape{1, 5, 7}));
  const int p = 102;
  const test::Bytes expected{p, p,   p,   p, p,   p, p,  //
                             p, 0,   255, p, 128, 0, p,  //
                             p, p,   p,   p, p,   p, p,  //
                             p, 255, 51,  p, p,   p, p,  //
                             p, p,   p,   p, p,   p, p};
  BOOST_TEST(bytes_of(grid) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(bytes_stay_as_they_are) {
  const Tensor all = xtape::arange(0, 256, 1).to(xtape::uint8).reshape({16, 16});
  const Tensor grid = make_grid(all, {.padding = 0});
  BOOST_TEST(bytes_of(grid) == bytes_of(all), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(scales_and_normalizes) {
  const Tensor x = xtape::tensor({{-1, 3}});
  BOOST_TEST(bytes_of(make_grid(x, {.padding = 0, .scale = 2, .normalize = true})) ==
                 (test::Bytes{0, 0, 255, 255, 0, 0, 255, 255}),
             boost::test_tools::per_element());
  // Each picture by itself; a constant one is black.
  const Tensor two = xtape::stack({xtape::tensor({{0, 10}}), xtape::tensor({{5, 5}})}).unsqueeze(1);
  BOOST_TEST(
      bytes_of(make_grid(two, {.padding = 0, .normalize = true})) == (test::Bytes{0, 255, 0, 0}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_file_decodes_to_its_grid) {
  const test::Folder folder;
  xtape::manual_seed(1);
  for (const std::int64_t channels : {1, 3}) {
    const Tensor images = xtape::rand({5, channels, 7, 4});
    save_image(folder / "a.png", images, {.columns = 3});
    const Png png = decode(test::read_bytes(folder / "a.png"));
    const Tensor grid = make_grid(images, {.columns = 3});
    BOOST_TEST(png.width == grid.size(2));
    BOOST_TEST(png.height == grid.size(1));
    BOOST_TEST(
        png.format == (test::Bytes{8, static_cast<std::uint8_t>(channels == 1 ? 0 : 2), 0, 0, 0}),
        boost::test_tools::per_element());
    test::Bytes expected;
    const test::Bytes rows = bytes_of(grid.permute({1, 2, 0}).contiguous());
    const std::size_t row = static_cast<std::size_t>(grid.size(2) * channels);
    for (std::size_t at = 0; at < rows.size(); at += row) {
      expected.push_back(0);
      for (std::size_t i = 0; i < row; ++i) expected.push_back(rows[at + i]);
    }
    BOOST_TEST(png.rows == expected, boost::test_tools::per_element());
  }
  BOOST_TEST(folder.names().size() == 1u);
}

BOOST_AUTO_TEST_CASE(refuses) {
  const Tensor good = xtape::zeros({2, 3, 4, 4});
  for (const xtape::Shape& shape :
       {xtape::Shape{4}, {2, 2, 4, 4}, {1, 1, 1, 4, 4}, {0, 1, 4, 4}, {1, 1, 0, 4}}) {
    BOOST_CHECK_THROW(make_grid(xtape::zeros(shape)), ShapeError);
  }
  BOOST_CHECK_EXCEPTION(make_grid(xtape::zeros({2, 4, 4})), ShapeError,
                        says("make_grid: pictures have 1 or 3 channels, got [2, 4, 4]"));
  BOOST_CHECK_THROW(make_grid(Tensor()), ShapeError);
  BOOST_CHECK_EXCEPTION(make_grid(good.to(xtape::int64)), xtape::DTypeError,
                        says("expected float32, float64 or uint8, got int64"));
  BOOST_CHECK_THROW(make_grid(xtape::full({2, 2}, NAN)), ValueError);
  const Tensor infinite = xtape::full({2, 2}, std::numeric_limits<double>::infinity());
  BOOST_TEST(bytes_of(make_grid(infinite, {.padding = 0})) == test::Bytes(4, 255),
             boost::test_tools::per_element());
  BOOST_CHECK_THROW(make_grid(infinite, {.normalize = true}), ValueError);
  BOOST_CHECK_THROW(make_grid(good, {.columns = 0}), ValueError);
  BOOST_CHECK_THROW(make_grid(good, {.padding = -1}), ValueError);
  BOOST_CHECK_THROW(make_grid(good, {.pad_value = 2}), ValueError);
  BOOST_CHECK_THROW(make_grid(good, {.scale = 0}), ValueError);
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  BOOST_CHECK_EXCEPTION(make_grid(good, {.scale = huge}), ValueError, says("above 65535 pixels"));
  BOOST_CHECK_THROW(make_grid(good, {.padding = huge}), ValueError);
  BOOST_CHECK_THROW(make_grid(good, {.columns = huge, .scale = 30000}), ValueError);
  const test::Folder folder;
  BOOST_CHECK_THROW(save_image(folder / "no/a.png", good), xtape::FileError);
  BOOST_CHECK_THROW(save_image(folder / "a.png", xtape::zeros({2, 4, 4})), ShapeError);
  BOOST_TEST(folder.names().empty());
}

BOOST_AUTO_TEST_SUITE_END()
