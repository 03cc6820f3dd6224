// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>
#include <xtape/autograd/parallel.hpp>

#include "checks.hpp"

// What a pointwise row implies beyond the checks of every row.
namespace xtape::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSpecial[] = {std::numeric_limits<double>::quiet_NaN(),
                               kInfinity,
                               -kInfinity,
                               0.0,
                               -0.0,
                               1.0,
                               -1.0,
                               400.0,
                               -400.0,
                               88.5,
                               -88.5,
                               30.0,
                               -30.0,
                               7.25,
                               -7.25,
                               1e-3,
                               -1e-3,
                               1e-20,
                               -1e-20,
                               1e4,
                               -1e4};
constexpr std::size_t kMostCombinations = 6000;

const Shape kPatterns[] = {Shape{2, 3}, Shape{3}, Shape{2, 1}, Shape{1, 3}, Shape{1}, Shape{}};
const Shape kEmptyPatterns[] = {Shape{2, 0}, Shape{0}, Shape{2, 1}, Shape{}};

// All choices of one pattern for each of n arguments; a random part of them where they are many.
std::vector<std::vector<Shape>> choices(std::span<const Shape> patterns, std::size_t n,
                                        std::size_t most, Random& random) {
  std::size_t count = 1;
  for (std::size_t k = 0; k < n; ++k) count *= patterns.size();
  std::vector<std::vector<Shape>> all;
  for (std::size_t c = 0; c < std::min(count, most); ++c) {
    std::size_t rest = count > most ? random.next() % count : c;
    std::vector<Shape> shapes;
    for (std::size_t k = 0; k < n; ++k) {
      shapes.push_back(patterns[rest % patterns.size()]);
      rest /= patterns.size();
    }
    all.push_back(std::move(shapes));
  }
  return all;
}

// The derivative of the reference, or NaN where it has none worth the name.
long double slope(const Reference& f, std::vector<long double> x, std::size_t k) {
  const long double at = x[k];
  const long double h = 1e-6L * std::max(std::abs(at), 1e-2L);
  const auto value = [&](long double step) {
    x[k] = at + step;
    return f.at(x.data());
  };
  const long double middle = value(0), above = value(h), below = value(-h);
  const long double right = (above - middle) / h, left = (middle - below) / h;
  const long double size = std::max(std::abs(right), std::abs(left));
  const long double near = (above - below) / (2 * h),
                    far = (value(2 * h) - value(-2 * h)) / (4 * h);
  if (!std::isfinite(middle) || !std::isfinite(size) || !std::isfinite(far)) return std::nanl("");
  // A kink, or a jump, whose quotient grows as the step shrinks.
  if (std::abs(right - left) > 1e-2L * size + 1e-9L) return std::nanl("");
  if (std::abs(near - far) > 1e-2L * size + 1e-9L) return std::nanl("");
  return (4 * near - far) / 3;
}

}  // namespace

void Checks::pointwise() {
  if (row_.kind == Kind::random) return;
  if (runs(Check::broadcasting)) broadcasting();
  fast_path();
  if (runs(Check::nonfinite) || runs(Check::extremes)) {
    special_values(float64);
    special_values(float32);
  }
  if (runs(Check::threads)) threads();
}

Tensors Checks::shaped(const std::vector<Shape>& shapes, DType dtype) {
  Tensors x;
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    Argument a = row_.inputs[0][k];
    a.shape = shapes[k];
    a.values.clear();
    x.push_back(make(a, random_, row_.kinks));
  }
  return dtype == float64 ? x : converted(x, dtype);
}

// Rounded, so that what the dtype cannot hold is infinite.
Array Checks::expected_at(const Tensors& x) const {
  Array y = row_.reference(x)[0];
  for (const Tensor& t : x) {
    if (t.dtype() == float32) return rounded(std::move(y), float32);
  }
  return rounded(std::move(y), float64);
}

void Checks::broadcasting() {
  const std::size_t n = row_.inputs[0].size();
  std::vector<std::vector<Shape>> all = choices(kPatterns, n, 120, random_);
  for (auto& shapes : choices(kEmptyPatterns, n, 64, random_)) all.push_back(std::move(shapes));
  if (n == 1) all = {{Shape{}}, {Shape{0}}, {Shape{1}}, {Shape{3, 0}}, {Shape{2, 1, 3, 2}}};
  if (n == 2) {
    all.push_back({Shape{2, 3, 2}, Shape{3, 1}});
    all.push_back({Shape{1, 3, 1}, Shape{2, 1, 2}});
    all.push_back({Shape{2, 2, 1, 2}, Shape{3, 1}});
  }
  std::size_t second_order = 40;
  for (const auto& shapes : all) {
    const Tensors x = shaped(shapes, float64);
    const std::string what = "broadcast " + describe(x);
    checkpoint(what);
    values(what, x);
    if (row_.kind == Kind::no_gradient) continue;
    if (differentiable() && second_order > 0) {
      --second_order;
      gradients(what, x, 3);
    } else if (const GradcheckReport r =
                   gradcheck([this](const Tensors& t) { return call(t); }, x, {.max_elements = 3});
               !r) {
      fail(what + ": gradcheck: " + r.text());
    }
  }
}

void Checks::fast_path() {
  const std::size_t n = row_.inputs[0].size();
  std::vector<std::vector<Shape>> all;
  for (const Shape& shape : {Shape{37}, Shape{1000}, Shape{33, 31}}) {
    all.emplace_back(n, shape);
    for (std::size_t k = 0; n > 1 && runs(Check::broadcasting) && k < n; ++k) {
      for (const Shape& narrow : {Shape{}, Shape{shape.back()}, Shape{shape[0], 1}}) {
        std::vector<Shape> shapes(n, shape);
        if (narrow.rank() == 2 && shape.rank() == 1) continue;
        shapes[k] = narrow;
        all.push_back(std::move(shapes));
      }
    }
  }
  for (const auto& shapes : all) {
    for (const DType dtype : {float64, float32}) {
      const Tensors x = shaped(shapes, dtype);
      checkpoint("fast path, " + describe(x));
      compare("fast path, " + describe(x), call(x), {expected_at(x)}, tolerance(dtype));
      if (dtype == float32) float32_like_float64("fast path, " + describe(x), x);
    }
    const Tensors x = shaped(shapes, float32);
    Tensors transposed;
    for (const Tensor& t : x) transposed.push_back(with_layout(t, Layout::transposed));
    compare("fast path, transposed " + describe(x), call(transposed), {expected_at(x)},
            row_.tolerance32);
  }
}

// Every special value for every argument, in vectors (body and remainder) and three at a time.
void Checks::special_values(DType dtype) {
  checkpoint("special values");
  const std::size_t n = row_.inputs[0].size();
  std::vector<std::vector<double>> pools(n);
  std::size_t count = 1;
  for (std::size_t k = 0; k < n; ++k) {
    const Argument& a = row_.inputs[0][k];
    for (const double v : kSpecial) {
      if (!is_floating(a.dtype)) break;
      if (!runs(Check::nonfinite) && !std::isfinite(v)) continue;
      if (!runs(Check::extremes) && std::isfinite(v) && (v < a.low || v > a.high)) continue;
      pools[k].push_back(v);
    }
    if (!is_floating(a.dtype)) {
      for (double v = a.low; v < a.high && pools[k].size() < 4; ++v) pools[k].push_back(v);
    }
    if (pools[k].empty()) return;
    count *= pools[k].size();
  }
  const std::size_t size = std::min(std::max<std::size_t>(count, 45), kMostCombinations);
  Arrays arguments(n, Array::filled({static_cast<std::int64_t>(size)}, 0));
  for (std::size_t c = 0; c < size; ++c) {
    std::size_t rest = count > size ? random_.next() % count : c % count;
    for (std::size_t k = 0; k < n; ++k) {
      arguments[k].values[c] = pools[k][rest % pools[k].size()];
      rest /= pools[k].size();
    }
  }
  Tensors x;
  for (std::size_t k = 0; k < n; ++k) {
    const DType own = row_.inputs[0][k].dtype;
    x.push_back(to_tensor(arguments[k], is_floating(own) ? dtype : own));
    arguments[k] = to_array(x[k]);  // as rounded
  }
  const Tensors y = call(x);
  const Array expected = expected_at(x);
  const auto report = [&](const char* how, const Array& got) {
    for (std::size_t c = 0, told = 0; c < size && told < 5; ++c) {
      const std::string found =
          difference({{1}, {got.values[c]}}, {{1}, {expected.values[c]}}, tolerance(dtype), 1.0);
      // Results near zero are measured against 1: cancellation is no fault.
      if (found.empty() || std::abs(got.values[c] - expected.values[c]) <= tolerance(dtype))
        continue;
      std::string at;
      for (const Array& a : arguments) at += listed(a.values[c]);
      fail(std::string("special values ") + how + ", " + name(dtype) + ", at" + at + ": " + found);
      ++told;
    }
  };
  report("in vectors", to_array(y[0]));
  Array pieces{expected.shape, {}};
  for (std::size_t begin = 0; begin < size; begin += 3) {
    Tensors piece;
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t end = std::min(begin + 3, size);
      piece.push_back(to_tensor({{static_cast<std::int64_t>(end - begin)},
                                 {arguments[k].values.begin() + static_cast<std::ptrdiff_t>(begin),
                                  arguments[k].values.begin() + static_cast<std::ptrdiff_t>(end)}},
                                x[k].dtype()));
    }
    const Array got = to_array(call(piece)[0]);
    pieces.values.insert(pieces.values.end(), got.values.begin(), got.values.end());
  }
  report("three at a time", pieces);
  if (row_.kind != Kind::no_gradient) special_gradients(dtype, x, arguments);
}

// Against differences of the reference, where it is smooth.
void Checks::special_gradients(DType dtype, const Tensors& x, const Arrays& arguments) {
  const Result r = differentiate(x);
  Random random(5);
  const Array seed = to_array(random_gradient(r.values[0], random));
  const double tolerance = dtype == float32 ? 1e-4 : 1e-6;
  const long double largest = dtype == float32 ? std::numeric_limits<float>::max() / 4
                                               : std::numeric_limits<double>::max() / 4;
  std::size_t floating = 0, told = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (!is_floating(x[k].dtype())) continue;
    const Tensor& g = r.gradients[floating++];
    const Array got = g.defined() ? to_array(g) : Array::filled(x[k].shape(), 0);
    for (std::size_t c = 0; c < got.values.size() && told < 5; ++c) {
      std::vector<long double> point;
      for (const Array& a : arguments) point.push_back(a.values[c]);
      if (!std::all_of(point.begin(), point.end(),
                       [](long double v) { return std::isfinite(v); })) {
        continue;
      }
      const long double expected = slope(row_.reference, point, k);
      const long double value = row_.reference.at(point.data());
      if (std::isnan(expected) || std::abs(expected) > largest || std::abs(value) > largest)
        continue;
      const long double analytic = got.values[c] / seed.values[c];
      if (std::abs(analytic - expected) <= tolerance * std::max(1.0L, std::abs(expected))) continue;
      std::string at;
      for (const long double v : point) at += listed(v);
      fail(std::string("special gradients, ") + name(dtype) + ", derivative " + std::to_string(k) +
           " at" + at + ":" + listed(analytic) + ", expected" + listed(expected));
      ++told;
    }
  }
}

void Checks::threads() {
  const std::size_t n = row_.inputs[0].size();
  const Tensors x = shaped(std::vector<Shape>(n, Shape{100'003}), float32);
  const int before = num_threads();
  set_num_threads(1);
  const Result one = differentiate(x);
  set_num_threads(2);
  const Result two = differentiate(x);
  set_num_threads(before);
  bool same = same_bits(one.values[0], two.values[0]);
  for (std::size_t i = 0; i < one.gradients.size(); ++i) {
    same = same && same_bits(one.gradients[i], two.gradients[i]);
  }
  if (!same) fail("threads: two threads give other bits than one");
}

}  // namespace xtape::test
