// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/optim/search_space.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "../data/files.hpp"

namespace {

using namespace xtape;
using optim::Hyperparameter;
using optim::Range;
using optim::detail::grid_points;
using optim::detail::random_points;
using ::test::says;

constexpr int kDraws = 20000;

// Shares of draws that `place` puts under each number.
template <class F>
std::map<int, double> shares(const Range& range, F place) {
  const GeneratorScope scope({.seed = 5});
  std::map<int, double> found;
  for (int i = 0; i < kDraws; ++i) {
    const double x = range.draw();
    BOOST_REQUIRE((x >= range.low() && x <= range.high()));
    found[place(x)] += 1.0 / kDraws;
  }
  return found;
}

// All alike, to five standard deviations.
void alike(const std::map<int, double>& found, int first, int last) {
  const double share = 1.0 / (last - first + 1);
  BOOST_TEST(found.begin()->first == first);
  BOOST_TEST(found.rbegin()->first == last);
  for (const auto& [number, got] : found) {
    BOOST_TEST(std::abs(got - share) < 5 * std::sqrt(share * (1 - share) / kDraws));
  }
}

std::vector<std::string> names(const std::vector<optim::Point>& points) {
  std::vector<std::string> found;
  for (const auto& p : points) found.push_back(p.to_string());
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optim_search_space)

BOOST_AUTO_TEST_CASE(ranges_are_drawn_as_they_say) {
  alike(shares(Range::uniform(-2, 3), [](double x) { return static_cast<int>(std::floor(x)); }), -2,
        2);
  alike(shares(Range::log_uniform(1e-4, 1e-1),
               [](double x) { return static_cast<int>(std::floor(std::log10(x))); }),
        -4, -2);
  alike(shares(Range::integers(-1, 4),
               [](double x) {
                 BOOST_REQUIRE(x == std::floor(x));
                 return static_cast<int>(x);
               }),
        -1, 4);
  BOOST_TEST(Range::integers(7, 7).draw() == 7);
  BOOST_TEST(Range::integers(1, 2).is_whole());
  BOOST_TEST(!Range::uniform(1, 2).is_whole());
  const double most = std::numeric_limits<double>::max();
  BOOST_TEST(std::isfinite(Range::uniform(-most, most).draw()));
  BOOST_TEST(Range::log_uniform(5e-324, most).draw() > 0);
}

BOOST_AUTO_TEST_CASE(ranges_that_are_none) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = INFINITY;
  for (const auto& [low, high] :
       {std::pair{1.0, 1.0}, {2.0, 1.0}, {nan, 1.0}, {0.5, nan}, {-inf, 1.0}, {1.0, inf}}) {
    BOOST_CHECK_THROW(Range::uniform(low, high), ValueError);
    BOOST_CHECK_THROW(Range::log_uniform(low, high), ValueError);
  }
  BOOST_CHECK_EXCEPTION(
      Range::log_uniform(0, 1), ValueError,
      says("Range::log_uniform: expected 0 < low < high, both finite, got 0 and 1"));
  BOOST_CHECK_THROW(Range::log_uniform(-1, 1), ValueError);
  BOOST_CHECK_EXCEPTION(Range::integers(3, 2), ValueError,
                        says("Range::integers: expected low <= high, both within 2^53, got 3 and"));
  BOOST_CHECK_THROW(Range::integers(0, (std::int64_t{1} << 53) + 1), ValueError);
  BOOST_CHECK_THROW(Range::integers(std::numeric_limits<std::int64_t>::min(), 0), ValueError);
}

BOOST_AUTO_TEST_CASE(points_of_ranges_and_lists) {
  const std::vector<Hyperparameter> space{{"lr", Range::log_uniform(1e-4, 1e-1)},
                                          {"units", Range::integers(4, 64)},
                                          {"dropout", Range::uniform(0, 0.5)},
                                          {"optimizer", {"adam", "sgd"}}};
  const auto position = default_generator().position;
  const auto points = random_points(space, 200, 3);
  BOOST_TEST(default_generator().position == position);
  BOOST_TEST(names(random_points(space, 200, 3)) == names(points),
             boost::test_tools::per_element());
  BOOST_TEST((names(random_points(space, 200, 4)) != names(points)));
  std::set<std::string> optimizers;
  std::set<std::int64_t> units;
  std::set<double> rates;
  for (const optim::Point& p : points) {
    BOOST_TEST(p.settings.size() == 4u);
    BOOST_TEST((p.number("lr") >= 1e-4 && p.number("lr") <= 1e-1));
    BOOST_TEST((p.number("dropout") >= 0 && p.number("dropout") <= 0.5));
    rates.insert(p.number("lr"));
    units.insert(p.whole("units"));
    optimizers.insert(p.text("optimizer"));
  }
  BOOST_TEST(rates.size() == 200u);
  BOOST_TEST((*units.begin() >= 4 && *units.rbegin() <= 64 && units.size() > 40));
  BOOST_TEST(optimizers.size() == 2u);
}

BOOST_AUTO_TEST_CASE(whole_numbers_are_a_list_of_them) {
  const std::vector<Hyperparameter> space{{"a", Range::integers(-1, 1)}, {"b", {"x", "y"}}};
  const std::vector<std::string> all{"a -1, b x", "a -1, b y", "a 0, b x",
                                     "a 0, b y",  "a 1, b x",  "a 1, b y"};
  BOOST_TEST(names(grid_points(space)) == all, boost::test_tools::per_element());
  BOOST_TEST(names(random_points(space, 6, 0)) == all, boost::test_tools::per_element());
  std::vector<std::string> five = names(random_points(space, 5, 0));
  std::sort(five.begin(), five.end());
  BOOST_TEST((std::unique(five.begin(), five.end()) == five.end()));
}

BOOST_AUTO_TEST_CASE(spaces_that_are_none) {
  const std::vector<Hyperparameter> continuous{{"lr", Range::uniform(0, 1)}};
  BOOST_CHECK_EXCEPTION(grid_points(continuous), ValueError,
                        says("grid_search: parameter 'lr' is a continuous range"));
  const std::vector<Hyperparameter> wide{
      {"n", Range::integers(-(std::int64_t{1} << 53), std::int64_t{1} << 53)}};
  BOOST_CHECK_EXCEPTION(grid_points(wide), ValueError, says("over a million points"));
  BOOST_TEST(random_points(wide, 3, 0).size() == 3u);
  std::vector<Hyperparameter> both{{"n", Range::integers(1, 2)}};
  both[0].values = {1, 2};
  BOOST_CHECK_EXCEPTION(random_points(both, 1, 0), ValueError,
                        says("parameter 'n' has values and a range"));
  for (const std::int64_t count : {0, 1'000'001}) {
    BOOST_CHECK_EXCEPTION(random_points(continuous, count, 0), ValueError,
                          says("random_search: from 1 to a million points, got"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
