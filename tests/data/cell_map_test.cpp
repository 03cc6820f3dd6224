// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/data/cell_map.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>

#include "files.hpp"

using test::says;
using xtape::ShapeError;
using xtape::ValueError;
using xtape::data::CellMap;

namespace {

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

double attribute(const std::string& text, const std::string& name, std::size_t from = 0) {
  const std::size_t at = text.find(" " + name + "=\"", from);
  BOOST_REQUIRE(at != std::string::npos);
  return std::stod(text.substr(at + name.size() + 3));
}

// All corners of cells and marks lie inside the picture.
void check_inside(const std::string& svg) {
  const double width = attribute(svg, "width"), height = attribute(svg, "height");
  for (std::size_t at = svg.find("points=\""); at != std::string::npos;
       at = svg.find("points=\"", at + 1)) {
    const std::string points = svg.substr(at + 8, svg.find('"', at + 8) - at - 8);
    for (std::size_t i = 0; i < points.size();) {
      std::size_t used = 0;
      const double x = std::stod(points.substr(i), &used);
      i += used + 1;
      const double y = std::stod(points.substr(i), &used);
      i += used + 1;
      BOOST_TEST((x >= 0 && x <= width && y >= 0 && y <= height), x << ", " << y);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_cell_map)

BOOST_AUTO_TEST_CASE(cells_and_marks) {
  for (const bool hexagonal : {false, true}) {
    CellMap map(xtape::tensor({{0, 1, 2}, {3, 4, 10}}),
                {.title = "a <b>", .value_label = "far & near", .hexagonal = hexagonal});
    map.marks("circles", xtape::tensor({{0, 4, 1}, {0, 0, 0}}));
    const std::string svg = map.marks("squares", xtape::tensor({{0, 0, 2}, {0, 3, 0}})).svg();
    BOOST_TEST(count(svg, "class=\"cell\"") == 6);
    BOOST_TEST(count(svg, "<circle") == 2 + 1);  // one in the legend
    BOOST_TEST(count(svg, "class=\"mark\"") == 2 + 2 + 2);
    BOOST_TEST(count(svg, ">a &lt;b&gt;<") == 1);
    BOOST_TEST(count(svg, ">far &amp; near<") == 1);
    for (const char* name : {">circles<", ">squares<", ">10<"}) BOOST_TEST(count(svg, name) == 1);
    // The area of a mark is as its count.
    const std::size_t first = svg.find("<circle"), second = svg.find("<circle", first + 1);
    BOOST_TEST(attribute(svg, "r", first) / attribute(svg, "r", second) == 2,
               boost::test_tools::tolerance(0.01));
    // The smallest value is light, the largest dark; one in the legend each.
    BOOST_TEST(count(svg, "#f5f5f5") == 2);
    BOOST_TEST(count(svg, "#282828") == 2);
    check_inside(svg);
  }
  check_inside(CellMap(xtape::zeros({1, 1}), {.title = std::string(200, 'w')}).svg());
}

BOOST_AUTO_TEST_CASE(saves) {
  const test::Folder folder;
  const CellMap map(xtape::ones({2, 2}));
  map.save(folder / "map.svg");
  const test::Bytes bytes = test::read_bytes(folder / "map.svg");
  BOOST_TEST(std::string(bytes.begin(), bytes.end()) == map.svg());
}

BOOST_AUTO_TEST_CASE(refuses) {
  BOOST_CHECK_EXCEPTION(CellMap(xtape::ones({3})), ShapeError,
                        says("CellMap: expected values [rows, columns], got [3]"));
  BOOST_CHECK_THROW(CellMap(xtape::ones({0, 3})), ShapeError);
  BOOST_CHECK_THROW(CellMap(xtape::full({2, 2}, std::numeric_limits<double>::infinity())),
                    ValueError);
  BOOST_CHECK_THROW(CellMap(xtape::ones({2, 2}), {.cell = 3}), ValueError);
  CellMap map(xtape::ones({2, 2}));
  BOOST_CHECK_EXCEPTION(map.marks("a", xtape::ones({2, 3})), ShapeError,
                        says("expected counts [2, 2], got [2, 3]"));
  BOOST_CHECK_THROW(map.marks("a", xtape::full({2, 2}, -1)), ValueError);
  for (int i = 0; i < 4; ++i) map.marks("a", xtape::ones({2, 2}));
  BOOST_CHECK_THROW(map.marks("a", xtape::ones({2, 2})), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
