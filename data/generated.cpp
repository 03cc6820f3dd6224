// SPDX-License-Identifier: BSD-3-Clause
#include "generated.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <string>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/random.hpp"

namespace xtape::data {
namespace {

constexpr double kPi = std::numbers::pi;

// Clear of the streams of loaders, splits and tasks.
constexpr std::uint64_t kUniform = std::uint64_t{3} << 61, kNormal = kUniform + 1;

void check(const char* who, std::int64_t count, double noise) {
  if (count < 0) throw ValueError(std::string(who) + ": count " + std::to_string(count));
  if (!(noise >= 0) || !std::isfinite(noise)) {
    throw ValueError(std::string(who) + ": expected a standard deviation, got " +
                     std::to_string(noise));
  }
}

// Element (i, j) depends on the seed, i and the number of columns alone.
Tensor normals(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  const GeneratorScope scope({.seed = seed, .stream = kNormal});
  return randn({rows, columns}, float64);
}

// Samples in the plane: point(i) plus noise, of class i % classes.
struct Point {
  double x, y;
};
template <class F>
Batch plane(std::int64_t count, std::int64_t classes, double noise, std::uint64_t seed, F&& point) {
  const Tensor shaken = normals(count, 2, seed);
  const double* e = shaken.data<double>();
  Batch batch{xtape::detail::empty(float32, Shape{count, 2}),
              xtape::detail::empty(int64, Shape{count})};
  auto* x = xtape::detail::fresh_data<float>(batch.x);
  auto* y = xtape::detail::fresh_data<std::int64_t>(batch.y);
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = i % classes;
    const Point p = point(i / classes, y[i]);
    x[2 * i] = static_cast<float>(p.x + noise * e[2 * i]);
    x[2 * i + 1] = static_cast<float>(p.y + noise * e[2 * i + 1]);
  }
  return batch;
}

// Place k of `count` samples of `classes`, class c, from 0 to 1, both included.
double along(std::int64_t k, std::int64_t c, std::int64_t count, std::int64_t classes) {
  const std::int64_t of_class = (count - c + classes - 1) / classes;
  return of_class > 1 ? static_cast<double>(k) / static_cast<double>(of_class - 1) : 0;
}

}  // namespace

Batch spirals(std::int64_t count, const SpiralOptions& options) {
  check("spirals", count, options.noise);
  if (options.classes < 1 || !std::isfinite(options.turns)) {
    throw ValueError("spirals: expected classes >= 1 and finite turns, got " +
                     std::to_string(options.classes) + " and " + std::to_string(options.turns));
  }
  return plane(count, options.classes, options.noise, options.seed,
               [&](std::int64_t k, std::int64_t c) {
                 const double r = along(k, c, count, options.classes);
                 const double arm = static_cast<double>(c) / static_cast<double>(options.classes);
                 const double angle = 2 * kPi * (options.turns * r + arm);
                 return Point{r * std::cos(angle), r * std::sin(angle)};
               });
}

Batch moons(std::int64_t count, const MoonOptions& options) {
  check("moons", count, options.noise);
  return plane(count, 2, options.noise, options.seed, [&](std::int64_t k, std::int64_t c) {
    const double angle = kPi * along(k, c, count, 2);
    if (c == 0) return Point{std::cos(angle), std::sin(angle)};
    return Point{1 - std::cos(angle), .5 - std::sin(angle)};
  });
}

Batch blobs(std::int64_t count, const Tensor& centers, const BlobOptions& options) {
  check("blobs", count, options.std);
  if (!is_floating(centers.dtype())) {
    throw DTypeError("blobs: expected float32 or float64, got " + centers.description());
  }
  if (centers.dim() != 2 || centers.size(0) == 0) {
    throw ShapeError("blobs: expected centers [classes, features], got " + centers.description());
  }
  const std::int64_t classes = centers.size(0), features = centers.size(1);
  const Tensor middle = centers.detach().to(float64).contiguous();
  const Tensor shaken = normals(count, features, options.seed);
  Tensor x = xtape::detail::empty(float64, Shape{count, features});
  Tensor y = xtape::detail::empty(int64, Shape{count});
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t c = i % classes;
    xtape::detail::fresh_data<std::int64_t>(y)[i] = c;
    for (std::int64_t j = 0; j < features; ++j) {
      xtape::detail::fresh_data<double>(x)[i * features + j] =
          middle.data<double>()[c * features + j] +
          options.std * shaken.data<double>()[i * features + j];
    }
  }
  return {x.to(centers.dtype()), y};
}

Tensor sine(std::int64_t count, const SineOptions& options) {
  check("sine", count, options.noise);
  if (!(options.period > 0) || !std::isfinite(options.period)) {
    throw ValueError("sine: expected a positive period, got " + std::to_string(options.period));
  }
  const Tensor shaken = normals(count, 1, options.seed);
  Tensor x = xtape::detail::empty(float32, Shape{count});
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = std::sin(2 * kPi * static_cast<double>(i) / options.period);
    xtape::detail::fresh_data<float>(x)[i] =
        static_cast<float>(value + options.noise * shaken.data<double>()[i]);
  }
  return x;
}

Tensor mackey_glass(std::int64_t count, const MackeyGlassOptions& options) {
  check("mackey_glass", count, 0);
  const auto [tau, start, warm_up] = options;
  constexpr std::int64_t kLongest = 1'000'000;
  if (tau < 1 || tau > kLongest || warm_up < 0 || !(start >= 0) || !std::isfinite(start)) {
    throw ValueError(
        "mackey_glass: expected tau in 1 ... 1000000, start >= 0 and warm_up >= 0, "
        "got " +
        std::to_string(tau) + ", " + std::to_string(start) + " and " + std::to_string(warm_up));
  }
  constexpr std::int64_t kSteps = 10;  // of each unit of time
  constexpr double h = 1. / kSteps;
  const auto slope = [](double x, double delayed) {
    return .2 * delayed / (1 + std::pow(delayed, 10)) - .1 * x;
  };
  // The last tau units in a ring: values and slopes, for what lies between the steps. Before 0 the
  // series does not move.
  const std::int64_t ring = tau * kSteps;
  std::vector<double> values(static_cast<std::size_t>(ring), start), slopes(values.size(), 0.);
  Tensor series = xtape::detail::empty(float64, Shape{count});
  auto* out = xtape::detail::fresh_data<double>(series);
  double x = start;
  std::size_t oldest = 0;
  std::int64_t at = 0;  // steps done
  for (std::int64_t sample = -warm_up; sample < count; ++sample) {
    if (sample >= 0) out[sample] = x;
    for (std::int64_t step = 0; step < kSteps; ++step, ++at) {
      const std::size_t next = (oldest + 1) % values.size();
      const double from = values[oldest], from_slope = slopes[oldest];
      values[oldest] = x;
      slopes[oldest] = slope(x, from);
      const double to = values[next];
      // The slope jumps at 0: up to there, what lies between the steps is the start.
      const double between = (from + to) / 2 + h / 8 * (from_slope - slopes[next]);
      const double middle = at < ring ? start : between;
      const double k1 = slopes[oldest], k2 = slope(x + h / 2 * k1, middle);
      const double k3 = slope(x + h / 2 * k2, middle), k4 = slope(x + h * k3, to);
      x += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
      oldest = next;
    }
  }
  return series;
}

Tensor geometric_random_walk(std::int64_t count, const RandomWalkOptions& options) {
  const auto [start, drift, volatility, seed] = options;
  check("geometric_random_walk", count, volatility);
  if (!(start > 0) || !std::isfinite(start) || !std::isfinite(drift)) {
    throw ValueError("geometric_random_walk: expected start > 0 and a drift, got " +
                     std::to_string(start) + " and " + std::to_string(drift));
  }
  const Tensor steps = normals(count, 1, seed);
  Tensor prices = xtape::detail::empty(float64, Shape{count});
  auto* p = xtape::detail::fresh_data<double>(prices);
  double log_price = std::log(start);
  for (std::int64_t t = 0; t < count; ++t) {
    p[t] = std::exp(log_price);
    log_price += drift - volatility * volatility / 2 + volatility * steps.data<double>()[t];
  }
  return prices;
}

Table bank_customers(std::int64_t count, std::uint64_t seed) {
  check("bank_customers", count, 0);
  constexpr std::int64_t kUniforms = 10, kNormals = 3;
  const Tensor uniforms = [&] {
    const GeneratorScope scope({.seed = seed, .stream = kUniform});
    return rand({count, kUniforms}, float64);
  }();
  const Tensor bells = normals(count, kNormals, seed);
  const auto rows = static_cast<std::size_t>(count);
  std::vector<std::string> lands(rows), sexes(rows);
  std::vector<double> scores(rows), ages(rows), tenures(rows), balances(rows), products(rows),
      cards(rows), active(rows), salaries(rows), exited(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const double* u = uniforms.data<double>() + i * kUniforms;
    const double* n = bells.data<double>() + i * kNormals;
    const auto cents = [](double money) { return std::round(100 * money) / 100; };
    lands[i] = u[0] < .5 ? "France" : u[0] < .75 ? "Germany" : "Spain";
    sexes[i] = u[1] < .45 ? "Female" : "Male";
    tenures[i] = std::floor(11 * u[2]);
    products[i] = u[3] < .5 ? 1 : u[3] < .96 ? 2 : u[3] < .99 ? 3 : 4;
    cards[i] = u[4] < .7 ? 1 : 0;
    active[i] = u[5] < .5 ? 1 : 0;
    salaries[i] = cents(200000 * u[6]);
    // Germans all have something in their account.
    const bool has_balance = lands[i] == "Germany" || u[7] < .5;
    balances[i] = has_balance ? cents(std::max(3000., 120000 + 30000 * n[0])) : 0;
    scores[i] = std::clamp(std::round(650 + 97 * n[1]), 350., 850.);
    ages[i] = std::clamp(std::round(37 * std::exp(.26 * n[2])), 18., 92.);
    const double a = (ages[i] - 39) / 10;
    const double z = -1.1 + 1.2 * a - .35 * a * a + (lands[i] == "Germany" ? .9 : 0) +
                     (sexes[i] == "Female" ? .5 : 0) - active[i] + (products[i] > 2 ? 2.5 : 0) -
                     (products[i] == 2 ? .9 : 0);
    exited[i] = u[8] < 1 / (1 + std::exp(-z)) ? 1 : 0;
  }
  Table table;
  table.add("CreditScore", std::move(scores)).add("Geography", std::move(lands));
  table.add("Gender", std::move(sexes)).add("Age", std::move(ages));
  table.add("Tenure", std::move(tenures)).add("Balance", std::move(balances));
  table.add("NumOfProducts", std::move(products)).add("HasCrCard", std::move(cards));
  table.add("IsActiveMember", std::move(active)).add("EstimatedSalary", std::move(salaries));
  table.add("Exited", std::move(exited));
  return table;
}

Table credit_applications(std::int64_t count, std::uint64_t seed) {
  check("credit_applications", count, 0);
  constexpr std::int64_t kUniforms = 20, kNormals = 6;
  const Tensor uniforms = [&] {
    const GeneratorScope scope({.seed = seed, .stream = kUniform});
    return rand({count, kUniforms}, float64);
  }();
  const Tensor bells = normals(count, kNormals, seed);
  const auto rows = static_cast<std::size_t>(count);
  std::vector<double> ids(rows), accepted(rows), irregular(rows);
  std::vector<std::vector<double>> a(14, std::vector<double>(rows));  // A1 ... A14
  // Amounts: column, smallest and largest, the middle and the spread of the regular ones.
  struct Amount {
    std::size_t column;
    double low, high, middle, spread;
  };
  constexpr Amount kAmounts[] = {{1, 14, 80, 12, .5},    {2, 0, 28, 2.5, .7},
                                 {6, 0, 28, 1.5, .7},    {9, 0, 67, 3, .6},
                                 {12, 0, 2000, 150, .6}, {13, 1, 100001, 500, .9}};
  for (std::size_t i = 0; i < rows; ++i) {
    const double* u = uniforms.data<double>() + i * kUniforms;
    const double* n = bells.data<double>() + i * kNormals;
    const auto is = [](bool yes) { return yes ? 1. : 0.; };
    ids[i] = 15500000 + static_cast<double>(i);
    irregular[i] = is(u[0] < .03);
    a[0][i] = is(u[1] < .68);
    a[3][i] = u[2] < .24 ? 1 : u[2] < .99 ? 2 : 3;
    a[4][i] = 1 + std::floor(14 * u[3]);
    a[5][i] = u[4] < .6 ? 4 : 1 + std::floor(9 * u[5]);
    a[7][i] = is(u[6] < .52);
    a[8][i] = is(u[7] < (a[7][i] == 1 ? .6 : .25));
    a[10][i] = is(u[8] < .46);
    a[11][i] = u[9] < .08 ? 1 : u[9] < .99 ? 2 : 3;
    for (std::size_t k = 0; k < std::size(kAmounts); ++k) {
      const auto& [column, low, high, middle, spread] = kAmounts[k];
      const double usual = std::min(middle * std::exp(spread * n[k]), .5 * (high - low));
      const double amount = irregular[i] == 1 ? (high - low) * u[10 + k] : usual;
      a[column][i] = low + std::round(100 * amount) / 100;
    }
    if (a[8][i] == 0 && irregular[i] == 0) a[9][i] = 0;
    a[9][i] = std::round(a[9][i]);
    const double z = -2.8 + 3.2 * a[7][i] + 1.2 * a[8][i] + .5 * a[10][i];
    accepted[i] = is(u[16] < 1 / (1 + std::exp(-z)));
  }
  Table table;
  table.add("CustomerID", std::move(ids));
  for (std::size_t k = 0; k < a.size(); ++k) {
    table.add("A" + std::to_string(k + 1), std::move(a[k]));
  }
  table.add("Class", std::move(accepted)).add("Irregular", std::move(irregular));
  return table;
}

}  // namespace xtape::data
