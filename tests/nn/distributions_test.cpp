// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/nn/distributions.hpp>

#include <cmath>
#include <type_traits>
#include <vector>

#include <xtape/autograd/error.hpp>
#include <xtape/autograd/gradcheck.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/logic.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/random.hpp>

#include "../autograd/stored_cases.hpp"
#include "nn_test.hpp"

namespace {

using namespace xtape;
using namespace xtape::nn::distributions;
using namespace nn_test;
using xtape::test::Tensors;

Tensors moments(const Distribution& d) { return {d.mean(), d.variance(), d.stddev()}; }
Gamma gamma(const Tensor& a, const Tensor& b) { return {abs(a) + 0.25, b}; }
Bernoulli of_logits(const Tensor& x) { return Bernoulli({.logits = x}); }
Categorical classes_of_logits(const Tensor& x) { return Categorical({.logits = x}); }
using test::Arguments;
using test::results;

const test::StoredCases cases(
    "distributions.safetensors",
    {
        {"normal.log_prob", XTAPE_CALL(Normal(a, b).log_prob(c))},
        {"normal.entropy", XTAPE_CALL(Normal(a, b).entropy())},
        {"normal.moments", XTAPE_CALL(moments(Normal(a, b)))},
        {"normal.kl", XTAPE_CALL(kl_divergence(Normal(a, b), Normal(c, 2 * b + 0.25)))},
        {"laplace.log_prob", XTAPE_CALL(Laplace(a, b).log_prob(c))},
        {"laplace.entropy", XTAPE_CALL(Laplace(a, b).entropy())},
        {"laplace.moments", XTAPE_CALL(moments(Laplace(a, b)))},
        {"laplace.kl", XTAPE_CALL(kl_divergence(Laplace(a, b), Laplace(c, 2 * b + 0.25)))},
        {"gamma.log_prob", XTAPE_CALL(gamma(a, b).log_prob(c))},
        {"gamma.entropy", XTAPE_CALL(gamma(a, b).entropy())},
        {"gamma.moments", XTAPE_CALL(moments(gamma(a, b)))},
        {"gamma.kl", XTAPE_CALL(kl_divergence(gamma(a, b), gamma(c, 2 * b + 0.25)))},
        {"uniform.log_prob", XTAPE_CALL(Uniform(a, b).log_prob(c))},
        {"uniform.entropy", XTAPE_CALL(Uniform(a, b).entropy())},
        {"uniform.moments", XTAPE_CALL(moments(Uniform(a, b)))},
        {"uniform.kl", XTAPE_CALL(kl_divergence(Uniform(a, b), Uniform(a - c, b + c)))},
        {"exponential.log_prob", XTAPE_CALL(Exponential(a).log_prob(b))},
        {"exponential.entropy", XTAPE_CALL(Exponential(a).entropy())},
        {"exponential.moments", XTAPE_CALL(moments(Exponential(a)))},
        {"exponential.kl", XTAPE_CALL(kl_divergence(Exponential(a), Exponential(b)))},
        {"bernoulli.log_prob", XTAPE_CALL(Bernoulli(a).log_prob(b))},
        {"bernoulli.logits", XTAPE_CALL(of_logits(a).log_prob(b))},
        {"bernoulli.entropy", XTAPE_CALL(Bernoulli(a).entropy())},
        {"bernoulli.moments", XTAPE_CALL(Tensors{of_logits(a).mean(), of_logits(a).variance()})},
        {"bernoulli.kl", XTAPE_CALL(kl_divergence(Bernoulli(a), Bernoulli(b)))},
        {"categorical.log_prob", XTAPE_CALL(Categorical(a).log_prob(b))},
        {"categorical.logits", XTAPE_CALL(classes_of_logits(a).log_prob(b))},
        {"categorical.entropy", XTAPE_CALL(Categorical(a).entropy())},
        {"categorical.entropy_of_logits", XTAPE_CALL(classes_of_logits(a).entropy())},
        {"categorical.kl", XTAPE_CALL(kl_divergence(Categorical(a), classes_of_logits(b)))},
    });

// |mean of f(draws) - expected| is within six standard errors, as the draws themselves show them.
void check_mean(const char* what, const Tensor& f, double expected) {
  const auto n = static_cast<double>(f.numel());
  const double got = mean(f).item<double>(), error = std::sqrt(var(f).item<double>() / n);
  BOOST_TEST(std::abs(got - expected) <= 6 * error + 1e-12,
             what << ": got " << got << ", expected " << expected << " +- " << error);
}

// Mean, variance and entropy are those of the draws.
void check_draws(const Distribution& d) {
  manual_seed(11);
  const Tensor x = d.sample({100'000});
  const double centre = d.mean().item<double>();
  check_mean("mean", x, centre);
  check_mean("variance", square(x - centre), d.variance().item<double>());
  check_mean("entropy", -d.log_prob(x), d.entropy().item<double>());
}

Tensor number(double x) { return scalar_tensor(x, float64); }

// E log p(x) - log q(x), by draws from p.
template <class D>
void check_divergence(const D& p, const D& q) {
  manual_seed(12);
  const Tensor x = p.sample({100'000}), ratio = p.log_prob(x) - q.log_prob(x);
  const Tensor divergence = kl_divergence(p, q), none = kl_divergence(p, p);
  check_mean("divergence", ratio, divergence.item<double>());
  BOOST_TEST(std::abs(none.item<double>()) < 1e-12);
}

// Same numbers each time, so that draws are a function of the parameters.
template <class F>
GradcheckReport check_rsample(F make, const std::vector<Tensor>& parameters, bool twice = true) {
  const auto draws = [&](const std::vector<Tensor>& p) {
    manual_seed(3);
    if constexpr (std::is_invocable_v<F, Tensor>) {
      return make(p[0]).rsample({5});
    } else {
      return make(p[0], p[1]).rsample({5});
    }
  };
  if (twice) {
    if (const auto report = gradgradcheck(draws, parameters); !report) return report;
  }
  return gradcheck(draws, parameters);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(distributions)

BOOST_AUTO_TEST_CASE(draws_have_the_moments_and_the_entropy) {
  check_draws(Normal(number(-1), number(2.5)));
  check_draws(Uniform(number(-1), number(4)));
  check_draws(Laplace(number(0.5), number(0.7)));
  check_draws(Exponential(number(0.2)));
  check_draws(Gamma(number(0.3), number(2)));
  check_draws(Gamma(number(7), number(0.5)));
  check_draws(Bernoulli(number(0.3)));
}

BOOST_AUTO_TEST_CASE(classes_are_drawn_by_their_probabilities) {
  manual_seed(4);
  const Categorical d(tensor({{1, 0, 3}, {2, 2, 0}}, float64));
  const Tensor x = d.sample({20'000});
  BOOST_TEST((x.shape() == Shape{20'000, 2}));
  BOOST_TEST((x.dtype() == int64));
  const double shares[2][3] = {{0.25, 0, 0.75}, {0.5, 0.5, 0}};
  for (std::int64_t row = 0; row < 2; ++row) {
    for (int k = 0; k < 3; ++k) {
      const Tensor hits = (narrow(x, 1, row, 1) == k).to(float64);
      check_mean("share", hits, shares[row][k]);
    }
  }
  BOOST_TEST((d.sample().shape() == Shape{2}));
  BOOST_TEST((d.sample({0}).shape() == Shape{0, 2}));
}

BOOST_AUTO_TEST_CASE(divergences_are_those_of_draws) {
  check_divergence(Normal(number(0), number(1)), Normal(number(1), number(2)));
  check_divergence(Uniform(number(0), number(1)), Uniform(number(-1), number(2)));
  check_divergence(Laplace(number(0), number(1)), Laplace(number(1), number(2)));
  check_divergence(Exponential(number(1)), Exponential(number(0.3)));
  check_divergence(Gamma(number(2), number(1)), Gamma(number(3), number(0.5)));
  check_divergence(Bernoulli(number(0.2)), Bernoulli(number(0.6)));
  check_divergence(Categorical(tensor({1, 2, 3}, float64)),
                   Categorical(tensor({3, 2, 1}, float64)));
}

BOOST_AUTO_TEST_CASE(gradients_flow_through_draws) {
  const Tensor a = tensor({0.3, 1.2, 4}, float64), b = tensor({0.7, 2}, float64).reshape({2, 1});
  const auto good = [](const GradcheckReport& r) { BOOST_TEST(bool(r), r.text()); };
  good(check_rsample([](const Tensor& x, const Tensor& y) { return Normal(x, y); }, {a, b}));
  good(check_rsample([](const Tensor& x, const Tensor& y) { return Uniform(x, x + y); }, {a, b}));
  good(check_rsample([](const Tensor& x, const Tensor& y) { return Laplace(x, y); }, {a, b}));
  good(check_rsample([](const Tensor& x) { return Exponential(x); }, {a}));
  good(check_rsample([](const Tensor& x, const Tensor& y) { return Gamma(x, y); }, {a, b}, false));
  Tensor mean = number(1).requires_grad_();
  BOOST_TEST(!Normal(mean, 2).sample({3}).requires_grad());
  BOOST_TEST(Normal(mean, 2).rsample({3}).requires_grad());
}

BOOST_AUTO_TEST_CASE(shapes) {
  const Normal d(zeros({2, 1}, float64), ones({3}, float64));
  BOOST_TEST((d.batch_shape() == Shape{2, 3}));
  BOOST_TEST((d.mean().shape() == Shape{2, 3}));
  BOOST_TEST((d.sample().shape() == Shape{2, 3}));
  BOOST_TEST((d.rsample({4, 5}).shape() == Shape{4, 5, 2, 3}));
  BOOST_TEST((d.log_prob(zeros({4, 1, 1}, float64)).shape() == Shape{4, 2, 3}));
  BOOST_TEST((Categorical(ones({2, 5})).log_prob(zeros({7, 1}, int64)).shape() == Shape{7, 2}));
  BOOST_TEST((Normal(0, 1).sample({2}).dtype() == float32));
  BOOST_TEST((Normal(0, number(1)).sample({2}).dtype() == float64));
  BOOST_TEST((Gamma(number(1), 2).sample({2}).dtype() == float64));
  BOOST_TEST((Exponential(2).sample().shape() == Shape{}));
}

BOOST_AUTO_TEST_CASE(extremes_stay_finite) {
  manual_seed(1);
  for (const DType dtype : {float32, float64}) {
    const Tensor tiny = Gamma(full({1000}, 1e-3, dtype), 1).sample();
    BOOST_TEST(all(tiny > 0).item<bool>());
    const Gamma large(full({1000}, 1e8, dtype), 1);
    BOOST_TEST(all(abs(large.sample() / 1e8 - 1) < 1e-3).item<bool>());
    BOOST_TEST(all(isfinite(Laplace(0, scalar_tensor(1, dtype)).sample({10'000}))).item<bool>());
  }
  BOOST_TEST(Bernoulli(number(1)).log_prob(number(1)).item<double>() < 1e-15);
  const Tensor zero = kl_divergence(Categorical(tensor({0, 1}, float64)),
                                    Categorical({.logits = tensor({-INFINITY, 0}, float64)}));
  BOOST_TEST(std::abs(zero.item<double>()) < 1e-12);
  const Tensor logits = tensor({0, -INFINITY}, float64).requires_grad_();
  const Categorical certain({.logits = logits});
  certain.entropy().backward();
  check_values(logits.grad(), {0, 0});
}

BOOST_AUTO_TEST_CASE(errors) {
  const Tensor one = ones({2}), bad = full({2}, -1);
  BOOST_CHECK_EXCEPTION(Normal(one, bad), ValueError, says("Normal: expected a positive scale"));
  BOOST_CHECK_EXCEPTION(Normal(Tensor(), 1), ValueError, says("a parameter is undefined"));
  BOOST_CHECK_EXCEPTION(Normal(one, NAN), ValueError, says("Normal: expected a positive scale"));
  BOOST_CHECK_EXCEPTION(Normal(one, ones({2}, float64)), DTypeError,
                        says("Normal: expected parameters of one dtype, got"));
  BOOST_CHECK_EXCEPTION(Normal(one, ones({3})), ShapeError, says("Normal"));
  BOOST_CHECK_EXCEPTION(Normal(ones({2}, int64), one), DTypeError,
                        says("Normal: expected floating parameters, got"));
  BOOST_CHECK_EXCEPTION(Uniform(one, one), ValueError, says("Uniform: expected low < high"));
  BOOST_CHECK_EXCEPTION(Uniform(0, one).log_prob(bad), ValueError,
                        says("Uniform: expected a value from low to high"));
  BOOST_CHECK_EXCEPTION(Laplace(one, 0), ValueError, says("Laplace: expected a positive scale"));
  BOOST_CHECK_EXCEPTION(Exponential{bad}, ValueError, says("expected a positive rate"));
  BOOST_CHECK_EXCEPTION(Exponential(1).log_prob(bad), ValueError, says("a value of at least 0"));
  BOOST_CHECK_EXCEPTION(Gamma(bad, one), ValueError, says("a positive concentration"));
  BOOST_CHECK_EXCEPTION(Bernoulli{bad}, ValueError, says("probabilities in [0, 1]"));
  BOOST_CHECK_EXCEPTION(Bernoulli(one).log_prob(bad), ValueError, says("values of 0 or 1"));
  BOOST_CHECK_EXCEPTION(Bernoulli(ProbsOrLogits{}), ValueError, says("either probs or logits"));
  BOOST_CHECK_EXCEPTION(Bernoulli(one).rsample(), GradError, says("Bernoulli: draws of it"));
  BOOST_CHECK_EXCEPTION(Categorical(one).rsample(), GradError, says("it has no rsample"));
  BOOST_CHECK_EXCEPTION(Categorical{bad}, ValueError, says("a positive, finite sum"));
  BOOST_CHECK_EXCEPTION(Categorical{zeros({2})}, ValueError, says("a positive, finite sum"));
  BOOST_CHECK_EXCEPTION(Categorical{ones({})}, ShapeError, says("in the last dimension"));
  BOOST_CHECK_EXCEPTION(Categorical(one).log_prob(full({1}, 2, int64)), ValueError,
                        says("whole values from 0"));
  BOOST_CHECK_EXCEPTION(kl_divergence(Categorical(one), Categorical(ones({3}))), ShapeError,
                        says("numbers of classes differ"));
}

BOOST_AUTO_TEST_SUITE_END()
