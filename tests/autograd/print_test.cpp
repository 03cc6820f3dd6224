// SPDX-License-Identifier: BSD-3-Clause
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/print.hpp>

#include "../folders.hpp"
#include "expect.hpp"

namespace {

using namespace xtape;
using namespace xtape::test;

// What PyTorch prints (tests/reference/print/generate.py), by case.
std::map<std::string, std::string> expected_texts() {
  std::ifstream file(source_folder() / "tests" / "reference" / "print" / "tensors.txt");
  std::map<std::string, std::string> texts;
  std::string line, name;
  while (std::getline(file, line)) {
    if (line.starts_with("== ")) {
      name = line.substr(3);
    } else {
      texts[name] += (texts[name].empty() ? "" : "\n") + line;
    }
  }
  return texts;
}

BOOST_AUTO_TEST_SUITE(print)

BOOST_AUTO_TEST_CASE(as_pytorch_prints) {
  const double inf = INFINITY, nan = NAN;
  const Tensor leaf = tensor({1, 2.5}).requires_grad_();
  const std::map<std::string, Tensor> cases = {
      {"whole", tensor({{1, -2}, {30, 0}})},
      {"real", tensor({{0.5, -2}, {30, 0}})},
      {"float64", tensor({0.1, 1.0 / 3}, float64)},
      {"wide", tensor({0.001, 5})},
      {"wide_whole", tensor({1, 5000, -3})},
      {"large_whole", tensor({2e8, 3e8})},
      {"small", tensor({1e-5, -2e-5})},
      {"not_finite", tensor({inf, -inf, nan, 1})},
      {"not_finite_real", tensor({inf, -inf, nan, 1.5, -100.25})},
      {"nan_alone", tensor({nan, nan})},
      {"zeros", zeros({2, 2})},
      {"integers", tensor({{1, -200}, {3, 4}}).to(int64)},
      {"uint8", tensor({1, 200}, uint8)},
      {"booleans", tensor({1, 0}, boolean)},
      {"number", full({}, 2.5)},
      {"number_whole", full({}, 2, float64)},
      {"number_integer", full({}, -7, int64)},
      {"cube", arange(12).to(float32).reshape({2, 3, 2})},
      {"hyper", arange(8).reshape({2, 1, 2, 2})},
      {"long_line", arange(40)},
      {"long_line_real", arange(30) / 4},
      {"summary", arange(1001).to(float32)},
      {"summary_matrix", arange(2400).reshape({40, 60})},
      {"summary_small_dim", arange(3000).reshape({1000, 3}) / 8},
      {"empty", zeros({0})},
      {"empty_matrix", zeros({2, 0})},
      {"empty_integers", zeros({0}, int64)},
      {"leaf", leaf},
      {"recorded", leaf * 2},
      {"recorded_float64", exp(full({1, 1}, 1.5, float64).requires_grad_())},
      {"transposed", arange(6).reshape({2, 3}).t()},
  };
  const auto texts = expected_texts();
  BOOST_TEST(texts.size() == cases.size());
  for (const auto& [name, x] : cases) {
    BOOST_TEST_CONTEXT(name) {
      const auto expected = texts.find(name);
      BOOST_TEST_REQUIRE((expected != texts.end()));
      BOOST_TEST(to_string(x) == expected->second);
    }
  }
}

BOOST_AUTO_TEST_CASE(options) {
  const Tensor x = arange(10) / 3;
  BOOST_TEST(to_string(x, {.precision = 1, .line_width = 30}) ==
             "tensor([0.0, 0.3, 0.7, 1.0,\n        1.3, 1.7, 2.0, 2.3,\n        2.7, 3.0])");
  BOOST_TEST(to_string(x, {.precision = 2, .threshold = 9, .edge_items = 1}) ==
             "tensor([0.,  ..., 3.])");
  BOOST_TEST(to_string(x, {.threshold = 9, .edge_items = 0}) == "tensor([ ...])");
  BOOST_TEST(to_string(full({2}, 0.5, float64), {.line_width = 30}) ==
             "tensor([0.5000, 0.5000],\n       dtype=float64)");
}

BOOST_AUTO_TEST_CASE(to_a_stream) {
  std::ostringstream out;
  out << tensor({1, 2}) << Tensor();
  BOOST_TEST(out.str() == "tensor([1., 2.])tensor(undefined)");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
