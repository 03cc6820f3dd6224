// SPDX-License-Identifier: BSD-3-Clause
#include <pthread.h>

#include <chrono>
#include <xtape/autograd/memory.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/sweep.hpp>

#include "expect.hpp"

// Graphs far larger or deeper than usual. The suite has the machine to itself (its name).
BOOST_AUTO_TEST_SUITE(tape_limits)

using namespace xtape;
using namespace xtape::test;

namespace {

struct ChainResult {
  double gradient = 0;
  std::int64_t nodes = 0;  // recorded while it stood
};

// A chain of alternating products and sums: built, differentiated, released.
ChainResult run_chain(int operations, bool walk) {
  ChainResult result;
  const auto before = memory::stats().live_nodes;
  const Tensor x = leaf({1.0});
  Tensor y = x;
  for (int i = 0; i < operations / 2; ++i) y = y * 0.5 + x;
  result.nodes = memory::stats().live_nodes - before;
  if (walk) {
    y.backward();
    result.gradient = elements(x.grad())[0];
  }
  y = Tensor();
  return result;
}

struct OnSmallStack {
  bool walk;
  ChainResult result;
  static void* run(void* self) {
    auto* s = static_cast<OnSmallStack*>(self);
    s->result = run_chain(1'000'000, s->walk);
    return nullptr;
  }
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

}  // namespace

BOOST_AUTO_TEST_CASE(a_million_operations) {
  const auto before = memory::stats();
  const ChainResult r = run_chain(1'000'000, true);
  BOOST_TEST(r.gradient == 2.0);  // 1 + 1/2 + 1/4 + ...
  BOOST_TEST(r.nodes == 1'000'001);
  run_chain(1'000'000, false);  // released without having been walked
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes);
  BOOST_TEST(memory::stats().live_tensors == before.live_tensors);
  BOOST_TEST(memory::stats().live_bytes == before.live_bytes);
}

BOOST_AUTO_TEST_CASE(a_million_operations_on_a_stack_of_256_kib) {
  const auto before = memory::stats();
  for (const bool walk : {true, false}) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    OnSmallStack task{walk, {}};
    pthread_t thread;
    BOOST_REQUIRE(pthread_create(&thread, &attributes, &OnSmallStack::run, &task) == 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    BOOST_TEST(task.result.gradient == (walk ? 2.0 : 0.0));
  }
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes);
}

BOOST_AUTO_TEST_CASE(sixty_stacked_diamonds) {
  // 2^60 paths.
  double least = 1e9;
  for (int run = 0; run < 5; ++run) {
    const Tensor x = leaf({1, 2});
    const auto start = std::chrono::steady_clock::now();
    Tensor y = x;
    for (int i = 0; i < 60; ++i) y = y * 0.5 + y * 0.5;
    sum(y).backward();
    const Tensor g = grad({sum(x * x)}, {x})[0];
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    least = std::min(least, time.count());
    XTAPE_SAME(x.grad(), {1, 1});
  }
  if (!kSanitized) BOOST_TEST(least < 10.0);
}

BOOST_AUTO_TEST_CASE(a_value_used_by_many) {
  const Tensor x = leaf({1, 2});
  const Tensor h = x * 2;
  Tensor y = h;
  for (int i = 0; i < 50'000; ++i) y = y + h;
  sum(y).backward();
  XTAPE_SAME(x.grad(), {100'002, 100'002});
}

BOOST_AUTO_TEST_SUITE_END()
