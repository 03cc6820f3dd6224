// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <vector>

#include <xtape/autograd/tensor.hpp>

#include "../autograd/expect.hpp"

// What the tests of nn/ and optim/ share.
namespace nn_test {

using xtape::test::says;

/// The elements in row-major order.
inline std::vector<double> values(const xtape::Tensor& x) { return xtape::test::elements(x); }

/// |got - expected| <= tolerance * max(1, |expected|), element by element.
inline void check_values(const xtape::Tensor& x, const std::vector<double>& expected,
                         double tolerance = 0) {
  const std::vector<double> got = values(x);
  BOOST_REQUIRE_EQUAL(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double scale = std::max(1.0, std::abs(expected[i]));
    BOOST_TEST(std::abs(got[i] - expected[i]) <= tolerance * scale,
               "element " << i << ": got " << got[i] << ", expected " << expected[i]);
  }
}

}  // namespace nn_test
