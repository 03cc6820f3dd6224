// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/inspect.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/reductions.hpp>
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
