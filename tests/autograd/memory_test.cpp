// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/memory.hpp>

#include <unistd.h>
#include <atomic>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/sweep.hpp>

#include "expect.hpp"

using namespace xtape;
using namespace xtape::test;

namespace {

// Released after main, when thread-local objects of the main thread are gone.
Tensor static_tensor;
Tensor static_graph;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// The flags of the mapping that holds an address, as /proc/self/smaps lists them.
std::string flags_of_mapping(const void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream file("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    std::uintptr_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2) {
      inside = begin <= at && at < end;
    } else if (inside && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_pools)

BOOST_AUTO_TEST_CASE(large_blocks_ask_for_huge_pages) {
  if (kSanitized || !std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled")) {
    BOOST_TEST_MESSAGE("skipped: no pools, or no huge pages in this system");
    return;
  }
  const Tensor large = empty({5 << 20});  // a small one may lie where a large one lay before
  const auto* first = reinterpret_cast<const char*>(large.data<float>());
  BOOST_TEST((flags_of_mapping(first).find(" hg ") != std::string::npos));
  BOOST_TEST((flags_of_mapping(first + (18 << 20)).find(" hg ") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(blocks_are_aligned_and_apart) {
  std::vector<std::pair<std::byte*, std::size_t>> blocks;
  for (std::size_t bytes = 0; bytes < 70'000; bytes = bytes < 1200 ? bytes + 1 : bytes * 5 / 4) {
    auto* block = static_cast<std::byte*>(xtape::detail::allocate(bytes));
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(block) % 64 == 0U);
    std::memset(block, static_cast<int>(blocks.size() & 0xff), bytes);
    blocks.emplace_back(block, bytes);
  }
  bool whole = true;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (std::size_t j = 0; j < blocks[i].second; ++j) {
      whole = whole && blocks[i].first[j] == static_cast<std::byte>(i & 0xff);
    }
  }
  BOOST_TEST(whole);
  for (const auto& [block, bytes] : blocks) xtape::detail::deallocate(block, bytes);
  xtape::detail::deallocate(nullptr, 0);
}

BOOST_AUTO_TEST_CASE(statistics) {
  const auto before = memory::stats();
  memory::reset_peak();
  {
    const Tensor x = zeros({1 << 20});  // 4 MiB
    BOOST_TEST(memory::stats().live_bytes - before.live_bytes == 4 << 20);
    BOOST_TEST(memory::stats().live_tensors - before.live_tensors == 1);
    BOOST_TEST(memory::stats().peak_bytes - before.live_bytes >= 4 << 20);
  }
  BOOST_TEST(memory::stats().live_bytes == before.live_bytes);
  BOOST_TEST(memory::stats().peak_bytes - before.live_bytes >= 4 << 20);
  memory::reset_peak();
  BOOST_TEST(memory::stats().peak_bytes - before.live_bytes < 1 << 20);
  if (!kSanitized) BOOST_TEST(memory::stats().cached_bytes >= 4 << 20);
  memory::release_cached();
  BOOST_TEST(memory::stats().cached_bytes == 0);
}

BOOST_AUTO_TEST_CASE(views_count_once) {
  const auto before = memory::stats();
  const Tensor x = zeros({1000}, float64);
  const Tensor view = x.detach();
  BOOST_TEST(memory::stats().live_bytes - before.live_bytes == 8000);
  BOOST_TEST(memory::stats().live_tensors - before.live_tensors == 2);
}

BOOST_AUTO_TEST_CASE(large_blocks_are_used_again) {
  if (kSanitized) return;
  memory::release_cached();
  const void* first;
  {
    const Tensor x = empty({1 << 20});
    first = x.data<float>();
  }
  const Tensor y = empty({1 << 20});
  BOOST_TEST(y.data<float>() == first);
}

// Between steps of training nearly all of the memory is cached; a new size must not cost it.
BOOST_AUTO_TEST_CASE(a_new_size_leaves_the_cache_of_a_step) {
  if (kSanitized) return;
  memory::release_cached();
  memory::reset_peak();
  const std::int64_t block = std::int64_t{16} << 20;
  {
    std::vector<Tensor> step(12);
    for (Tensor& x : step) x = empty({block}, uint8);
  }
  BOOST_TEST(memory::stats().cached_bytes >= 12 * block);
  const Tensor x = empty({block / 3}, uint8);
  BOOST_TEST(memory::stats().cached_bytes >= 12 * block);
}

BOOST_AUTO_TEST_CASE(sizes_asked_for_once_do_not_pile_up) {
  if (kSanitized) return;
  memory::release_cached();
  memory::reset_peak();
  const auto live = memory::stats().live_bytes;
  const std::int64_t most = std::int64_t{128} << 20;
  for (std::int64_t bytes = most; bytes > most / 16; bytes = bytes * 7 / 8) {
    empty({bytes}, uint8);
  }
  BOOST_TEST(memory::stats().cached_bytes <= (live + most) * 3 / 2 + (std::int64_t{64} << 20));
  memory::release_cached();
}

BOOST_AUTO_TEST_CASE(freed_by_another_thread) {
  const auto before = memory::stats();
  for (int round = 0; round < 20; ++round) {
    std::vector<Tensor> made;
    for (int i = 0; i < 1000; ++i) made.push_back(full({1 + i % 300}, i));
    std::thread([taken = std::move(made)]() mutable {
      for (int i = 0; i < 1000; ++i) {
        if (taken[i].data<float>()[0] != static_cast<float>(i)) std::abort();
      }
      taken.clear();
    }).join();
  }
  BOOST_TEST(memory::stats().live_tensors == before.live_tensors);
  BOOST_TEST(memory::stats().live_bytes == before.live_bytes);
}

BOOST_AUTO_TEST_CASE(outlives_its_thread) {
  const auto before = memory::stats();
  Tensor x, y;
  std::thread([&] {
    x = leaf({1, 2, 3});
    y = sum(x * x);
  }).join();
  y.backward();
  XTAPE_SAME(x.grad(), {2, 4, 6});
  std::thread([&] { x = y = Tensor(); }).join();
  BOOST_TEST(memory::stats().live_tensors == before.live_tensors);
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes);
  BOOST_TEST(memory::stats().live_bytes == before.live_bytes);
}

BOOST_AUTO_TEST_CASE(static_values) {
  // That the program ends cleanly is the test.
  static_tensor = leaf({1, 2, 3});
  static_graph = sum(static_tensor * static_tensor);
  static thread_local Tensor of_thread = static_tensor * 2;
  BOOST_TEST(of_thread.requires_grad());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(memory_limits)

// What one thread makes and another frees comes back to the first: 2 GB pass, a few MB stay.
BOOST_AUTO_TEST_CASE(frees_of_another_thread_do_not_grow_memory) {
  if (kSanitized) return;
  std::atomic<Tensor*> box{nullptr};
  std::atomic<bool> done{false};
  std::thread consumer([&] {
    while (!done) delete box.exchange(nullptr);
  });
  const auto pass = [&](int count) {
    for (int i = 0; i < count; ++i) {
      auto* made = new Tensor(empty({64 + i % 1000}));
      delete box.exchange(made);
    }
  };
  pass(100'000);
  const std::int64_t before = resident_bytes();
  pass(1'000'000);
  const std::int64_t after = resident_bytes();
  done = true;
  consumer.join();
  delete box.exchange(nullptr);
  BOOST_TEST(after - before < 1 << 20);
}

// Threads that come and go take over each other's pools.
BOOST_AUTO_TEST_CASE(threads_that_come_and_go_do_not_grow_memory) {
  if (kSanitized) return;
  const auto round = [] {
    std::thread([] {
      std::vector<Tensor> many;
      for (int i = 0; i < 500; ++i) many.push_back(zeros({i}));
    }).join();
  };
  for (int i = 0; i < 20; ++i) round();
  const std::int64_t before = resident_bytes();
  for (int i = 0; i < 500; ++i) round();
  BOOST_TEST(resident_bytes() - before < 1 << 20);
}

BOOST_AUTO_TEST_CASE(steps_do_not_grow_memory) {
  const auto before = memory::stats();
  std::int64_t resident = 0;
  const Tensor w = full({40, 40}, 0.01).requires_grad_();
  for (int i = 0; i < 10'000; ++i) {
    Tensor h = full({40, 40}, 0.5);
    for (int layer = 0; layer < 3; ++layer) h = h * w + w;
    sum(h * h).backward();
    Tensor(w).zero_grad();
    if (i == 1000) resident = resident_bytes();
  }
  if (!kSanitized) BOOST_TEST(resident_bytes() - resident < 1 << 20);
  BOOST_TEST(memory::stats().live_nodes == before.live_nodes + 1);  // the leaf
  BOOST_TEST(memory::stats().live_tensors == before.live_tensors + 1);
}

BOOST_AUTO_TEST_SUITE_END()
