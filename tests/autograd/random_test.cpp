// SPDX-License-Identifier: BSD-3-Clause
#include <Random123/philox.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <thread>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/parallel.hpp>
#include <xtape/autograd/random.hpp>

#include "expect.hpp"

BOOST_AUTO_TEST_SUITE(random_numbers)

using namespace xtape;
using namespace xtape::test;

namespace {

// One block as Random123's own philox4x32 makes it.
r123::Philox4x32::ctr_type block(const Generator& g, std::uint64_t index) {
  const std::uint64_t n = g.position + index;
  const r123::Philox4x32::ctr_type counter{
      {static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n >> 32),
       static_cast<std::uint32_t>(g.stream), static_cast<std::uint32_t>(g.stream >> 32)}};
  const r123::Philox4x32::key_type key{
      {static_cast<std::uint32_t>(g.seed), static_cast<std::uint32_t>(g.seed >> 32)}};
  return r123::Philox4x32()(counter, key);
}

double uniform_double(std::uint32_t low, std::uint32_t high) {
  return static_cast<double>((std::uint64_t{high} << 32 | low) >> 11) * 0x1p-53;
}

constexpr std::int64_t kCount = 40'003;  // several chunks and a remainder of a block

}  // namespace

BOOST_AUTO_TEST_CASE(blocks_are_those_of_random123) {
  const Generator generators[] = {{0, 0, 0},
                                  {1234567, 0, 0},
                                  {0x0123456789abcdef, 0xfedcba9876543210, 17},
                                  {~std::uint64_t{0}, 5, 0xfffffff0}};  // the counter carries
  for (const Generator& g : generators) {
    const GeneratorScope scope(g);
    const Tensor x = rand({kCount});
    for (std::int64_t i = 0; i < kCount; ++i) {
      const auto words = block(g, static_cast<std::uint64_t>(i / 4));
      const float expected =
          static_cast<float>(words[static_cast<std::size_t>(i % 4)] >> 8) * 0x1p-24f;
      BOOST_TEST_REQUIRE(x.data<float>()[i] == expected);
    }
    BOOST_TEST(default_generator().position == g.position + (kCount + 3) / 4);
    default_generator() = g;
    const Tensor y = rand({kCount}, float64);
    for (std::int64_t i = 0; i < kCount; ++i) {
      const auto words = block(g, static_cast<std::uint64_t>(i / 2));
      const std::size_t at = static_cast<std::size_t>(i % 2) * 2;
      BOOST_TEST_REQUIRE(y.data<double>()[i] == uniform_double(words[at], words[at + 1]));
    }
    BOOST_TEST(default_generator().position == g.position + (kCount + 1) / 2);
  }
}

// Box and Muller, in long double.
BOOST_AUTO_TEST_CASE(normals_come_from_the_blocks) {
  const Generator g{99, 3, 1000};
  const GeneratorScope scope(g);
  const long double turn = 2 * std::acos(-1.0L);
  const Tensor x = randn({kCount}, float64);
  for (std::int64_t i = 0; i < kCount; ++i) {
    const auto words = block(g, static_cast<std::uint64_t>(i / 2));
    const long double u = uniform_double(words[0], words[1]) + 0x1p-54;
    const long double radius = std::sqrt(-2 * std::log(u));
    const long double angle = turn * uniform_double(words[2], words[3]);
    const long double expected = radius * (i % 2 ? std::sin(angle) : std::cos(angle));
    BOOST_TEST_REQUIRE(std::abs(x.data<double>()[i] - expected) < 1e-14L);
  }
  default_generator() = g;
  const Tensor y = randn({kCount});
  for (std::int64_t i = 0; i < kCount; ++i) {
    const auto words = block(g, static_cast<std::uint64_t>(i / 4));
    const std::size_t at = static_cast<std::size_t>(i % 4) / 2 * 2;
    const long double u = static_cast<float>(words[at]) * 0x1p-32L + 0x1p-33L;
    const long double angle = turn * static_cast<long double>(words[at + 1] >> 8) * 0x1p-24L;
    const long double expected =
        std::sqrt(-2 * std::log(u)) * (i % 2 ? std::sin(angle) : std::cos(angle));
    BOOST_TEST_REQUIRE(std::abs(y.data<float>()[i] - expected) < 5e-6L);
  }
}

BOOST_AUTO_TEST_CASE(the_number_of_threads_does_not_matter) {
  const int before = num_threads();
  std::vector<std::vector<Values>> draws;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    manual_seed(21);
    draws.push_back({elements(rand({100'003})), elements(rand({50'001}, float64)),
                     elements(randn({100'003})), elements(randn({50'001}, float64)),
                     elements(randint(0, 1000, {100'003})), elements(randperm(40'000))});
  }
  set_num_threads(before);
  BOOST_TEST((draws[0] == draws[1]));
  BOOST_TEST((draws[0] == draws[2]));
}

BOOST_AUTO_TEST_CASE(seeds_and_streams_differ) {
  std::vector<Values> draws;
  for (const Generator& g :
       {Generator{0, 0, 0}, Generator{1, 0, 0}, Generator{0, 1, 0}, Generator{0, 0, 1},
        Generator{1ull << 32, 0, 0}, Generator{0, 1ull << 32, 0}}) {
    const GeneratorScope scope(g);
    draws.push_back(elements(rand({100})));
  }
  for (std::size_t i = 0; i < draws.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      int equal = 0;
      for (std::size_t k = 0; k < 100; ++k) equal += draws[i][k] == draws[j][k];
      BOOST_TEST(equal < 3);
    }
  }
}

BOOST_AUTO_TEST_CASE(draws_go_on_where_the_last_one_ended) {
  manual_seed(8);
  const Values together = elements(rand({12}));
  manual_seed(8);
  Values apart = elements(rand({4}));
  for (const double v : elements(rand({8}))) apart.push_back(v);
  BOOST_TEST((together == apart));
}

BOOST_AUTO_TEST_CASE(a_scope_ends) {
  manual_seed(8);
  const Values expected = elements(rand({4}));
  manual_seed(8);
  Values inside;
  {
    const GeneratorScope scope({8, 1, 0});
    inside = elements(rand({4}));
    {
      const GeneratorScope inner({8, 0, 0});
      BOOST_TEST((elements(rand({4})) == expected));
    }
    BOOST_TEST(default_generator().stream == 1u);
    BOOST_TEST(default_generator().position == 1u);
  }
  BOOST_TEST((inside != expected));
  BOOST_TEST((elements(rand({4})) == expected));
}

BOOST_AUTO_TEST_CASE(each_thread_has_its_own) {
  manual_seed(8);
  const Values first = elements(rand({4}));
  Values other;
  std::thread([&] {
    other = elements(rand({4}));
    manual_seed(8);
    BOOST_TEST((elements(rand({4})) == first));
  }).join();
  BOOST_TEST((other != first));
  manual_seed(0);
  BOOST_TEST((elements(rand({4})) == other));  // seed 0 at first
}

BOOST_AUTO_TEST_SUITE_END()
