// SPDX-License-Identifier: BSD-3-Clause
// A lambda in a file without wide vectors becomes a program (autograd/formula.hpp). Every function
// of a formula is compared with the same formula on tensors, longer ones with compiled lanes.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#include <xtape/autograd/formula.hpp>
#include <xtape/autograd/lanes.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/joining.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/parallel.hpp>
#include <xtape/autograd/pointwise.hpp>
#include <xtape/autograd/sweep.hpp>

#include "expect.hpp"
#include "samples.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;
using xtape::detail::Lanes;
using xtape::detail::Programs;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <class Way, class F, std::size_t... I>
Tensor call(const F& f, const Tensors& x, std::index_sequence<I...>) {
  return Pointwise<F, Way>("formula", f)(x[I]...);
}

// The value, the gradients, and what flows back through these into g and x.
template <class Way, int N, class F>
Tensors by_way(const F& f, const Tensors& given, const Tensor& seed, const Tensors& second) {
  Tensors x, all;
  for (const Tensor& v : given) x.push_back(v.detach().requires_grad_());
  const Tensor g = seed.detach().requires_grad_();
  all.push_back(call<Way>(f, x, std::make_index_sequence<N>{}));
  const Tensors slopes = grad({all[0]}, x, {.grad_outputs = {g}, .create_graph = true});
  all.insert(all.end(), slopes.begin(), slopes.end());
  Tensors sources{g};
  sources.insert(sources.end(), x.begin(), x.end());
  const Tensors curvatures = grad(slopes, sources, {.grad_outputs = second, .allow_unused = true});
  all.insert(all.end(), curvatures.begin(), curvatures.end());
  return all;
}

// The same by the formula on tensors.
template <int N, class F>
Tensors by_tensors(const F& f, const Tensors& x, const Tensor& g, const Tensors& second) {
  const NoGrad no_grad;
  Tensors all{
      xtape::detail::evaluate(f, x.data(), std::make_integer_sequence<unsigned, N>{}).value};
  const auto y =
      xtape::detail::evaluate_dual(f, x.data(), std::make_integer_sequence<unsigned, N>{});
  xtape::detail::for_each_argument<N>([&](auto k) {
    constexpr unsigned K = decltype(k)::value;
    if constexpr ((xtape::detail::kMembersOf < std::decay_t < decltype(y) >>>> K) & 1u) {
      all.push_back(xtape::detail::times(g, y.template derivative<K>()));
    } else {
      all.push_back(zeros_like(g));
    }
  });
  Tensors sums(N + 1, zeros_like(g));
  xtape::detail::second_order<N>(f, second.data(), g, x.data(), [&](int k, const Tensor& term) {
    Tensor& sum = sums[static_cast<std::size_t>(k)];
    sum = sum + term;
  });
  all.insert(all.end(), sums.begin(), sums.end());
  return all;
}

void expect_alike(const std::string& name, const Tensors& got, const Tensors& expected,
                  double tolerance) {
  BOOST_TEST_REQUIRE(got.size() == expected.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    const Values b = elements(expected[k]);
    const Values a = got[k].defined() ? elements(got[k]) : Values(b.size(), 0.0);
    BOOST_TEST_REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
      if (std::abs(a[i] - b[i]) <= tolerance * std::max(1.0, std::abs(b[i]))) continue;
      BOOST_ERROR(name << ", result " << k << ", element " << i << ": " << a[i] << ", expected "
                       << b[i]);
      break;
    }
  }
}

double tolerance_of(DType dtype) { return dtype == float32 ? 2e-5 : 1e-12; }

// Every special value beside every other one, and numbers of three sizes.
Tensors arguments(int count, DType dtype) {
  const Tensor special = tensor({0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -7.5, kInfinity, -kInfinity,
                                 kNaN, 400.0, -400.0, 1e-3, 1e-20},
                                float64);
  Tensors x;
  for (int i = 0; i < count; ++i) {
    const Tensor pairs = i % 2 ? repeat_interleave(special, 15) : repeat(special, {15});
    x.push_back(cat({pairs, randn({100}, float64) * 0.3, randn({100}, float64),
                     rand({100}, float64), randn({82}, float64) * 5},
                    0)
                    .to(dtype));
  }
  return x;
}

/// Programs against `reference(x, g, second)`, the same of another way.
template <int N, class F, class Reference>
void compare(const std::string& name, const F& f, Reference reference) {
  for (const DType dtype : {float32, float64}) {
    const Tensors x = arguments(N, dtype);
    const Tensor g = randn(x[0].shape(), dtype);
    Tensors second;
    for (int i = 0; i < N; ++i) second.push_back(randn(x[0].shape(), dtype));
    expect_alike(name + " " + xtape::name(dtype), by_way<Programs, N>(f, x, g, second),
                 reference(x, g, second), tolerance_of(dtype));
  }
}

template <int N, class F>
void compare_with_tensors(const std::string& name, const F& f) {
  manual_seed(3);
  compare<N>(name, f, [&](const auto&... data) { return by_tensors<N>(f, data...); });
}

// What is joined, shared or turned in sign on the way to a program.
template <int N, class F>
void compare_with_lanes(const std::string& name, const F& f) {
  manual_seed(4);
  compare<N>(name, f, [&](const auto&... data) { return by_way<Lanes, N>(f, data...); });
}

#define XTAPE_ONE(f) compare_with_tensors<1>(#f, [](auto x) { return f(x); });
#define XTAPE_TWO(f) compare_with_tensors<2>(#f, [](auto x, auto y) { return f(x, y); });

BOOST_AUTO_TEST_SUITE(pointwise_ways)

BOOST_AUTO_TEST_CASE(functions_of_one_argument){XTAPE_PROGRAM_FUNCTIONS(XTAPE_ONE) XTAPE_ONE(sinc)
                                                    XTAPE_ONE(relu) XTAPE_ONE(fabs)}

BOOST_AUTO_TEST_CASE(functions_of_two_arguments){XTAPE_TWO(pow) XTAPE_TWO(atan2) XTAPE_TWO(hypot)
                                                     XTAPE_TWO(logaddexp) XTAPE_TWO(xlogy)
                                                         XTAPE_TWO(max) XTAPE_TWO(min)}

BOOST_AUTO_TEST_CASE(affine_maps_and_factors) {
  compare_with_lanes<2>("affine", [](auto x, auto y) {
    const auto u = tanh(x), v = tanh(y);
    return v * exp(2 * (u + 1)) + u / (3 - 2 * v) - (0.5 * sin(u) + 0.5) * sigmoid((v + 1) * -0.5) +
           3 * (2 - cos(v) * 2) + (sin(u * v) + 1) * 4 + (7 - u) * (5 * v) + 2 / (1 + exp(-u));
  });
}

BOOST_AUTO_TEST_CASE(signs) {
  compare_with_lanes<2>("signs", [](auto x, auto y) {
    const auto u = tanh(x), v = sin(y);
    return -(-u - v) * (-v + u) - (-(u * 2) / -(v + 3)) + (1 - -u) * (-u - -v) + -v * -1 + -u / 3 -
           1 / -(u + 2) + exp(-(u * v)) * -u - abs(-v);
  });
}

BOOST_AUTO_TEST_CASE(conditions) {
  compare_with_lanes<2>("conditions", [](auto x, auto y) {
    const auto less = x<y, more = y> 0.5;
    const auto both = (less && !(x > 0)) || x == 1 || x != x;
    return where(both, x * y, where(x != y, -x, 3 - y)) + where(less, x, y) + where(less, y, 2) +
           where(less, 0, sin(y)) + where(more, x, 1) + where(x <= y && y >= -1, y, 0) +
           where(!less, y, 2);
  });
}

BOOST_AUTO_TEST_CASE(products_and_sums) {
  compare_with_lanes<3>("products", [](auto x, auto y, auto z) {
    const auto a = sin(x), b = cos(y), c = tanh(z);
    return (a - b) * (a - b) / (2 + c) - log1p(square(c * b)) + a * b * c + (a * b - c) * 2 +
           (1 - a * c) * b + (a * 3 - b) + (b - c * 3) + (b * 2 + c) * a + (a * 3 + 4) +
           pow(a, 3) * pow(c, 2) + pow(b + 2, -3) + pow(2, c) + pow(c + 2, 1.5) +
           polygamma(2, a + 2);
  });
}

// More values at a time than go on the stack.
BOOST_AUTO_TEST_CASE(formulas_of_many_values) {
  compare_with_lanes<1>("many", [](auto x) {
    const auto u = tanh(x);
    std::vector<decltype(sin(u))> waves;
    for (int i = 1; i <= 70; ++i) waves.push_back(sin(u * i));
    auto y = waves[0] * waves[69];
    for (std::size_t i = 1; i < 70; ++i) y = y + waves[i] * waves[69 - i] / 70;
    return y;
  });
}

constexpr auto kPlane = [](auto x, auto y) { return 2 * x + y; };
constexpr auto kWave = [](auto x, auto y) { return x * sin(y) + x / (2 + y * y); };

// The incoming gradient belongs to nobody else: a result may be written over it.
template <class Way, class F>
Tensors in_place(const F& f, const Tensor& a, const Tensor& b, const Tensor& weight) {
  const Tensor x = a.detach().requires_grad_(), y = b.detach().requires_grad_();
  const Tensor value = Pointwise<F, Way>("formula", f)(x, y);
  (value * weight).sum().backward();
  return {value.detach(), x.grad(), y.grad()};
}

template <class F>
void expect_same_layouts(const F& f, const Tensor& a, const Tensor& b) {
  for (const DType dtype : {float32, float64}) {
    const Tensor x = a.to(dtype), y = b.to(dtype);
    const Tensor weight = randn((x + y).shape(), dtype);
    expect_alike("shapes " + to_string(x.sizes()) + " " + to_string(y.sizes()),
                 in_place<Programs>(f, x, y, weight), in_place<Lanes>(f, x, y, weight),
                 tolerance_of(dtype));
  }
}

BOOST_AUTO_TEST_CASE(layouts) {
  manual_seed(5);
  const auto all = [](const Tensor& a, const Tensor& b) {
    expect_same_layouts(kPlane, a, b);
    expect_same_layouts(kWave, a, b);
  };
  for (const std::int64_t n : {0, 1, 2, 7, 8, 16, 17, 31, 63, 511, 512, 513, 1030}) {
    all(randn({n}, float64), randn({n}, float64));
    all(randn({n}, float64), randn({1}, float64));
  }
  const Tensor x = randn({70, 90}, float64), y = randn({90, 70}, float64);
  all(x, y.t());
  all(x.t(), y);
  all(x, y[0][0]);
  all(x[0], x);
  all(x[0][0], x);
  all(x, randn({70, 1}, float64));
  all(x.unsqueeze(1), y.t());
  all(flip(x, {0, 1}), x);
  all(x[{slice(), slice(none, 45)}], y.t()[{slice(), slice(none, 45)}]);
  all(randn({}, float64), randn({}, float64));
  all(randn({3, 0}, float64), randn({0}, float64));
}

BOOST_AUTO_TEST_CASE(any_number_of_threads) {
  const Tensor x = randn({100'003}), y = randn({100'003}), weight = randn({100'003});
  const int before = num_threads();
  set_num_threads(1);
  const Tensors one = in_place<Programs>(kWave, x, y, weight);
  const double sum = Pointwise<decltype(kWave), Programs>("sum", kWave).sum(x, y).item<double>();
  set_num_threads(2);
  const Tensors two = in_place<Programs>(kWave, x, y, weight);
  BOOST_TEST((Pointwise<decltype(kWave), Programs>("sum", kWave).sum(x, y).item<double>()) == sum);
  set_num_threads(before);
  for (std::size_t i = 0; i < one.size(); ++i) BOOST_TEST(same_bits(one[i], two[i]));
  BOOST_TEST(std::abs(one[0].to(float64).sum().item<double>() - sum) < 1e-2);
}

// The formula is run for each call: two objects of one type are two operations.
BOOST_AUTO_TEST_CASE(captured_numbers) {
  const auto scaled = [](double k) {
    const auto f = [k](auto x) { return x * x * k; };
    return Pointwise<std::remove_const_t<decltype(f)>, Programs>("scaled", f);
  };
  const auto twice = scaled(2), thrice = scaled(3);
  const Tensor x = leaf({1, 2});
  for (int i = 0; i < 2; ++i) {
    const Tensor a = twice(x), b = thrice(x);
    XTAPE_SAME(a, {2, 8});
    XTAPE_SAME(b, {3, 12});
    XTAPE_SAME(grad({a.sum()}, {x})[0], {4, 8});
    XTAPE_SAME(grad({b.sum()}, {x})[0], {6, 12});
  }
}

BOOST_AUTO_TEST_CASE(fewer_gradients_wanted) {
  const Pointwise<decltype(kWave), Programs> f("wave", kWave);
  const Tensor x = leaf({1, 2}), y = tensor({0.5, -0.5}, float64), z = y.detach().requires_grad_();
  const Tensor both = grad({f(x, z).sum()}, {x, z})[0];
  XTAPE_SAME(grad({f(x, y).sum()}, {x})[0] - both, {0, 0});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
