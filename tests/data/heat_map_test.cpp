// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/data/csv.hpp>
#include <xtape/data/heat_map.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>

#include "files.hpp"
#include "svg.hpp"

using test::attribute;
using test::count;
using test::says;
using xtape::ShapeError;
using xtape::ValueError;
using xtape::data::HeatMap;

namespace {

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

BOOST_AUTO_TEST_SUITE(data_heat_map)

BOOST_AUTO_TEST_CASE(cells_and_marks) {
  for (const bool hexagonal : {false, true}) {
    HeatMap map(xtape::tensor({{0, 1, 2}, {3, 4, 10}}),
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
  check_inside(HeatMap(xtape::zeros({1, 1}), {.title = std::string(200, 'w')}).svg());
}

BOOST_AUTO_TEST_CASE(saves) {
  const test::Folder folder;
  const HeatMap map =
      HeatMap(xtape::ones({2, 2})).marks("a \"mark\", and more", xtape::full({2, 2}, 3));
  map.save(folder / "map.svg");
  const test::Bytes bytes = test::read_bytes(folder / "map.svg");
  BOOST_TEST(std::string(bytes.begin(), bytes.end()) == map.svg());
  const xtape::data::Table values = xtape::data::read_csv(folder / "map.csv");
  BOOST_TEST(values.rows() == 4);
  BOOST_TEST(values.numbers("row")[2] == 1);
  BOOST_TEST(values.numbers("column")[2] == 0);
  BOOST_TEST(values.numbers("value")[2] == 1);
  BOOST_TEST(values.numbers("a \"mark\", and more")[2] == 3);
}

BOOST_AUTO_TEST_CASE(names_and_values) {
  const HeatMap map(xtape::tensor({{1234, 5}, {0.123456, 999}, {7, 8}}),
                    {.x_label = "predicted",
                     .y_label = "a true class, said in so many words that it is long",
                     .row_names = {"cat", "<dog>", "horse"},
                     .column_names = {"a name wider than its cell", "b"},
                     .write_values = true,
                     .cell = 4});
  const std::string svg = map.svg();
  for (const char* text :
       {">1234<", ">5<", ">0.123<", ">999<", ">&lt;dog&gt;<", ">horse<", ">predicted<"}) {
    BOOST_TEST(count(svg, text) >= 1, text);
  }
  // On dark cells values are white; the names of columns lean, and have room to the left.
  BOOST_TEST(count(svg, "fill=\"#ffffff\">1234<") == 1);
  BOOST_TEST(count(svg, "fill=\"#ffffff\">5<") == 0);
  const std::size_t name = svg.find("rotate(-35");
  BOOST_TEST_REQUIRE(name != std::string::npos);
  BOOST_TEST(std::stod(svg.substr(name + 11)) > 26 * 6.5 * 0.8);
  check_inside(svg);
  const xtape::data::Table table = map.table();
  BOOST_TEST(table.texts("row")[5] == "horse");
  BOOST_TEST(table.texts("column")[5] == "b");
  BOOST_TEST(table.numbers("value")[5] == 8);
}

BOOST_AUTO_TEST_CASE(diverging_shades_are_white_at_zero) {
  const HeatMap map(xtape::tensor({{-1, 0, 4}}), {.shades = xtape::data::Shades::diverging});
  const std::string svg = map.svg();
  BOOST_TEST(count(svg, "fill=\"#ffffff\" stroke=\"#ffffff\"") == 1);  // the cell of 0
  BOOST_TEST(count(svg, ">-4<") == 1);
  BOOST_TEST(count(svg, ">4<") == 1);
  check_inside(HeatMap(xtape::zeros({2, 2}), {.shades = xtape::data::Shades::diverging}).svg());
}

BOOST_AUTO_TEST_CASE(a_large_matrix_leaves_names_out) {
  const std::string svg = HeatMap(xtape::zeros({300, 200}), {.cell = 4}).svg();
  BOOST_TEST(count(svg, "class=\"cell\"") == 60000);
  BOOST_TEST(count(svg, "<text") < 150);
}

BOOST_AUTO_TEST_CASE(refuses) {
  BOOST_CHECK_EXCEPTION(HeatMap(xtape::ones({3})), ShapeError,
                        says("HeatMap: expected values [rows, columns], got [3]"));
  BOOST_CHECK_THROW(HeatMap(xtape::ones({0, 3})), ShapeError);
  BOOST_CHECK_THROW(HeatMap(xtape::full({2, 2}, std::numeric_limits<double>::infinity())),
                    ValueError);
  BOOST_CHECK_THROW(HeatMap(xtape::ones({2, 2}), {.cell = 3}), ValueError);
  HeatMap map(xtape::ones({2, 2}));
  BOOST_CHECK_EXCEPTION(map.marks("a", xtape::ones({2, 3})), ShapeError,
                        says("expected counts [2, 2], got [2, 3]"));
  BOOST_CHECK_THROW(map.marks("a", xtape::full({2, 2}, -1)), ValueError);
  for (const char* name : {"a", "b", "c", "d"}) {
    map.marks(name, xtape::ones({2, 2}));
    if (*name == 'a') BOOST_CHECK_THROW(map.marks("a", xtape::ones({2, 2})), ValueError);
  }
  BOOST_CHECK_THROW(map.marks("e", xtape::ones({2, 2})), ValueError);
  BOOST_CHECK_EXCEPTION(HeatMap(xtape::ones({2, 2}), {.column_names = {"a", "b", "c"}}), ShapeError,
                        says("HeatMap: 3 names for 2 columns"));
  BOOST_CHECK_THROW(HeatMap(xtape::ones({2, 2}), {.row_names = {"a"}}), ShapeError);
}

BOOST_AUTO_TEST_SUITE_END()
