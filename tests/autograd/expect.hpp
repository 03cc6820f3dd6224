// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/test/unit_test.hpp>
#include <exception>
#include <string>
#include <vector>

#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/tensor.hpp>

namespace xtape::test {

/// For BOOST_CHECK_EXCEPTION: the message holds the text.
inline auto says(std::string text) {
  return [text = std::move(text)](const std::exception& e) {
    const bool found = std::string(e.what()).find(text) != std::string::npos;
    if (!found) BOOST_ERROR(std::string("\"") + e.what() + "\" does not say \"" + text + "\"");
    return found;
  };
}

/// The elements in row-major order.
inline std::vector<double> elements(const Tensor& x) {
  if (!x.defined()) return {};
  const Tensor y = xtape::detail::copy_contiguous(x.detach()).to(float64).detach();
  const double* data = y.data<double>();
  return {data, data + y.numel()};
}

/// A float64 leaf that collects gradients.
inline Tensor leaf(std::initializer_list<double> values) {
  return tensor(values, float64).requires_grad_();
}

using Values = std::vector<double>;

}  // namespace xtape::test

#define XTAPE_SAME(got, ...)                                                  \
  BOOST_TEST(xtape::test::elements(got) == (xtape::test::Values __VA_ARGS__), \
             boost::test_tools::per_element())
