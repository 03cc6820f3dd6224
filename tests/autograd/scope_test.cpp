// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/scope.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <thread>
#include <xtape/autograd/error.hpp>

namespace {
using namespace xtape::detail;
std::string message() { return xtape::Error("text").what(); }
}  // namespace

BOOST_AUTO_TEST_SUITE(scope)

BOOST_AUTO_TEST_CASE(equal_texts_have_one_number) {
  const std::uint32_t a = intern_scope("Net.a (Linear)"), b = intern_scope("Net.b (Linear)");
  BOOST_TEST(a != b);
  BOOST_TEST(a == intern_scope("Net.a (Linear)"));
  BOOST_TEST(scope_text(a) == "Net.a (Linear)");
  BOOST_TEST(intern_scope("") == 0u);
}

BOOST_AUTO_TEST_CASE(errors_are_prefixed_inside_a_guard_of_this_thread) {
  BOOST_TEST(message() == "text");
  {
    const ScopeGuard outer(intern_scope("A"));
    {
      const ScopeGuard inner(intern_scope("A.b (B)"));
      BOOST_TEST(message() == "A.b (B): text");
      std::string elsewhere;
      std::thread([&] { elsewhere = message(); }).join();
      BOOST_TEST(elsewhere == "text");
    }
    BOOST_TEST(message() == "A: text");
  }
  BOOST_TEST(current_scope() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
