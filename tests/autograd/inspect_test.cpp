// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/inspect.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/convolution.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/pooling.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/scope.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/autograd/tape.hpp>

#include "expect.hpp"

BOOST_AUTO_TEST_SUITE(inspect)

using namespace xtape;
using namespace xtape::test;

namespace {

// sum(exp(a * 2) * b), exp inside a module
Tensor example(const Tensor& a, const Tensor& b) {
  const Tensor doubled = a * 2;
  Tensor e;
  {
    const xtape::detail::ScopeGuard module(xtape::detail::intern_scope("Net.\"act\" (Exp)"));
    e = exp(doubled);
  }
  return (e * b).sum();
}

bool contains(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) BOOST_ERROR("\"" + part + "\" is not in:\n" + text);
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(entries_come_oldest_first) {
  const Tensor a = leaf({1, 2}), b = tensor({3, 4}, float64);
  const Tape t = tape(example(a, b));
  std::vector<std::string> names;
  for (const TapeEntry& e : t) names.push_back(e.operation);
  const std::vector<std::string> expected{"leaf", "mul", "exp", "mul", "sum"};
  BOOST_TEST(names == expected, boost::test_tools::per_element());
  BOOST_TEST(t[0].is_leaf);
  BOOST_TEST(t[2].module == "Net.\"act\" (Exp)");
  BOOST_TEST(t[1].module.empty());
  BOOST_TEST((t[2].outputs[0].shape == Shape{2}));
  BOOST_TEST((t[4].outputs[0].shape == Shape{}));
  BOOST_TEST((t[3].inputs == std::vector<std::size_t>{2, TapeEntry::kConstant}));
}

// Those of fewer or more directions are computed by the kernels of two.
BOOST_AUTO_TEST_CASE(convolutions_and_pooling_are_named_as_called) {
  // That of the last but views, and those of its gradient.
  const auto names = [](const Tensor& y, const Tensor& x) {
    std::vector<std::string> found;
    const auto add = [&](const Tensor& z) {
      for (const TapeEntry& e : tape(z)) {
        const std::string& name = e.operation;
        const bool counts = name.starts_with("conv") || name.find("_pool") != std::string::npos;
        if (counts && std::find(found.begin(), found.end(), name) == found.end()) {
          found.push_back(name);
        }
      }
    };
    add(y);
    add(grad({(y * y).sum()}, {x}, {.create_graph = true})[0]);
    return found;
  };
  using Names = std::vector<std::string>;
  const auto image = [] { return leaf({1, 2, 3, 4, 5, 6, 7, 8, 9}).reshape({1, 1, 3, 3}); };
  const Tensor x2 = image(), x1 = x2.reshape({1, 1, 9}), x3 = x2.reshape({1, 1, 1, 3, 3});
  const auto check = [&](const Tensor& y, const Tensor& x, const Names& expected) {
    BOOST_TEST(names(y, x) == expected, boost::test_tools::per_element());
  };
  const auto ones_of = [](const Shape& shape) { return ones(shape, float64); };
  check(conv1d(x1, ones_of({1, 1, 2})), x1, {"conv1d", "conv1d_backward_data"});
  check(conv2d(x2, ones_of({1, 1, 2, 2})), x2, {"conv2d", "conv2d_backward_data"});
  check(conv3d(x3, ones_of({1, 1, 1, 2, 2})), x3, {"conv3d", "conv3d_backward_data"});
  check(conv_transpose1d(x1, ones_of({1, 1, 2})), x1,
        {"conv_transpose1d", "conv_transpose1d_backward_data"});
  const Tensor w = leaf({1, 2, 3, 4}).reshape({1, 1, 2, 2});
  check(conv_transpose2d(x2.detach(), w), w,
        {"conv_transpose2d", "conv_transpose2d_backward_weight"});
  check(max_pool1d(x1, 2), x1, {"max_pool1d", "max_pool1d_backward"});
  check(max_pool2d(x2, 2), x2, {"max_pool2d", "max_pool2d_backward"});
  check(avg_pool1d(x1, 2), x1, {"avg_pool1d", "avg_pool1d_backward"});
  check(avg_pool2d(x2, 2), x2, {"avg_pool2d", "avg_pool2d_backward"});
  check(lp_pool1d(x1, 2, 2), x1, {"lp_pool1d", "lp_pool1d_backward"});
  check(lp_pool2d(x2, 2, 2), x2, {"lp_pool2d", "lp_pool2d_backward"});
}

BOOST_AUTO_TEST_CASE(saved_bytes_are_counted_once_and_not_for_leaves) {
  const Tensor w = leaf({1, 2});
  const Tensor e = exp(w);             // keeps its result: 16 bytes
  const Tensor y = (e * e * w).sum();  // e is kept already; e * e for w's gradient, w is a leaf
  const Tape t = tape(y);
  std::int64_t total = 0;
  for (const TapeEntry& entry : t) total += entry.saved_bytes;
  BOOST_TEST(total == 32);
  BOOST_TEST(t[1].saved_bytes == 16);
  y.backward({.retain_graph = true});
  BOOST_TEST(!tape(y)[1].is_released);
  y.backward();
  const Tape after = tape(y);
  BOOST_TEST(after.size() == 1u);  // what led there is gone
  BOOST_TEST(after[0].is_released);
}

BOOST_AUTO_TEST_CASE(several_outputs_of_one_operation) {
  const Tensor x = leaf({3, 1, 2});
  Tensor value = x.detach() * 2, index = zeros({3}, int64);
  record("pair", outputs(value, index), {x}, saves(), [](Backward& t) { t.add(0, t.g() * 2); });
  const Tape t = tape(value * 2);
  BOOST_TEST(t[1].outputs.size() == 2u);
  BOOST_TEST((t[1].outputs[1].dtype == int64));
}

BOOST_AUTO_TEST_CASE(printed) {
  const Tape t = tape(example(leaf({1, 2}), tensor({3, 4}, float64)));
  const std::string table = t.table();
  contains(table, "2  exp        float64 [2]  1        16 B  Net.\"act\" (Exp)\n");
  contains(table, "3  mul        float64 [2]  2, -");
  const std::string dot = t.dot();
  BOOST_TEST(dot.starts_with("digraph tape {\n"));
  contains(dot, "label=\"Net.\\\"act\\\" (Exp)\"");
  contains(dot, "  n1 -> n2;\n");
  contains(dot, "n0 [label=\"leaf\"");
  const std::string report = t.memory_report();
  contains(report, "exp                 1   16 B");
  contains(report, "Net.\"act\" (Exp)           1   16 B");
  contains(report, "saved for backward: 32 B; live: ");
}

BOOST_AUTO_TEST_CASE(a_snapshot_keeps_nothing_alive) {
  const auto before = memory::stats();
  Tape t;
  {
    const Tensor x = leaf({1, 2});
    t = tape(example(x, x));
    BOOST_TEST(memory::stats().live_nodes > before.live_nodes);
  }
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes);
  BOOST_TEST(t.size() == 5u);
}

BOOST_AUTO_TEST_CASE(nothing_recorded) {
  BOOST_TEST(tape(ones({2})).size() == 0u);
  BOOST_TEST(tape(leaf({1})).size() == 1u);
  BOOST_CHECK_EXCEPTION(tape(Tensor()), ValueError, says("tape: got an undefined tensor"));
}

BOOST_AUTO_TEST_SUITE_END()
