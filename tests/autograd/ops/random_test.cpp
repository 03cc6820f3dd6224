// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/logic.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>

#include "../expect.hpp"
#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

// Within six standard deviations of what n draws of this mean and deviation give.
bool has_mean(const Values& x, double mean, double deviation) {
  double sum = 0;
  for (const double v : x) sum += v;
  const auto n = static_cast<double>(x.size());
  return std::abs(sum / n - mean) < 6 * deviation / std::sqrt(n);
}

Values centred_power(Values x, double mean, int power) {
  for (double& v : x) v = std::pow(v - mean, power);
  return x;
}

// Correlation of neighbours.
Values lagged(const Values& x, double mean) {
  Values y;
  for (std::size_t i = 1; i < x.size(); ++i) y.push_back((x[i] - mean) * (x[i - 1] - mean));
  return y;
}

const Rows rows({
    {.name = "bernoulli",
     .kind = Kind::random,
     .f = [](const Tensor& p) { return bernoulli(p); },
     .inputs = {{real({40, 50}, 0.2, 0.4)}},
     .statistics = [](const Tensors& y) -> std::string {
       const Values v = elements(y[0]);
       for (const double b : v) {
         if (b != 0 && b != 1) return "neither 0 nor 1";
       }
       return has_mean(v, 0.3, std::sqrt(0.3 * 0.7)) ? "" : "the mean is off";
     },
     .errors = {throws<ValueError>([] { return bernoulli(full({2}, 1.5)); },
                                   "bernoulli: expected probabilities in [0, 1], got 1.5"),
                throws<ValueError>([] { return bernoulli(full({2}, std::nan(""))); },
                                   "bernoulli: expected probabilities in [0, 1], got nan"),
                throws<DTypeError>([] { return bernoulli(ones({2}, int64)); },
                                   "bernoulli: expected a floating dtype, got int64")},
     .without = {Check::nonzero}},  // a draw has no derivative
    {.name = "multinomial",
     .kind = Kind::random,
     // gradcheck moves what is given: weights of 0 are made here.
     .f =
         [](const Tensor& p) {
           return multinomial(p * tensor({1, 0, 1, 1}, p.dtype()), 20'000, true);
         },
     .inputs = {{given({4}, {1, 7, 3, 4})}, {given({2, 4}, {1, 7, 3, 4, 2, 7, 6, 8})}},
     .statistics = [](const Tensors& y) -> std::string {
       const double weights[] = {1, 0, 3, 4};
       for (int k = 0; k < 4; ++k) {
         Values is_k;
         for (const double v : elements(y[0])) is_k.push_back(v == k);
         const double share = weights[k] / 8;
         if (!(share == 0 ? std::count(is_k.begin(), is_k.end(), 1) == 0
                          : has_mean(is_k, share, std::sqrt(share * (1 - share))))) {
           return "the share of " + std::to_string(k) + " is off";
         }
       }
       return "";
     },
     .errors = {throws<ValueError>(
                    [] {
                      return multinomial(tensor({1, -1}), 1);
                    },
                    "multinomial: expected finite weights that are not negative, "
                    "got -1"),
                throws<ValueError>(
                    [] {
                      return multinomial(tensor({1, std::nan("")}), 1);
                    },
                    "not negative, got nan"),
                throws<ValueError>([] { return multinomial(full({2}, 1e308, float64), 1); },
                                   "multinomial: the weights' sum overflows"),
                throws<ValueError>([] { return multinomial(zeros({2}), 1, true); },
                                   "multinomial: 1 of a row must be positive, 0 are"),
                throws<ValueError>(
                    [] {
                      return multinomial(tensor({1, 0, 2}), 3);
                    },
                    "multinomial: 3 of a row must be positive, 2 are"),
                throws<ValueError>([] { return multinomial(ones({2}), 3); },
                                   "multinomial: cannot draw 3 of 2 without replacement"),
                throws<ValueError>([] { return multinomial(ones({2}), 0, true); },
                                   "multinomial: cannot draw 0 of 2"),
                throws<ShapeError>(
                    [] {
                      return multinomial(ones({2, 0}), 1);
                    },
                    "multinomial: expected [n] or [rows, n] with n > 0, got [2, 0]"),
                throws<ShapeError>(
                    [] {
                      return multinomial(ones({1, 2, 3}), 1);
                    },
                    "with n > 0, got [1, 2, 3]"),
                throws<DTypeError>([] { return multinomial(ones({2}, int64), 1); },
                                   "multinomial: expected a floating dtype, got int64")},
     .without = {Check::nonzero}},
});

BOOST_AUTO_TEST_SUITE(random_tensors)

BOOST_AUTO_TEST_CASE(moments_of_rand) {
  for (const DType dtype : {float32, float64}) {
    manual_seed(7);
    const Values x = elements(rand({400'000}, dtype));
    const auto [low, high] = std::minmax_element(x.begin(), x.end());
    BOOST_TEST((*low >= 0 && *high < 1));
    BOOST_TEST((*low < 1e-4 && *high > 1 - 1e-4));
    BOOST_TEST(has_mean(x, 0.5, std::sqrt(1 / 12.0)));
    BOOST_TEST(has_mean(centred_power(x, 0.5, 2), 1 / 12.0, std::sqrt(1 / 180.0)));
    BOOST_TEST(has_mean(lagged(x, 0.5), 0, 1 / 12.0));
    // 64 bins: chi squared with 63 degrees of freedom, mean 63, deviation 11.2.
    std::vector<double> bins(64, 0);
    for (const double v : x) ++bins[static_cast<std::size_t>(v * 64)];
    double chi = 0;
    for (const double b : bins) chi += (b - 6250) * (b - 6250) / 6250;
    BOOST_TEST((chi > 15 && chi < 150));
  }
}

BOOST_AUTO_TEST_CASE(moments_of_randn) {
  for (const DType dtype : {float32, float64}) {
    manual_seed(7);
    const Values x = elements(randn({400'000}, dtype));
    BOOST_TEST(has_mean(x, 0, 1));
    BOOST_TEST(has_mean(centred_power(x, 0, 2), 1, std::sqrt(2.0)));
    BOOST_TEST(has_mean(centred_power(x, 0, 3), 0, std::sqrt(15.0)));
    BOOST_TEST(has_mean(centred_power(x, 0, 4), 3, std::sqrt(96.0)));
    BOOST_TEST(has_mean(lagged(x, 0), 0, 1));
    for (const double limit : {-2.0, -0.5, 0.0, 1.0, 2.5}) {
      Values below;
      for (const double v : x) below.push_back(v < limit);
      const double p = std::erfc(-limit / std::sqrt(2.0)) / 2;
      BOOST_TEST(has_mean(below, p, std::sqrt(p * (1 - p))));
    }
  }
}

BOOST_AUTO_TEST_CASE(uniform_and_normal_are_shifted_and_scaled) {
  manual_seed(2);
  const Values u = elements(uniform(-3, 5, {100'000}));
  BOOST_TEST(has_mean(u, 1, 8 * std::sqrt(1 / 12.0)));
  BOOST_TEST(*std::min_element(u.begin(), u.end()) >= -3);
  BOOST_TEST(has_mean(elements(normal(4, 0.5, {100'000}, float64)), 4, 0.5));
  XTAPE_SAME(uniform(2, 2, {3}), {2, 2, 2});
  XTAPE_SAME(normal(2, 0, {2}), {2, 2});
  BOOST_CHECK_EXCEPTION(uniform(1, 0, {2}), ValueError, says("uniform: expected low <= high, got"));
  BOOST_CHECK_EXCEPTION(normal(0, -1, {2}), ValueError, says("normal: expected std >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(rand({2}, int64), DTypeError, says("rand: expected a floating dtype"));
  BOOST_CHECK_EXCEPTION(randn({2}, boolean), DTypeError, says("randn: expected a floating dtype"));
  BOOST_CHECK_EXCEPTION(uniform(0, 1, {2}, uint8), DTypeError,
                        says("uniform: expected a floating"));
  BOOST_CHECK_EXCEPTION(normal(0, 1, {2}, int64), DTypeError, says("normal: expected a floating"));
}

BOOST_AUTO_TEST_CASE(normal_of_tensors) {
  manual_seed(6);
  const Tensor mean = tensor({-3, 100}, float64).unsqueeze(1).detach().requires_grad_();
  const Tensor std = tensor({0.5, 2, 0}, float64);
  const Tensor x = normal(mean.expand({2, 20'000}).unsqueeze(1), std.unsqueeze(1));
  BOOST_TEST((x.shape() == Shape{2, 3, 20'000}));
  BOOST_TEST(!x.requires_grad());
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      const double m = i == 0 ? -3 : 100, s = j == 0 ? 0.5 : j == 1 ? 2 : 0;
      const Values v = elements(x[{i, j}]);
      if (s == 0) {
        BOOST_TEST((v == Values(v.size(), m)));
        continue;
      }
      BOOST_TEST(has_mean(v, m, s));
      BOOST_TEST(has_mean(centred_power(v, m, 2), s * s, s * s * std::sqrt(2.0)));
    }
  }
  manual_seed(6);
  const Values expected = elements(normal(2, 3, {4}));
  manual_seed(6);
  BOOST_TEST((elements(normal(full({4}, 2), 3)) == expected));
  manual_seed(6);
  BOOST_TEST((elements(normal(2, full({4}, 3))) == expected));
  BOOST_TEST((normal(zeros({2}), ones({2}, float64)).dtype() == float64));
  BOOST_CHECK_EXCEPTION(normal(zeros({2}), tensor({1, -1})), ValueError,
                        says("normal: expected std >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(normal(zeros({2}), -1), ValueError, says("expected std >= 0, got -1"));
  BOOST_CHECK_EXCEPTION(normal(zeros({2}, int64), 1), DTypeError, says("normal: expected a float"));
  BOOST_CHECK_EXCEPTION(normal(0, ones({2}, int64)), DTypeError, says("normal: expected a float"));
  BOOST_CHECK_EXCEPTION(normal(zeros({2}), ones({3})), ShapeError, says("normal: shapes [2] and"));
}

// Each row its own: 0 is first in two of three draws, and the last one of what is left.
BOOST_AUTO_TEST_CASE(multinomial_without_replacement) {
  manual_seed(8);
  const Tensor p = tensor({2, 0, 1}, float64).expand({6000, 3});
  const Tensor y = multinomial(p, 2);
  BOOST_TEST((y.shape() == Shape{6000, 2}));
  Values first;
  for (std::int64_t i = 0; i < 6000; ++i) {
    const std::int64_t a = y.data<std::int64_t>()[2 * i], b = y.data<std::int64_t>()[2 * i + 1];
    BOOST_TEST_REQUIRE(((a == 0 && b == 2) || (a == 2 && b == 0)));
    first.push_back(a == 0);
  }
  BOOST_TEST(has_mean(first, 2 / 3.0, std::sqrt(2 / 9.0)));
  // The second of three: 1/3 of it follows 1/2, which is first in half of the draws, and so on.
  Values second;
  const Tensor three = multinomial(tensor({1, 2, 3}).expand({12'000, 3}), 3);
  for (std::int64_t i = 0; i < 12'000; ++i) {
    second.push_back(three.data<std::int64_t>()[3 * i + 1] == 0);
  }
  const double share = 3 / 6.0 * (1 / 3.0) + 2 / 6.0 * (1 / 4.0);
  BOOST_TEST(has_mean(second, share, std::sqrt(share * (1 - share))));
}

BOOST_AUTO_TEST_CASE(whole_numbers) {
  manual_seed(2);
  const Tensor x = randint(-3, 4, {70'000});
  BOOST_TEST((x.dtype() == int64));
  std::vector<double> counts(7, 0);
  for (const double v : elements(x)) {
    BOOST_TEST_REQUIRE((v >= -3 && v < 4));
    ++counts[static_cast<std::size_t>(v + 3)];
  }
  for (const double c : counts) BOOST_TEST(std::abs(c - 10'000) < 6 * std::sqrt(70'000 * 6 / 49.0));
  BOOST_TEST((randint(0, 256, {10}, uint8).dtype() == uint8));
  BOOST_TEST((randint(0, 10, {10}, float32).dtype() == float32));
  XTAPE_SAME(randint(5, 6, {3}), {5, 5, 5});
  constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
  bool negative = false, positive = false;
  const Tensor wide = randint(kLowest, std::numeric_limits<std::int64_t>::max(), {100});
  for (std::int64_t i = 0; i < 100; ++i) {
    (wide.data<std::int64_t>()[i] < 0 ? negative : positive) = true;
  }
  BOOST_TEST((negative && positive));
  BOOST_CHECK_EXCEPTION(randint(3, 3, {2}), ValueError,
                        says("randint: expected low < high, got 3"));
  BOOST_CHECK_EXCEPTION(randint(0, 300, {2}, uint8), ValueError,
                        says("randint: uint8 does not hold [0, 300)"));
  BOOST_CHECK_EXCEPTION(randint(-1, 1, {2}, uint8), ValueError,
                        says("uint8 does not hold [-1, 1)"));
  BOOST_CHECK_EXCEPTION(randint(0, 3, {2}, boolean), ValueError, says("boolean does not hold"));
}

BOOST_AUTO_TEST_CASE(permutations) {
  manual_seed(4);
  const Tensor p = randperm(1000);
  BOOST_TEST((p.dtype() == int64));
  Values sorted = elements(p);
  BOOST_TEST((sorted != elements(randperm(1000))));
  BOOST_TEST(!std::is_sorted(sorted.begin(), sorted.end()));
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < 1000; ++i) BOOST_TEST_REQUIRE(sorted[i] == static_cast<double>(i));
  BOOST_TEST(randperm(0).numel() == 0);
  XTAPE_SAME(randperm(1), {0});
  BOOST_CHECK_EXCEPTION(randperm(-1), ValueError, says("randperm: expected n >= 0, got -1"));
  // Each of the 6 orders of 3 equally often.
  std::vector<double> counts(27, 0);
  for (int i = 0; i < 6000; ++i) {
    const Values v = elements(randperm(3));
    ++counts[static_cast<std::size_t>(9 * v[0] + 3 * v[1] + v[2])];
  }
  for (const double c : counts) {
    BOOST_TEST((c == 0 || std::abs(c - 1000) < 6 * std::sqrt(6000 * 5 / 36.0)));
  }
}

BOOST_AUTO_TEST_CASE(bernoulli_at_the_ends) {
  XTAPE_SAME(bernoulli(tensor({0, 1, 0, 1})), {0, 1, 0, 1});
  BOOST_TEST((bernoulli(full({2}, 0.5, float64)).dtype() == float64));
}

BOOST_AUTO_TEST_CASE(like_another_tensor) {
  const Tensor x = zeros({2, 3}, float64), whole = zeros({4}, uint8);
  const Generator start = default_generator();
  const auto same = [&](const Tensor& got, auto f) {
    default_generator() = start;
    const Tensor expected = f();
    default_generator() = start;
    BOOST_TEST((got.dtype() == expected.dtype()));
    BOOST_TEST((got.shape() == expected.shape()));
    BOOST_TEST(elements(got) == elements(expected), boost::test_tools::per_element());
  };
  same(rand_like(x), [] { return rand({2, 3}, float64); });
  same(randn_like(x), [] { return randn({2, 3}, float64); });
  same(randint_like(whole, 3, 9), [] { return randint(3, 9, {4}, uint8); });
  BOOST_CHECK_EXCEPTION(rand_like(Tensor()), ValueError, says("rand_like: got an undefined"));
  BOOST_CHECK_THROW(randn_like(whole), DTypeError);
}

// Near 1000 floats are too far apart for the width of the interval.
BOOST_AUTO_TEST_CASE(the_upper_end_is_never_drawn) {
  const Tensor x = uniform(1000, 1001, {1'000'000});
  BOOST_TEST(amax(x).item<double>() < 1001);
  BOOST_TEST(amin(x).item<double>() >= 1000);
  BOOST_TEST(amax(uniform(0, 0.1, {1'000'000})).item<double>() < 0.1);
  XTAPE_SAME(uniform(2, 2, {2}), {2, 2});
}

BOOST_AUTO_TEST_CASE(the_generator_of_this_thread_given_by_name) {
  const Tensor first = randn({3}, default_generator()), second = randn({3}, default_generator());
  BOOST_TEST(!equal(first, second));
}

// A generator of one's own gives the numbers that this thread's would, moves on, and leaves that
// one where it is.
BOOST_AUTO_TEST_CASE(a_generator_of_ones_own) {
  const Tensor p = full({3}, 0.5), mean = ones({3}), deviations = full({3}, 2);
  const auto check = [&](auto with_generator, auto without) {
    Generator g{.seed = 7, .stream = 3};
    const Generator before = default_generator();
    const Tensor first = with_generator(g), second = with_generator(g);
    BOOST_TEST(default_generator().position == before.position);
    BOOST_TEST(default_generator().seed == before.seed);
    const GeneratorScope scope({.seed = 7, .stream = 3});
    BOOST_TEST(elements(first) == elements(without()), boost::test_tools::per_element());
    BOOST_TEST(elements(second) == elements(without()), boost::test_tools::per_element());
    BOOST_TEST(g.position == default_generator().position);
  };
  check([](Generator& g) { return rand({5}, g, float64); }, [] { return rand({5}, float64); });
  check([](Generator& g) { return randn({5}, g); }, [] { return randn({5}); });
  check([](Generator& g) { return uniform(2, 3, {5}, g); }, [] { return uniform(2, 3, {5}); });
  check([](Generator& g) { return normal(2, 3, {5}, g); }, [] { return normal(2, 3, {5}); });
  check([&](Generator& g) { return normal(mean, deviations, g); },
        [&] { return normal(mean, deviations); });
  check([](Generator& g) { return randint(0, 90, {5}, g); }, [] { return randint(0, 90, {5}); });
  check([](Generator& g) { return randperm(9, g); }, [] { return randperm(9); });
  check([&](Generator& g) { return bernoulli(p, g); }, [&] { return bernoulli(p); });
  check([&](Generator& g) { return multinomial(p, 9, true, g); },
        [&] { return multinomial(p, 9, true); });
}

BOOST_AUTO_TEST_CASE(empty_and_0d) {
  BOOST_TEST((rand({}).shape() == Shape{}));
  BOOST_TEST(randn({0, 3}).numel() == 0);
  BOOST_TEST((randint(0, 3, {2, 0}).shape() == Shape{2, 0}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
