// SPDX-License-Identifier: BSD-3-Clause
#include "rows.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/random.hpp>

// The table itself: what each of its checks is there for, it must find.
BOOST_AUTO_TEST_SUITE(rows)

using namespace xtape;
using namespace xtape::test;

namespace {

// Walks flat over the memory, as an operation that forgets about strides would.
Tensor flat_twice(const Tensor& x, DType result) {
  if (!x.defined()) throw ValueError("twice: undefined");
  Tensor y = empty(x.shape(), result);
  std::int64_t lowest = 0;
  for (int d = 0; d < x.dim(); ++d) {
    if (x.numel() > 0) lowest += std::min<std::int64_t>(0, x.strides()[d] * (x.sizes()[d] - 1));
  }
  xtape::detail::dispatch_floating(x.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const T twice = 2 * x.data<T>()[lowest + i];
      if (result == float32) {
        xtape::detail::fresh_data<float>(y)[i] = static_cast<float>(twice);
      } else {
        xtape::detail::fresh_data<double>(y)[i] = static_cast<double>(twice);
      }
    }
  });
  record("twice", y, {x}, saves(), [](Backward& t) { t.add(0, t.g() * 2); });
  return y;
}

// x^2, right but for what the arguments say.
Tensor square(const Tensor& x, double factor, double second_factor) {
  Tensor y;
  {
    const NoGrad no_grad;
    y = x * x;
  }
  record("square", y, {x}, saves(x), [factor, second_factor](Backward& t) {
    Tensor slope;
    {
      const NoGrad no_grad;
      slope = t.saved(0) * factor;
    }
    record("slope", slope, {t.saved(0)}, saves(),
           [second_factor](Backward& s) { s.add(0, s.g() * second_factor); });
    t.add(0, t.g() * slope);
  });
  return y;
}

Row row_of(Function f, Reference reference) {
  return {.name = "test",
          .f = std::move(f),
          .reference = std::move(reference),
          .inputs = {{real(-2, 2)}}};
}

// True where a failure says each of the words, and nothing fails where none are given.
void expect(const Row& row, const std::vector<std::string>& words) {
  const std::vector<std::string> failures = failures_of(row);
  if (words.empty()) {
    for (const std::string& failure : failures) BOOST_ERROR("unexpected: " + failure);
    BOOST_TEST(failures.empty());
  }
  for (const std::string& word : words) {
    bool found = false;
    for (const std::string& failure : failures) {
      found = found || failure.find(word) != std::string::npos;
    }
    BOOST_TEST(found, "no failure says \"" + word + "\"");
  }
}

Reference squared() {
  return [](long double x) { return x * x; };
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_right_row_passes) {
  expect(row_of([](const Tensor& x) { return square(x, 2, 2); }, squared()), {});
  expect(row_of([](const Tensor& x) { return x * x; }, squared()), {});
}

BOOST_AUTO_TEST_CASE(wrong_values) {
  expect(row_of([](const Tensor& x) { return x * x * (1 + 1e-9); }, squared()),
         {"values", "fast path", "special values in vectors", "special values three at a time"});
}

BOOST_AUTO_TEST_CASE(wrong_first_derivative) {
  expect(row_of([](const Tensor& x) { return square(x, 2.001, 2.001); }, squared()),
         {"gradcheck: gradient of square", "special gradients, float32", "broadcast"});
}

BOOST_AUTO_TEST_CASE(wrong_second_derivative) {
  const Row row = row_of([](const Tensor& x) { return square(x, 2, -2); }, squared());
  expect(row, {"gradgradcheck"});
  for (const std::string& failure : failures_of(row)) {
    BOOST_TEST(failure.find(": gradcheck") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(strides_forgotten) {
  const auto twice = [](const Tensor& x) {
    return flat_twice(x, x.defined() ? x.dtype() : float32);
  };
  expect(row_of(twice, [](long double x) { return 2 * x; }),
         {"transposed input everywhere", "reversed input everywhere", "sliced input everywhere",
          "fast path, transposed"});
}

BOOST_AUTO_TEST_CASE(wrong_dtype) {
  expect(
      row_of([](const Tensor& x) { return flat_twice(x.defined() ? x.contiguous() : x, float64); },
             [](long double x) { return 2 * x; }),
      {"a result of float32 inputs is float64"});
}

BOOST_AUTO_TEST_CASE(float32_computed_badly) {
  // One digit is lost in float32 alone.
  const auto f = [](const Tensor& x) {
    return x.defined() && x.dtype() == float32 ? (x + 1000) - 1000 : x * 1;
  };
  expect(row_of(f, [](long double x) { return x; }), {"float32", "fast path"});
}

BOOST_AUTO_TEST_CASE(nan_swallowed) {
  Row row = row_of([](const Tensor& x) { return where(x > 0, x, x * 0.5 + 0); },
                   [](long double x) { return std::isnan(x) ? 0
                                              : x > 0       ? x
                                                            : x / 2; });
  row.kind = Kind::kinked;
  row.kinks = {0};
  expect(row, {"special values in vectors, float32, at nan"});
}

BOOST_AUTO_TEST_CASE(wrong_far_out) {
  // The gradient at -400: 0 * inf.
  const auto f = [](const Tensor& x) { return where(x < -100, x * 0, x); };
  Row row = row_of(f, [](long double x) { return std::isinf(x) && x < 0 ? std::nanl("") : x; });
  row.kind = Kind::kinked;
  expect(row, {"special values in vectors, float64, at -400", "special gradients, float64"});
}

BOOST_AUTO_TEST_CASE(gradient_about_zero) {
  expect(row_of([](const Tensor& x) { return x * 1e-6 + 1; },
                [](long double x) { return x * 1e-6L + 1; }),
         {"about zero in the whole domain"});
}

BOOST_AUTO_TEST_CASE(gradient_missing) {
  expect(row_of([](const Tensor& x) { return (x * x).detach(); }, squared()),
         {"gradcheck", "about zero"});
}

BOOST_AUTO_TEST_CASE(an_undefined_gradient_that_counts_as_something_else) {
  const auto f = [](const Tensor& x) {
    Tensor a, b;
    {
      const NoGrad no_grad;
      a = x * 2;
      b = x * 3;
    }
    record("both", outputs(a, b), {x}, saves(), [](Backward& t) {
      const Tensor one = scalar_tensor(1, float32);
      t.add(0, (t.g(0).defined() ? t.g(0) : one) * 2 + (t.g(1).defined() ? t.g(1) : one) * 3);
    });
    return std::pair(a, b);
  };
  const auto reference = [](const Array& x) {
    Arrays y{x, x};
    for (long double& v : y[0].values) v *= 2;
    for (long double& v : y[1].values) v *= 3;
    return y;
  };
  expect(row_of(f, reference), {"outputs one by one"});
}

BOOST_AUTO_TEST_CASE(broadcasting_missing) {
  Row row{.name = "test",
          .f =
              [](const Tensor& a, const Tensor& b) {
                if (a.defined() && b.defined() && a.shape() != b.shape())
                  throw ShapeError("test: shapes differ");
                return a * b;
              },
          .reference = [](long double a, long double b) { return a * b; },
          .inputs = {{real(-2, 2), real(-2, 2)}}};
  expect(row, {"shapes differ"});
  row.without = {Check::broadcasting};
  expect(row, {});
}

BOOST_AUTO_TEST_CASE(kinds) {
  Row floors = row_of([](const Tensor& x) { return x * 0; }, [](long double x) { return x * 0; });
  floors.kind = Kind::zero_gradient;
  expect(floors, {});
  Row slopes = row_of([](const Tensor& x) { return x * 3; }, [](long double x) { return x * 3; });
  slopes.kind = Kind::zero_gradient;
  expect(slopes, {"is not zero"});
  slopes.kind = Kind::no_gradient;
  expect(slopes, {"requires grad"});
}

BOOST_AUTO_TEST_CASE(points_and_stored) {
  Row row = row_of([](const Tensor& x) { return maximum(x, scalar_tensor(0, float32)); },
                   [](long double x) { return std::isnan(x) ? x : std::max(x, 0.0L); });
  row.kind = Kind::kinked;
  row.kinks = {0};
  row.points = {{{0}, 0, {0.5}}, {{-1}, 0, {0}}};
  row.stored = {{{given({2}, {-1, 3})}, {given({2}, {0, 3})}}};
  expect(row, {});
  row.points = {{{0}, 0, {0}}, {{3}, 4}};
  row.stored = {{{given({2}, {-1, 3})}, {given({2}, {0, 2})}}};
  expect(row, {"derivative 0 is 0.5", "value 3", "stored"});
}

BOOST_AUTO_TEST_CASE(random_rows) {
  Row row{.name = "test",
          .kind = Kind::random,
          .f = [](const Tensor& x) { return x * rand(x.shape(), x.dtype()); },
          .inputs = {{real({20})}},
          .statistics =
              [](const Tensors& y) {
                return std::string(to_array(y[0]).values[0] < 2 ? "" : "too large");
              },
          .without = {Check::undefined}};
  expect(row, {});
  row.f = [](const Tensor& x) { return x * 0.5; };
  row.statistics = [](const Tensors&) { return std::string("biased"); };
  expect(row, {"another seed gives the same result", "biased"});
}

BOOST_AUTO_TEST_CASE(errors_are_checked) {
  Row row = row_of([](const Tensor& x) { return x * x; }, squared());
  row.errors = {throws<ShapeError>([] { return zeros({2}) + zeros({3}); }, "[2]")};
  expect(row, {});
  row.errors = {throws<DTypeError>([] { return zeros({2}) + zeros({3}); }, "nonsense"),
                throws<ShapeError>([] { return zeros({2}); }, "")};
  expect(row, {"is no ", "does not say \"nonsense\"", "nothing was thrown"});
  row = row_of([](const Tensor& x) { return x.defined() ? x * x : x; }, squared());
  expect(row, {"input 0 may be undefined"});
}

BOOST_AUTO_TEST_CASE(nodes_left_behind) {
  static Tensor kept;
  expect(row_of([](const Tensor& x) { return kept = x * x; }, squared()), {"left behind"});
  kept = {};
}

BOOST_AUTO_TEST_CASE(rows_that_test_nothing) {
  expect({.name = "test"}, {"no callable"});
  expect({.name = "test", .f = [](const Tensor& x) { return x; }}, {"no reference"});
  expect(
      row_of([](const Tensor& x) { return x * 1; }, [](long double x, long double) { return x; }),
      {"the reference takes 2 numbers"});
}

BOOST_AUTO_TEST_CASE(whole_array_rows) {
  const auto total = [](const Array& x) {
    Array y = Array::filled({}, 0);
    for (const long double v : x.values) y.values[0] += v;
    return y;
  };
  Row row{.name = "test",
          .f = [](const Tensor& x) { return sum(x); },
          .reference = total,
          .inputs = {{real({3, 4})}},
          .any_shape = true};
  expect(row, {});
  row.reference = [](const Tensor& x) { return sum(x.flatten()); };
  expect(row, {});
  row.f = [](const Tensor& x) {
    return x.defined() && x.numel() == 0 ? ones({}, x.dtype()) : sum(x);
  };
  expect(row, {"any shape"});
}

BOOST_AUTO_TEST_SUITE_END()
