// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/scope.hpp>
#include <xtape/data/csv.hpp>
#include <xtape/data/tape_picture.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "files.hpp"
#include "svg.hpp"

using test::attribute;
using test::count;
using test::says;
using xtape::Tensor;
using xtape::ValueError;
using xtape::data::TapePicture;

namespace {

// A result that is used at once and five rows below, in a module whose name needs escaping.
Tensor example() {
  const Tensor w = xtape::ones({2, 3}).requires_grad_(), v = xtape::ones({3}).requires_grad_();
  const Tensor e = exp(w);
  const xtape::detail::ScopeGuard module(xtape::detail::intern_scope("Net.a<1> (A)"));
  Tensor y = e * v;
  for (int i = 0; i < 3; ++i) y = tanh(y);
  return sum(y * e * 2);
}

struct Box {
  double x, y, width, height;
};

std::vector<Box> boxes(const std::string& svg) {
  std::vector<Box> found;
  for (std::size_t at = svg.find("<rect x"); at != std::string::npos;
       at = svg.find("<rect x", at + 1)) {
    if (svg.substr(at, svg.find('>', at) - at).find("class=\"operation\"") == std::string::npos) {
      continue;
    }
    found.push_back({attribute(svg, "x", at), attribute(svg, "y", at), attribute(svg, "width", at),
                     attribute(svg, "height", at)});
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_tape_picture)

BOOST_AUTO_TEST_CASE(boxes_edges_and_leaves) {
  const std::string svg = TapePicture(tape(example()), {.title = "a <b>"}).svg();
  // exp, mul, tanh three times, mul, mul by a number, sum.
  const std::vector<Box> all = boxes(svg);
  BOOST_TEST(all.size() == 8u);
  BOOST_TEST(count(svg, "class=\"edge\"") == 8);      // two from exp
  BOOST_TEST(count(svg, "class=\"leaf\"") == 2 + 1);  // one in the legend
  BOOST_TEST(count(svg, ">tanh<") == 3);
  BOOST_TEST(count(svg, ">[2, 3], keeps 24 B<") >= 1);
  BOOST_TEST(count(svg, ">a &lt;b&gt;<") == 1);
  BOOST_TEST(count(svg, ">Net.a&lt;1&gt; (A)<") == 1);
  BOOST_TEST(count(svg, ">no module<") == 1);
  // The tape is in its order: each operation of this chain stands below the one before.
  for (std::size_t i = 1; i < all.size(); ++i) BOOST_TEST(all[i].y > all[i - 1].y);
  // The second edge of exp passes the boxes between by a bend in each of their four rows.
  const std::size_t longest = svg.find(" V ");
  BOOST_REQUIRE(longest != std::string::npos);
  BOOST_TEST(count(svg, " V ") == 4);
}

BOOST_AUTO_TEST_CASE(nothing_overlaps_or_is_cut) {
  std::vector<Tensor> parts;
  const Tensor w = xtape::ones({4, 5}).requires_grad_();
  for (int i = 0; i < 6; ++i) parts.push_back(i % 2 ? sin(w * i) : log(exp(w) + i));
  Tensor y = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) y = y * parts[i] + parts[i - 1];
  const std::string svg = TapePicture(tape(sum(y)), {.title = std::string(150, 'w')}).svg();
  const std::vector<Box> all = boxes(svg);
  const double width = attribute(svg, "width"), height = attribute(svg, "height");
  for (std::size_t i = 0; i < all.size(); ++i) {
    BOOST_TEST((all[i].x >= 0 && all[i].x + all[i].width <= width));
    BOOST_TEST((all[i].y >= 0 && all[i].y + all[i].height <= height));
    for (std::size_t j = 0; j < i; ++j) {
      const Box &a = all[i], &b = all[j];
      BOOST_TEST((a.x + a.width <= b.x + 0.02 || b.x + b.width <= a.x + 0.02 || a.y != b.y));
    }
  }
}

BOOST_AUTO_TEST_CASE(saves) {
  const test::Folder folder;
  const TapePicture picture(tape(example()));
  picture.save(folder / "tape.svg");
  const test::Bytes bytes = test::read_bytes(folder / "tape.svg");
  BOOST_TEST(std::string(bytes.begin(), bytes.end()) == picture.svg());
  const xtape::data::Table values = xtape::data::read_csv(folder / "tape.csv");
  BOOST_TEST(values.rows() == 10);  // two leaves
  BOOST_TEST(values.texts("operation")[0] == "leaf");
  BOOST_TEST(values.texts("operation")[1] == "exp");
  BOOST_TEST(values.texts("results")[1] == "[2, 3]");
  BOOST_TEST(values.texts("inputs")[1] == "0");
  BOOST_TEST(values.numbers("saved_bytes")[1] == 24);
  BOOST_TEST(values.texts("module")[3] == "Net.a<1> (A)");
}

BOOST_AUTO_TEST_CASE(refused) {
  const auto refused = [](const Tensor& y, const char* text) {
    BOOST_CHECK_EXCEPTION(TapePicture(tape(y)), ValueError, says(text));
  };
  refused(xtape::ones({1}), "TapePicture: no operation is recorded");
  refused(xtape::ones({1}).requires_grad_(), "TapePicture: no operation is recorded");
  Tensor y = xtape::ones({1}).requires_grad_();
  for (int i = 0; i < 2001; ++i) y = y + 1;
  refused(y, "TapePicture: 2001 operations, more than 2000");
}

BOOST_AUTO_TEST_SUITE_END()
