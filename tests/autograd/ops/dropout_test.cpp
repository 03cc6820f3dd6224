// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/dropout.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/random.hpp>

#include "../expect.hpp"
#include "../rows.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

const Rows rows({
    {.name = "dropout",
     .kind = Kind::random,
     .f = [](const Tensor& x) { return dropout(x, 0.3); },
     .inputs = {{real({12, 11}, 0.5, 2)}, {real({3, 4, 5}, -2, 2)}},
     .statistics = [](const Tensors& y) -> std::string {
       std::size_t zeros = 0, count = 0;
       for (const double v : elements(y[0])) zeros += v == 0, ++count;
       const double share = static_cast<double>(zeros) / static_cast<double>(count);
       return share > 0.1 && share < 0.55 ? "" : "dropped " + std::to_string(share);
     },
     .errors = {throws<ValueError>([] { return dropout(zeros({2}), 1.5); },
                                   "dropout: expected a probability in [0, 1], got 1.5"),
                throws<ValueError>([] { return dropout(zeros({2}), std::nan("")); },
                                   "dropout: expected a probability in [0, 1], got nan"),
                throws<DTypeError>([] { return dropout(zeros({2}, int64)); },
                                   "dropout: expected a floating tensor, got int64 [2]")}},
    {.name = "dropout_all",
     .kind = Kind::zero_gradient,
     .f = [](const Tensor& x) { return dropout(x, 1.0); },
     .reference = [](const Array& x) { return Array::filled(x.shape, 0); },
     .inputs = {{real({3, 4})}}},
});

BOOST_AUTO_TEST_SUITE(dropout_of)

BOOST_AUTO_TEST_CASE(what_is_kept_is_scaled) {
  manual_seed(3);
  const Tensor x = ones({100'000}, float64).requires_grad_();
  const Tensor y = dropout(x, 0.25);
  double kept = 0;
  for (const double v : elements(y)) {
    BOOST_TEST_REQUIRE((v == 0 || v == 1 / 0.75));
    kept += v != 0;
  }
  // Six standard deviations of a binomial share.
  BOOST_TEST(std::abs(kept / 1e5 - 0.75) < 6 * std::sqrt(0.75 * 0.25 / 1e5));
  y.sum().backward();
  BOOST_TEST(elements(x.grad()) == elements(y), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nothing_happens_outside_training) {
  const Tensor x = leaf({1, 2, 3});
  const std::uint64_t before = default_generator().position;
  BOOST_TEST(dropout(x, 0.5, false).value() == x.value());
  BOOST_TEST(dropout(x, 0.0).value() == x.value());
  BOOST_TEST(default_generator().position == before);
}

BOOST_AUTO_TEST_CASE(each_call_draws_anew) {
  manual_seed(1);
  const Tensor x = ones({1000});
  const Values a = elements(dropout(x)), b = elements(dropout(x));
  BOOST_TEST((a != b));
  manual_seed(1);
  BOOST_TEST((elements(dropout(x)) == a));
}

// The mask of the gradient is that of the value, whatever lies where in memory.
BOOST_AUTO_TEST_CASE(gradients_of_strided_tensors) {
  manual_seed(5);
  const Tensor x = ones({40, 30}, float64).t().requires_grad_();
  const Tensor y = dropout(x);
  y.sum().backward();  // an expanded gradient
  BOOST_TEST((elements(x.grad()) == elements(y)));
  const Tensor z = ones({20, 30}, float64).requires_grad_();
  const Tensor w = dropout(z);
  w.backward({.seed = ones({30, 20}, float64).t()});
  BOOST_TEST((elements(z.grad()) == elements(w)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
