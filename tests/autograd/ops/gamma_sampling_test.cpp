// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/gamma_sampling.hpp>

#include <cmath>

#include <xtape/autograd/kernels/gamma.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/sweep.hpp>

#include "../expect.hpp"
#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const Rows rows({
    {.name = "standard_gamma",
     .kind = Kind::random,
     .f = [](const Tensor& a) { return standard_gamma(a); },
     .inputs = {{real({40, 5}, 0.2, 6)}, {real({30}, 1e3, 2e3)}, {real({0, 3}, 1, 2)}},
     .statistics = [](const Tensors& y) -> std::string {
       for (const double z : elements(y[0])) {
         if (!(z > 0)) return "not positive";
       }
       return "";
     },
     .errors = {throws<ValueError>([] { return standard_gamma(zeros({2})); },
                                   "standard_gamma: expected positive concentrations, got 0"),
                throws<ValueError>([] { return standard_gamma(full({2}, INFINITY)); },
                                   "standard_gamma: expected positive concentrations, got inf"),
                throws<DTypeError>([] { return standard_gamma(ones({2}, int64)); },
                                   "standard_gamma: expected a floating dtype, got int64")},
     .covers = {"standard_gamma_backward"},
     .without = {Check::second_order}},
});

}  // namespace

BOOST_AUTO_TEST_SUITE(gamma_sampling)

BOOST_AUTO_TEST_CASE(quantiles) {
  using kernels::gamma_quantile;
  const auto near = [](double got, double expected, double tolerance = 1e-13) {
    BOOST_TEST(std::abs(got - expected) <= tolerance * expected,
               "got " << got << ", expected " << expected);
  };
  for (const double u : {0x1p-54, 1e-9, 0.2, 0.5, 0.7, 1 - 1e-9, 1 - 0x1p-53}) {
    near(gamma_quantile(1, u), -std::log1p(-u));
  }
  for (const double a : {0.01, 0.5, 1.0, 3.0, 100.0}) {  // small: u = z^a / Gamma(a + 1)
    const double z = 1e-8 * a;
    const double density = std::exp(a * std::log(z) - z - std::lgamma(a + 1));
    if (density > 0x1p-54) near(gamma_quantile(a, density * (1 + z / (a + 1))), z, 1e-12);
  }
  near(gamma_quantile(1e5, 0.5), 1e5 - 1.0 / 3, 1e-10);  // the median
  near(gamma_quantile(1e9, 0.5), 1e9 - 1.0 / 3, 1e-12);
  BOOST_TEST(gamma_quantile(1e-3, 0x1p-54) > 0);
}

BOOST_AUTO_TEST_CASE(slopes_on_both_sides_of_where_formulas_change) {
  using kernels::gamma_quantile;
  for (const double a : {0.05, 0.9, 5.0, 200.0, 3e4, 1e7}) {
    for (const double u : {1e-3, 0.3, 0.5, 0.8, 1 - 1e-6}) {
      const double h = 1e-4 * a, z = gamma_quantile(a, u);
      const auto at = [&](double shift) { return gamma_quantile(a + shift * h, u); };
      const double slope = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
      BOOST_TEST(std::abs(kernels::gamma_slope(a, z) / slope - 1) < 1e-6,
                 "a = " << a << ", u = " << u);
    }
  }
}

BOOST_AUTO_TEST_CASE(differentiable_once) {
  const Tensor a = leaf({0.5, 2});
  const Tensor slope = grad({standard_gamma(a).sum()}, {a}, {.create_graph = true})[0];
  BOOST_CHECK_EXCEPTION(slope.sum().backward(), GradError,
                        says("standard_gamma: has no second derivative"));
}

BOOST_AUTO_TEST_SUITE_END()
