// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/logic.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/data/csv.hpp>
#include <xtape/data/plot.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "files.hpp"
#include "svg.hpp"

using test::attribute;
using test::count;
using test::says;
using xtape::Tensor;
using xtape::data::Axis;
using xtape::data::Box;
using xtape::data::Plot;

namespace {

struct Pixel {
  double x, y;
};

// The points of all curves, one list each.
std::vector<std::vector<Pixel>> curves(const std::string& svg) {
  std::vector<std::vector<Pixel>> result;
  for (std::size_t at = svg.find("points=\""); at != std::string::npos;
       at = svg.find("points=\"", at + 1)) {
    const std::string text = svg.substr(at + 8, svg.find('"', at + 8) - at - 8);
    result.emplace_back();
    for (std::size_t i = 0; i < text.size();) {
      std::size_t used = 0;
      const double x = std::stod(text.substr(i), &used);
      i += used + 1;
      const double y = std::stod(text.substr(i), &used);
      i += used + 1;
      result.back().push_back({x, y});
    }
  }
  return result;
}

void check_inside(const std::string& svg) {
  const double width = attribute(svg, "width"), height = attribute(svg, "height");
  for (const auto& curve : curves(svg)) {
    for (const Pixel p : curve) {
      BOOST_CHECK(p.x >= 0 && p.x <= width && p.y >= 0 && p.y <= height);
    }
  }
  for (std::size_t at = svg.find("<text"); at != std::string::npos;
       at = svg.find("<text", at + 1)) {
    // About half an em for each character is the least that the text takes.
    const std::size_t start = svg.find('>', at) + 1;
    const auto length = static_cast<double>(svg.find('<', start) - start) * 6.5;
    const std::string tag = svg.substr(at, start - at);
    if (tag.find("rotate") != std::string::npos) continue;
    const double x = attribute(tag, "x"), y = attribute(tag, "y");
    const double left = tag.find("\"end\"") != std::string::npos      ? x - length
                        : tag.find("\"middle\"") != std::string::npos ? x - length / 2
                                                                      : x;
    BOOST_CHECK_GE(left, 0);
    BOOST_CHECK_LE(left + length, width);
    BOOST_CHECK(y > 10 && y < height);
  }
  BOOST_CHECK(svg.find("nan") == std::string::npos && svg.find("inf") == std::string::npos);
  BOOST_CHECK(svg.ends_with("</svg>\n"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_plot)

BOOST_AUTO_TEST_CASE(a_line_goes_through_its_points) {
  const std::string svg = Plot({.title = "t"}).line("a", std::vector<double>{0, 1, 4}).svg();
  const auto lines = curves(svg);
  BOOST_REQUIRE_EQUAL(lines.size(), 1u);
  BOOST_REQUIRE_EQUAL(lines[0].size(), 3u);
  const auto& p = lines[0];
  BOOST_CHECK_CLOSE(p[1].x - p[0].x, p[2].x - p[1].x, 0.1);
  BOOST_CHECK_LT(p[1].y, p[0].y);  // up is towards 0
  BOOST_CHECK_CLOSE(p[1].y - p[2].y, 3 * (p[0].y - p[1].y), 0.1);
}

BOOST_AUTO_TEST_CASE(logarithmic_axes) {
  const std::vector<double> x = {1, 10, 100}, y = {1e-3, 1e-1, 10};
  const std::string svg =
      Plot({.x_axis = Axis::logarithmic, .y_axis = Axis::logarithmic}).line("a", x, y).svg();
  const auto p = curves(svg).at(0);
  BOOST_CHECK_CLOSE(p[1].x - p[0].x, p[2].x - p[1].x, 0.1);
  BOOST_CHECK_CLOSE(p[1].y - p[0].y, p[2].y - p[1].y, 0.1);
  BOOST_CHECK_EQUAL(count(svg, ">0.001</text>"), 1);
  BOOST_CHECK_EQUAL(count(svg, ">10</text>"), 2);
}

BOOST_AUTO_TEST_CASE(values_that_cannot_be_drawn_leave_gaps) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> y = {1, 2, nan, 3, 4, infinity, 5, -1, 2, 3};
  BOOST_CHECK_EQUAL(curves(Plot().line("a", y).svg()).size(), 3u);
  const std::string logarithmic = Plot({.y_axis = Axis::logarithmic}).line("a", y).svg();
  BOOST_CHECK_EQUAL(curves(logarithmic).size(), 3u);
  BOOST_CHECK_EQUAL(count(logarithmic, "<circle"), 1);  // the lone 5
  check_inside(logarithmic);
}

BOOST_AUTO_TEST_CASE(nothing_is_cut) {
  const std::string name = "a rather long name of a curve";
  const std::vector<double> small = {1.25e-9, 3e-9, 2e-9}, large = {-3e12, 5e15},
                            shifted = {1000000.001, 1000000.002}, extreme = {-1e300, 1e300, 1e308},
                            one = {3}, none, zeros = {0, 0, 0};
  for (const auto& y : {small, large, shifted, extreme, one, none, zeros}) {
    for (const Axis axis : {Axis::linear, Axis::logarithmic}) {
      for (const int side : {200, 900}) {
        Plot plot({.title = "a title that is wider than the picture when the picture is small",
                   .x_label = "epoch",
                   .y_label = "loss",
                   .y_axis = axis,
                   .width = side,
                   .height = side});
        for (int i = 0; i < 30; ++i) plot.line(name, y);
        check_inside(plot.svg());
      }
    }
  }
  check_inside(Plot().svg());
}

BOOST_AUTO_TEST_CASE(curves_are_told_apart) {
  Plot plot;
  for (int i = 0; i < 20; ++i) plot.line("curve", std::vector<double>{1, 2});
  const std::string svg = plot.svg();
  std::vector<std::string> styles;
  for (std::size_t at = svg.find("<polyline"); at != std::string::npos;
       at = svg.find("<polyline", at + 1)) {
    styles.push_back(svg.substr(at, svg.find("points", at) - at));
  }
  BOOST_REQUIRE_EQUAL(styles.size(), 20u);
  std::sort(styles.begin(), styles.end());
  BOOST_CHECK(std::adjacent_find(styles.begin(), styles.end()) == styles.end());
  BOOST_CHECK_EQUAL(count(svg, ">curve</text>"), 20);
}

BOOST_AUTO_TEST_CASE(many_points_make_a_small_file_and_keep_their_peaks) {
  std::vector<double> y(300'000, 1);
  y[123'456] = 50;
  y[234'567] = -50;
  const std::string svg = Plot().line("a", y).svg();
  BOOST_CHECK_LT(svg.size(), 100'000u);
  const auto p = curves(svg).at(0);
  const auto [top, bottom] = std::minmax_element(
      p.begin(), p.end(), [](const Pixel& a, const Pixel& b) { return a.y < b.y; });
  BOOST_CHECK_CLOSE(p[0].y - top->y, 49.0 / 51.0 * (bottom->y - p[0].y), 0.1);
}

BOOST_AUTO_TEST_CASE(text_is_escaped) {
  const std::string svg =
      Plot({.title = "a < b & \"c\""}).line("<script>", std::vector<double>{1, 2}).svg();
  BOOST_CHECK_EQUAL(count(svg, "a &lt; b &amp; &quot;c&quot;</text>"), 1);
  BOOST_CHECK_EQUAL(count(svg, "<script>"), 0);
  BOOST_CHECK_EQUAL(count(svg, "&lt;script&gt;"), 1);
}

BOOST_AUTO_TEST_CASE(whole_numbers_have_whole_ticks) {
  const std::string svg = Plot().line("a", std::vector<double>{0.25, 0.5, 0.75}).svg();
  BOOST_CHECK_EQUAL(count(svg, ">2</text>"), 1);
  BOOST_CHECK_EQUAL(count(svg, ">1.5</text>"), 0);
}

BOOST_AUTO_TEST_CASE(points_of_a_class_share_colour_and_shape) {
  const Tensor points = xtape::tensor({{0, 0}, {1, 2}, {2, 1}, {3, 3}}),
               classes = xtape::tensor({1, 0, 1, 3}, xtape::int64);
  const Plot plot = Plot().scatter(points, classes, {"none", "<one>", "two", "three"});
  const std::string svg = plot.svg();
  BOOST_CHECK_EQUAL(count(svg, "class=\"points\""), 3);
  BOOST_CHECK_EQUAL(count(svg, "<circle"), 1 + 1);   // class 0, and one in the legend
  BOOST_CHECK_EQUAL(count(svg, "<polygon"), 3 + 2);  // squares and a diamond
  BOOST_CHECK_EQUAL(count(svg, ">&lt;one&gt;<"), 1);
  BOOST_CHECK_EQUAL(count(svg, ">two<"), 0);  // nothing is of it
  const xtape::data::Table table = plot.table();
  BOOST_CHECK_EQUAL(table.rows(), 4);
  BOOST_CHECK_EQUAL(table.texts("series")[2], "<one>");
  BOOST_CHECK_EQUAL(table.numbers("x")[2], 2);
  BOOST_CHECK_EQUAL(table.numbers("y")[2], 1);
  BOOST_CHECK_EQUAL(count(Plot().scatter(points, classes).svg(), ">3</text>"), 1 + 2);  // two ticks
  check_inside(Plot().scatter(points, classes, {"none", "one", "two", "three"}).svg());
}

BOOST_AUTO_TEST_CASE(points_that_cannot_be_drawn_are_left_out) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> x{1, NAN, 3, 4, 5}, y{1, 2, infinity, -4, 5};
  const Plot plot = Plot({.y_axis = Axis::logarithmic}).scatter("", x, y);
  BOOST_CHECK_EQUAL(count(plot.svg(), "<circle"), 2);
  check_inside(plot.svg());
  BOOST_CHECK(std::isnan(plot.table().numbers("y")[2]));
  const Tensor none = xtape::zeros({0, 2});
  check_inside(Plot().scatter(none, xtape::zeros({0}, xtape::int64), {"a"}).svg());
}

BOOST_AUTO_TEST_CASE(many_points_on_one_place_are_few_marks) {
  std::vector<double> x(100'000), y(100'000);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<double>(i % 100);
    y[i] = static_cast<double>(i / 100 % 20);
  }
  BOOST_CHECK_EQUAL(count(Plot().scatter("", x, y).svg(), "<circle"), 2000);
}

BOOST_AUTO_TEST_CASE(bars_stand_on_zero) {
  const std::vector<std::string> labels{"a", "b & c", "d"};
  const Plot plot =
      Plot()
          .bars("first", labels, std::vector<double>{1, 2, -1})
          .bars("second", labels, std::vector<double>{4, NAN, 1}, std::vector<double>{0.5, 1, 2});
  const std::string svg = plot.svg();
  std::vector<double> heights;
  for (std::size_t at = svg.find("class=\"bar\""); at != std::string::npos;
       at = svg.find("class=\"bar\"", at + 1)) {
    heights.push_back(attribute(svg, "height", svg.rfind("<rect", at)));
  }
  BOOST_REQUIRE_EQUAL(heights.size(), 5u);
  BOOST_CHECK_CLOSE(heights[1], 2 * heights[0], 0.1);
  BOOST_CHECK_CLOSE(heights[2], heights[0], 0.1);
  BOOST_CHECK_CLOSE(heights[3], 4 * heights[0], 0.1);
  BOOST_CHECK_EQUAL(count(svg, "class=\"error\""), 2 * 3);
  BOOST_CHECK_EQUAL(count(svg, ">b &amp; c<"), 1);
  BOOST_CHECK_EQUAL(count(svg, ">second<"), 1);
  check_inside(svg);
  const xtape::data::Table table = plot.table();
  BOOST_CHECK_EQUAL(table.texts("label")[4], "b & c");
  BOOST_CHECK(std::isnan(table.numbers("y")[4]));
  BOOST_CHECK_EQUAL(table.numbers("error")[5], 2);
  BOOST_CHECK(std::isnan(table.numbers("error")[0]));
  // The error of a bar on a logarithmic axis may reach below it.
  check_inside(Plot({.y_axis = Axis::logarithmic})
                   .bars("", labels, std::vector<double>{1, 0, 100}, std::vector<double>{2, 1, 0})
                   .svg());
  check_inside(Plot().bars("", {}, std::vector<double>{}).svg());
}

BOOST_AUTO_TEST_CASE(wide_labels_of_bars_lean) {
  const std::vector<std::string> labels(12, "a label that is wider than its bar");
  const std::string svg = Plot({.x_label = "x"}).bars("", labels, std::vector<double>(12, 1)).svg();
  BOOST_CHECK_EQUAL(count(svg, "rotate(-35"), 12);
  const double room = 34 * 6.5 * 0.57;  // sin 35 degrees
  const std::size_t at = svg.find("rotate(-35");
  BOOST_CHECK_LT(attribute(svg, "y", svg.rfind("<text", at)) + room, attribute(svg, "height"));
  BOOST_CHECK_GT(attribute(svg, "x", svg.rfind("<text", at)), 34 * 6.5 * 0.82);
  check_inside(svg);
}

BOOST_AUTO_TEST_CASE(regions_lie_beneath_the_points) {
  const Tensor points = xtape::tensor({{-1, -1}, {1, 1}}),
               classes = xtape::tensor({0, 1}, xtape::int64);
  const Plot plot = Plot().scatter(points, classes).regions([](const Tensor& x) {
    return (xtape::select(x, 1, 0) > 0).to(xtape::int64);
  });
  const std::string svg = plot.svg();
  const std::size_t regions = svg.find("class=\"regions\"");
  BOOST_REQUIRE(regions != std::string::npos);
  BOOST_CHECK_LT(regions, svg.find("class=\"points\""));
  // A rectangle for each class in each of 100 rows, both half as wide as the whole.
  BOOST_CHECK_EQUAL(count(svg, "<rect") - 1, 200);
  const std::size_t left = svg.find("<rect", regions), right = svg.find("<rect", left + 1);
  BOOST_CHECK_CLOSE(attribute(svg, "width", left), attribute(svg, "width", right), 0.1);
  BOOST_CHECK_CLOSE(attribute(svg, "x", left) + attribute(svg, "width", left),
                    attribute(svg, "x", right), 0.1);
  // Light, in the colours of the points.
  BOOST_CHECK_NE(svg.substr(svg.find("fill", left), 14), svg.substr(svg.find("fill", right), 14));
  check_inside(svg);
  const xtape::data::Table table = plot.table();
  BOOST_CHECK_EQUAL(table.rows(), 2 + 150 * 100);
  BOOST_CHECK_EQUAL(table.texts("series")[2], "region 0");
  BOOST_CHECK_CLOSE(table.numbers("x")[2], -1.16 + 2.32 / 300, 1e-6);
  BOOST_CHECK_CLOSE(table.numbers("y")[2], -1.16 + 2.32 / 200, 1e-6);

  const std::string logarithmic =
      Plot({.x_axis = Axis::logarithmic})
          .regions([](const Tensor& x) { return xtape::zeros({x.size(0)}, xtape::int64); },
                   {0.1, 10, -1, 1})
          .svg();
  BOOST_CHECK_EQUAL(count(logarithmic, "<rect") - 1, 100);
  check_inside(logarithmic);
}

BOOST_AUTO_TEST_CASE(shades_are_bands_of_a_function) {
  const Box box{-1, 1, 0, 5};
  const Plot plot = Plot().shades([](const Tensor& x) { return xtape::select(x, 1, 1); }, box);
  const std::string svg = plot.svg();
  BOOST_CHECK_EQUAL(count(svg, "<rect") - 1, 100);  // a row has one value
  const std::size_t first = svg.find("<rect", svg.find("class=\"regions\""));
  BOOST_CHECK_EQUAL(count(svg.substr(first, svg.find("/>", first) - first), "#ffffff"), 1);
  BOOST_CHECK_EQUAL(count(svg, "#666666"), 8);  // the darkest: about a fourteenth
  check_inside(svg);
  const xtape::data::Table table = plot.table();
  BOOST_CHECK_EQUAL(table.texts("series").front(), "shade 0");
  BOOST_CHECK_EQUAL(table.texts("series").back(), "shade 13");
  const auto huge = [](const Tensor& x) {
    return xtape::select(x, 1, 0).to(xtape::float64) * 1.7e308;
  };
  BOOST_CHECK_EQUAL(Plot().shades(huge, box).table().texts("series")[149], "shade 13");
  check_inside(
      Plot().shades([](const Tensor& x) { return 0 * xtape::select(x, 1, 0); }, box).svg());

  BOOST_CHECK_THROW(Plot().shades([](const Tensor& x) { return x; }, box), xtape::ShapeError);
  BOOST_CHECK_THROW(Plot().shades([](const Tensor& x) { return xtape::select(x, 1, 0) > 0; }, box),
                    xtape::DTypeError);
  BOOST_CHECK_EXCEPTION(
      Plot().shades([](const Tensor& x) { return xtape::select(x, 1, 0) / 0; }, box),
      xtape::ValueError, says("Plot::shades: NaN or Inf"));
}

BOOST_AUTO_TEST_CASE(saves) {
  const test::Folder folder;
  const Plot plot = Plot({.title = "t"}).line("a", std::vector<double>{1, 2});
  plot.save(folder / "a.svg");
  const test::Bytes bytes = test::read_bytes(folder / "a.svg");
  BOOST_CHECK_EQUAL(std::string(bytes.begin(), bytes.end()), plot.svg());
  const xtape::data::Table values = xtape::data::read_csv(folder / "a.csv");
  BOOST_CHECK_EQUAL(values.rows(), 2);
  BOOST_CHECK_EQUAL(values.texts("series")[1], "a");
  BOOST_CHECK_EQUAL(values.numbers("x")[1], 2);
  BOOST_CHECK_EQUAL(values.numbers("y")[0], 1);
  BOOST_CHECK_EQUAL(folder.names().size(), 2u);
  Plot().save(folder / "empty");
  BOOST_CHECK_EQUAL(xtape::data::read_csv(folder / "empty.csv").rows(), 0);
  BOOST_CHECK_EXCEPTION(plot.save(folder / "no/a.svg"), xtape::FileError,
                        says("Plot::save: " + (folder / "no/a.svg") + ": cannot write"));
}

BOOST_AUTO_TEST_CASE(refuses) {
  BOOST_CHECK_EXCEPTION(Plot().line("a", std::vector<double>{1, 2}, std::vector<double>{1}),
                        xtape::ShapeError, says("Plot::line: x and y differ in length, 2 and 1"));
  BOOST_CHECK_THROW(Plot({.width = 10}), xtape::ValueError);
  const Tensor points = xtape::zeros({3, 2}), classes = xtape::zeros({3}, xtape::int64);
  BOOST_CHECK_EXCEPTION(Plot().scatter(points, xtape::zeros({2}, xtape::int64)), xtape::ShapeError,
                        says("expected points [n, 2] and classes [n], got [3, 2] and [2]"));
  BOOST_CHECK_THROW(Plot().scatter(xtape::zeros({3, 3}), classes), xtape::ShapeError);
  BOOST_CHECK_THROW(Plot().scatter(points, Tensor()), xtape::ShapeError);
  BOOST_CHECK_EXCEPTION(Plot().scatter(points, xtape::zeros({3})), xtape::DTypeError,
                        says("Plot::scatter: classes are integers, got float32"));
  BOOST_CHECK_THROW(Plot().scatter(points, classes - 1), xtape::ValueError);
  BOOST_CHECK_EXCEPTION(Plot().scatter(points, classes + 2, {"a", "b"}), xtape::ValueError,
                        says("no name for class 2"));
  BOOST_CHECK_THROW(Plot().scatter("a", std::vector<double>{1}, std::vector<double>{}),
                    xtape::ShapeError);

  const std::vector<std::string> labels{"a", "b"};
  const std::vector<double> two{1, 2}, one{1}, negative{1, -1};
  BOOST_CHECK_EXCEPTION(Plot().bars("", labels, one), xtape::ShapeError,
                        says("Plot::bars: 2 labels, 1 heights, 0 errors"));
  BOOST_CHECK_THROW(Plot().bars("", labels, two, one), xtape::ShapeError);
  BOOST_CHECK_THROW(Plot().bars("", labels, two, negative), xtape::ValueError);
  BOOST_CHECK_THROW(Plot().bars("", labels, two).bars("", {"a", "c"}, two), xtape::ValueError);
  BOOST_CHECK_THROW(Plot({.x_axis = Axis::logarithmic}).bars("", labels, two), xtape::ValueError);

  const auto class_0 = [](const Tensor& x) { return xtape::zeros({x.size(0)}, xtape::int64); };
  BOOST_CHECK_EXCEPTION(Plot().regions(class_0), xtape::ValueError, says("no points yet"));
  for (const Box& box :
       {Box{1, 1, 0, 1}, Box{0, 1, 2, 1}, Box{NAN, 1, 0, 1}, Box{-1e308, 1e308, 0, 1}}) {
    BOOST_CHECK_THROW(Plot().regions(class_0, box), xtape::ValueError);
  }
  const Box unit{0, 1, 0, 1};
  BOOST_CHECK_THROW(Plot().regions([](const Tensor& x) { return x; }, unit), xtape::ShapeError);
  BOOST_CHECK_THROW(Plot().regions([](const Tensor& x) { return xtape::sum(x, {1}); }, unit),
                    xtape::DTypeError);
  BOOST_CHECK_THROW(Plot().regions([&](const Tensor& x) { return class_0(x) - 1; }, unit),
                    xtape::ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
