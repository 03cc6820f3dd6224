// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/softmax.hpp>
#include <xtape/nn/losses_likelihood.hpp>

#include <cmath>
#include <limits>

#include "../autograd/rows.hpp"
#include "nn_test.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;
using nn::Reduction;
using nn_test::check_values;
using nn_test::says;

const Rows rows({
    {.name = "gaussian_nll_loss",
     .f =
         [](const Tensor& x, const Tensor& t, const Tensor& v) {
           return nn::gaussian_nll_loss(x, t, v, {.reduction = Reduction::none});
         },
     .reference =
         [](const Array& x, const Array& t, const Array& v) {
           Array y = x;
           for (std::size_t i = 0; i < y.values.size(); ++i) {
             const long double d = x.values[i] - t.values[i];
             y.values[i] = (std::log(v.values[i]) + d * d / v.values[i]) / 2;
           }
           return y;
         },
     .inputs = {{real({3, 4}), real({3, 4}), real({3, 4}, 0.5, 2)}},
     .errors =
         {throws<ShapeError>(
              [] {
                return nn::gaussian_nll_loss(ones({3, 2}), ones({3, 2}), ones({3}));
              },
              "gaussian_nll_loss: expected a variance of shape [3, 2] or [3, 1], got [3]"),
          throws<ShapeError>(
              [] {
                return nn::gaussian_nll_loss(ones({3, 1}), ones({3}), ones({3, 1}));
              },
              "gaussian_nll_loss: shapes differ"),
          throws<ValueError>([] { return nn::gaussian_nll_loss(ones({2}), ones({2}), -ones({2})); },
                             "gaussian_nll_loss: expected variances of at least 0, got -1"),
          throws<ValueError>(
              [] { return nn::gaussian_nll_loss(ones({2}), ones({2}), ones({2}), {.eps = 0}); },
              "gaussian_nll_loss: eps is out of range: 0")}},
    {.name = "poisson_nll_loss",
     .f =
         [](const Tensor& x, const Tensor& t) {
           return nn::poisson_nll_loss(x, t, {.full = true, .reduction = Reduction::none});
         },
     .reference =
         [](long double x, long double t) {
           const long double pi = 3.14159265358979323846264338L;
           const long double more = t > 1 ? t * std::log(t) - t + std::log(2 * pi * t) / 2 : 0.0L;
           return std::exp(x) - t * x + more;
         },
     .inputs = {{real(-2, 2), real(1.5, 5)}, {real(-2, 2), real(0, 0.9)}},
     .errors = {throws<ShapeError>(
                    [] {
                      return nn::poisson_nll_loss(zeros({3, 1}), zeros({3}));
                    },
                    "poisson_nll_loss: shapes differ"),
                throws<ValueError>(
                    [] { return nn::poisson_nll_loss(ones({2}), ones({2}), {.eps = -1}); },
                    "poisson_nll_loss: eps is out of range: -1")},
     // Losses refuse broadcasting; targets are counts.
     .without = {Check::broadcasting, Check::nonfinite, Check::extremes}},
});

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_losses_likelihood)

BOOST_AUTO_TEST_CASE(small_variances_count_as_eps_and_pass_their_gradient) {
  Tensor v = tensor({1e-4, 1}, float64).requires_grad_();
  const Tensor loss = nn::gaussian_nll_loss(zeros({2}, float64), tensor({0.3, 0.3}, float64), v,
                                            {.eps = 0.01, .reduction = Reduction::none});
  check_values(loss, {0.5 * (std::log(0.01) + 9), 0.5 * 0.09}, 1e-14);
  loss.sum().backward();
  check_values(v.grad(), {0.5 * (100 - 0.09 * 1e4), 0.5 * (1 - 0.09)}, 1e-13);
}

BOOST_AUTO_TEST_SUITE_END()
