// SPDX-License-Identifier: BSD-3-Clause
#include "search_space.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "../autograd/error.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/random.hpp"
#include "../data/number_text.hpp"

namespace xtape::optim {

using data::detail::number_text;
namespace {

constexpr std::int64_t kMostPoints = 1'000'000, kMostWhole = std::int64_t{1} << 53;
constexpr std::uint64_t kDrawing = ~std::uint64_t{0};  // a stream that no fold has

[[noreturn]] void bad_range(const char* kind, const char* rule, double low, double high) {
  throw ValueError(std::string("Range::") + kind + ": expected " + rule + ", got " +
                   number_text(low) + " and " + number_text(high));
}

bool is_continuous(const Hyperparameter& p) { return p.range && !p.range->is_whole(); }

// How many values there are; of a continuous range, one beyond what a search may try.
std::int64_t count_of(const Hyperparameter& p) {
  if (!p.range) return static_cast<std::int64_t>(p.values.size());
  return is_continuous(p) ? kMostPoints + 1
                          : static_cast<std::int64_t>(p.range->high() - p.range->low()) + 1;
}

// Value number `i` of a list or of a range of whole numbers.
Setting value_of(const Hyperparameter& p, std::int64_t i) {
  if (p.range) return p.range->low() + static_cast<double>(i);
  return p.values[static_cast<std::size_t>(i)];
}

void check_values(const std::string& where, const std::vector<Setting>& values) {
  if (values.empty()) throw ValueError(where + " has no values");
  for (std::size_t j = 0; j < values.size(); ++j) {
    if (values[j].is_text() != values[0].is_text()) {
      throw ValueError(where + " has numbers and texts");
    }
    if (!values[j].is_text() && !std::isfinite(values[j].number())) {
      throw ValueError(where + " has the value " + values[j].to_string());
    }
    if (std::find(values.begin(), values.end(), values[j]) - values.begin() !=
        static_cast<std::ptrdiff_t>(j)) {
      throw ValueError(where + " has the value " + values[j].to_string() + " twice");
    }
  }
}

// Returns the number of combinations; beyond kMostPoints, one more than these.
std::int64_t check(std::span<const Hyperparameter> parameters) {
  if (parameters.empty()) throw ValueError("search: there is no parameter");
  std::int64_t points = 1;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Hyperparameter& p = parameters[i];
    const std::string where = "search: parameter '" + p.name + "'";
    for (std::size_t j = 0; j < i; ++j) {
      if (parameters[j].name == p.name) throw ValueError(where + " comes twice");
    }
    if (!p.range) check_values(where, p.values);
    if (p.range && !p.values.empty()) throw ValueError(where + " has values and a range");
    points = points > kMostPoints / count_of(p) ? kMostPoints + 1 : points * count_of(p);
  }
  return points;
}

const Setting& setting(const Point& point, const std::string& name, bool text) {
  for (const auto& [found, value] : point.settings) {
    if (found != name) continue;
    if (value.is_text() != text) {
      throw ValueError("search: parameter '" + name + "' is a " + (text ? "number" : "text"));
    }
    return value;
  }
  throw ValueError("search: there is no parameter '" + name + "'");
}

}  // namespace

std::string Setting::to_string() const { return is_text_ ? text_ : number_text(number_); }

Range Range::uniform(double low, double high) {
  if (!(low < high) || !std::isfinite(low) || !std::isfinite(high)) {
    bad_range("uniform", "finite low < high", low, high);
  }
  return {Kind::uniform, low, high};
}

Range Range::log_uniform(double low, double high) {
  if (!(0 < low && low < high) || !std::isfinite(high)) {
    bad_range("log_uniform", "0 < low < high, both finite", low, high);
  }
  return {Kind::log_uniform, low, high};
}

Range Range::integers(std::int64_t low, std::int64_t high) {
  const auto from = static_cast<double>(low), to = static_cast<double>(high);
  if (low > high || low < -kMostWhole || high > kMostWhole) {
    bad_range("integers", "low <= high, both within 2^53", from, to);
  }
  return {Kind::integers, from, to};
}

double Range::draw() const {
  if (is_whole()) {
    const auto from = static_cast<std::int64_t>(low_), to = static_cast<std::int64_t>(high_);
    return static_cast<double>(randint(from, to + 1, {1}).item<std::int64_t>());
  }
  const double u = rand({1}, float64).item<double>();
  const bool logs = kind_ == Kind::log_uniform;
  const double from = logs ? std::log(low_) : low_, to = logs ? std::log(high_) : high_;
  const double x = (1 - u) * from + u * to;  // `to - from` might overflow
  return std::clamp(logs ? std::exp(x) : x, low_, high_);
}

double Point::number(const std::string& name) const { return setting(*this, name, false).number(); }

std::int64_t Point::whole(const std::string& name) const {
  const double x = number(name);
  if (x != std::floor(x) || std::abs(x) > 0x1p53) {
    throw ValueError("search: parameter '" + name + "' is " + number_text(x) + ", no whole number");
  }
  return static_cast<std::int64_t>(x);
}

const std::string& Point::text(const std::string& name) const {
  return setting(*this, name, true).text();
}

std::string Point::to_string() const {
  std::string text;
  for (const auto& [name, value] : settings) {
    text += (text.empty() ? "" : ", ") + name + " " + value.to_string();
  }
  return text;
}

std::vector<Point> detail::grid_points(std::span<const Hyperparameter> parameters) {
  const std::int64_t count = check(parameters);
  for (const Hyperparameter& p : parameters) {
    if (!is_continuous(p)) continue;
    throw ValueError("grid_search: parameter '" + p.name + "' is a continuous range; " +
                     "list values, or draw them (random_search)");
  }
  if (count > kMostPoints) throw ValueError("grid_search: over a million points");
  std::vector<Point> points(static_cast<std::size_t>(count));
  for (std::int64_t n = 0; n < count; ++n) {
    auto& settings = points[static_cast<std::size_t>(n)].settings;
    std::int64_t left = n;
    for (std::size_t i = parameters.size(); i-- > 0;) {
      const std::int64_t values = count_of(parameters[i]);
      settings.emplace(settings.begin(), parameters[i].name,
                       value_of(parameters[i], left % values));
      left /= values;
    }
  }
  return points;
}

std::vector<Point> detail::random_points(std::span<const Hyperparameter> parameters,
                                         std::int64_t count, std::uint64_t seed) {
  if (count < 1 || count > kMostPoints) {
    throw ValueError("random_search: from 1 to a million points, got " + std::to_string(count));
  }
  if (check(parameters) <= count) return grid_points(parameters);
  const bool may_repeat = std::any_of(parameters.begin(), parameters.end(), is_continuous);
  const GeneratorScope scope({.seed = seed, .stream = kDrawing});
  std::set<std::vector<std::int64_t>> drawn;
  std::vector<Point> points;
  while (points.size() < static_cast<std::size_t>(count)) {
    std::vector<std::int64_t> chosen;  // but of continuous ranges
    Point point;
    for (const Hyperparameter& p : parameters) {
      if (is_continuous(p)) {
        point.settings.emplace_back(p.name, p.range->draw());
        continue;
      }
      chosen.push_back(randint(0, count_of(p), {1}).item<std::int64_t>());
      point.settings.emplace_back(p.name, value_of(p, chosen.back()));
    }
    if (may_repeat || drawn.insert(std::move(chosen)).second) points.push_back(std::move(point));
  }
  return points;
}

}  // namespace xtape::optim
