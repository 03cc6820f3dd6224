// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/profiler.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/math.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/scope.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/autograd/tape.hpp>

#include "../data/files.hpp"
#include "expect.hpp"

BOOST_AUTO_TEST_SUITE(profiler)

using namespace xtape;
using namespace xtape::test;

namespace {

Tensor slow(const Tensor& x) {
  Tensor y;
  {
    const NoGrad no_grad;
    y = Tensor(x).detach() + 0;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  record("slow", y, {x}, saves(), [](Backward& t) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    t.add(0, t.g() * 1);
  });
  return y;
}

}  // namespace

BOOST_AUTO_TEST_CASE(operations_forward_and_backward_with_their_modules) {
  const Tensor x = leaf({1, 2});
  const Profiler p;
  {
    const xtape::detail::ScopeGuard module(xtape::detail::intern_scope("Net.a (A)"));
    exp(slow(x));
  }
  slow(x * 2).sum().backward();
  std::vector<std::string> names;
  for (const ProfileEvent& e : p.events()) {
    names.push_back(std::string(e.operation) + (e.backward ? "'" : "") + " " + e.module);
    BOOST_TEST(e.begin_ns <= e.end_ns);
  }
  const std::vector<std::string> expected{
      "add Net.a (A)", "slow Net.a (A)", "exp Net.a (A)", "mul ",   "add ",
      "slow ",         "sum ",           "sum' ",         "slow' ", "mul' "};
  BOOST_TEST(names == expected, boost::test_tools::per_element());
  const ProfileEvent& forward = p.events()[1];
  const ProfileEvent& backward = p.events()[8];
  BOOST_TEST(forward.end_ns - forward.begin_ns >= 5'000'000);
  BOOST_TEST(backward.end_ns - backward.begin_ns >= 10'000'000);
  const std::string table = p.table();
  BOOST_TEST(table.find("operation  calls  forward ms  backward ms\nslow           2") == 0u,
             table);
  BOOST_TEST(table.find("Net.a (A)      3") != std::string::npos, table);
}

BOOST_AUTO_TEST_CASE(without_recording_and_after_an_error) {
  const Profiler p;
  {
    const NoGrad no_grad;
    exp(leaf({1}));
  }
  BOOST_TEST(p.events().size() == 1u);
  const Tensor x = leaf({1});
  Tensor y = x.detach() * 1;
  record("fails", y, {x}, saves(), [](Backward&) { throw ValueError("no"); });
  BOOST_CHECK_THROW(y.backward(), ValueError);
  const std::size_t before = p.events().size();
  exp(x);
  BOOST_TEST(p.events().size() == before + 1);
}

BOOST_AUTO_TEST_CASE(nothing_outside_of_its_scope) {
  { const Profiler p; }
  exp(leaf({1}));
  const Profiler p;
  BOOST_TEST(p.events().empty());
  std::thread([] { exp(leaf({1})); }).join();
  BOOST_TEST(p.events().empty());
}

BOOST_AUTO_TEST_CASE(trace_file) {
  const ::test::Folder folder;
  const Profiler p;
  exp(leaf({1})).backward();
  const std::string path = folder / "trace.json";
  p.write_trace(path);
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  BOOST_TEST(text.find("\"traceEvents\":[{") != std::string::npos, text);
  BOOST_TEST(text.find("\"name\":\"exp\"") != std::string::npos, text);
  BOOST_TEST(text.find("\"cat\":\"backward\"") != std::string::npos, text);
  BOOST_CHECK_EXCEPTION(p.write_trace(folder / "none/trace.json"), FileError, says("cannot write"));
}

BOOST_AUTO_TEST_SUITE_END()
