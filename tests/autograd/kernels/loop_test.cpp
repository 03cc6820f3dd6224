// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/kernels/loop.hpp>

#include <boost/test/unit_test.hpp>
#include <numeric>
#include <stdexcept>
#include <vector>
#include <xtape/autograd/parallel.hpp>

BOOST_AUTO_TEST_SUITE(loops)

using xtape::kernels::Loop;
using Numbers = std::vector<std::int64_t>;

namespace {

Loop make_loop(const Numbers& sizes, const std::vector<Numbers>& strides) {
  Loop loop;
  loop.rank = static_cast<int>(sizes.size());
  loop.operands = static_cast<int>(strides.size());
  std::copy(sizes.begin(), sizes.end(), loop.sizes);
  for (std::size_t o = 0; o < strides.size(); ++o) {
    std::copy(strides[o].begin(), strides[o].end(), loop.strides[o]);
  }
  return loop;
}

Numbers sizes_of(const Loop& loop) { return {loop.sizes, loop.sizes + loop.rank}; }
Numbers strides_of(const Loop& loop, int o) {
  return {loop.strides[o], loop.strides[o] + loop.rank};
}

Numbers dense(const Numbers& sizes) {
  Numbers strides(sizes.size());
  std::int64_t step = 1;
  for (std::size_t i = sizes.size(); i-- > 0; step *= sizes[i]) strides[i] = step;
  return strides;
}

}  // namespace

BOOST_AUTO_TEST_CASE(dense_dimensions_join) {
  Loop loop = make_loop({2, 3, 4}, {{12, 4, 1}, {12, 4, 1}});
  loop.simplify();
  BOOST_TEST(sizes_of(loop) == (Numbers{24}), boost::test_tools::per_element());
  BOOST_TEST(strides_of(loop, 1) == (Numbers{1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(broadcast_dimensions_join_among_themselves) {
  Loop loop = make_loop({2, 3, 4, 5}, {{60, 20, 5, 1}, {0, 0, 5, 1}});
  loop.simplify();
  BOOST_TEST(sizes_of(loop) == (Numbers{6, 20}), boost::test_tools::per_element());
  BOOST_TEST(strides_of(loop, 1) == (Numbers{0, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(order_is_that_of_the_first_operand) {
  Loop loop = make_loop({3, 1, 4}, {{1, 99, 3}, {4, 7, 1}});
  loop.simplify();
  BOOST_TEST(sizes_of(loop) == (Numbers{4, 3}), boost::test_tools::per_element());
  BOOST_TEST(strides_of(loop, 0) == (Numbers{3, 1}), boost::test_tools::per_element());
  BOOST_TEST(strides_of(loop, 1) == (Numbers{1, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_single_element_is_one_dimension) {
  for (const Numbers& sizes : {Numbers{}, Numbers{1, 1}}) {
    Loop loop = make_loop(sizes, {Numbers(sizes.size(), 3), Numbers(sizes.size(), 0)});
    loop.simplify();
    BOOST_TEST(sizes_of(loop) == (Numbers{1}), boost::test_tools::per_element());
  }
}

namespace {

// out = a + 10000 b, counting how often each element is written.
void add_strip(const void*, std::byte* const* p, const std::int64_t* steps, std::int64_t count) {
  auto* out = reinterpret_cast<double*>(p[0]);
  auto* times = reinterpret_cast<std::uint8_t*>(p[1]);
  const auto* a = reinterpret_cast<const float*>(p[2]);
  const auto* b = reinterpret_cast<const double*>(p[3]);
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = a[i * steps[2]] + 10000.0 * b[i * steps[3]];
    if (times) ++times[i];
  }
}

// The same for sizes, with a and b of any strides, against the plainest loop.
void check(const Numbers& sizes, const Numbers& a_strides, const Numbers& b_strides,
           std::int64_t grain, bool counted = true) {
  const std::int64_t n =
      std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
  const auto span_of = [&](const Numbers& strides) {
    std::int64_t low = 0, high = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      (strides[i] < 0 ? low : high) += strides[i] * std::max<std::int64_t>(0, sizes[i] - 1);
    }
    return std::pair(-low, high - low + 1);
  };
  const auto [a_first, a_size] = span_of(a_strides);
  const auto [b_first, b_size] = span_of(b_strides);
  std::vector<float> a(static_cast<std::size_t>(a_size));
  std::vector<double> b(static_cast<std::size_t>(b_size));
  std::iota(a.begin(), a.end(), 1.0f);
  std::iota(b.begin(), b.end(), 1.0);
  std::vector<double> out(static_cast<std::size_t>(n), -1);
  std::vector<std::uint8_t> times(static_cast<std::size_t>(n), 0);
  const Numbers strides = dense(sizes);
  const xtape::kernels::Operand operands[] = {
      {reinterpret_cast<std::byte*>(out.data()), strides.data(), 8},
      {counted ? reinterpret_cast<std::byte*>(times.data()) : nullptr, strides.data(), 1},
      {reinterpret_cast<std::byte*>(a.data() + a_first), a_strides.data(), 4},
      {reinterpret_cast<std::byte*>(b.data() + b_first), b_strides.data(), 8}};
  xtape::kernels::run_strips(sizes, operands, 2, add_strip, nullptr, grain);

  Numbers index(sizes.size(), 0);
  bool right = true, once = true;
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t at_a = a_first, at_b = b_first;
    for (std::size_t d = 0; d < sizes.size(); ++d) {
      at_a += index[d] * a_strides[d];
      at_b += index[d] * b_strides[d];
    }
    const auto e = static_cast<std::size_t>(i);
    right = right && out[e] == a[static_cast<std::size_t>(at_a)] +
                                   10000.0 * b[static_cast<std::size_t>(at_b)];
    once = once && times[e] == (counted ? 1 : 0);
    for (std::size_t d = sizes.size(); d-- > 0 && ++index[d] == sizes[d];) index[d] = 0;
  }
  BOOST_TEST(right);
  BOOST_TEST(once);
}

}  // namespace

BOOST_AUTO_TEST_CASE(strips_cover_each_element_once) {
  for (const std::int64_t grain : {1, 7, 100, 1 << 20}) {
    BOOST_TEST_CONTEXT("grain " << grain) {
      check({1000}, {1}, {1}, grain);
      check({1000}, {1}, {0}, grain);            // a number
      check({1000}, {-1}, {2}, grain);           // reversed, sliced
      check({30, 40}, {40, 1}, {1, 30}, grain);  // transposed
      check({30, 40}, {0, 1}, {1, 0}, grain);    // row and column
      check({8, 100}, {100, 1}, {0, 1}, grain);  // rows long enough to be used in place
      check({8, 100}, {-100, 1}, {1, 0}, grain);
      check({5, 6, 7}, {42, -7, 1}, {0, 2, 0}, grain);
      check({3, 4, 5, 6}, {1, 3, 12, 60}, {120, 30, 6, 1}, grain);
      check({0, 5}, {5, 1}, {0, 1}, grain);
      check({}, {}, {}, grain);
      check({1, 1}, {9, 9}, {0, 4}, grain);
      check({5, 130}, {130, 1}, {1, 5}, grain, false);  // an output nobody wants
    }
  }
  check({200, 300}, {1, 200}, {300, 1}, 1 << 15);  // large enough to be reordered first
  check({200, 300}, {1, 200}, {2, 400}, 1 << 12);
}

BOOST_AUTO_TEST_CASE(chunks_depend_on_count_and_grain_alone) {
  const int before = xtape::num_threads();
  std::vector<Numbers> found;
  for (const int threads : {1, 2}) {
    xtape::set_num_threads(threads);
    Numbers ends(10, 0);
    xtape::detail::parallel_for(95, 10, [&](std::int64_t begin, std::int64_t end) {
      ends[static_cast<std::size_t>(begin / 10)] = begin * 1000 + end;
    });
    found.push_back(ends);
  }
  xtape::set_num_threads(before);
  BOOST_TEST(found[0] == found[1], boost::test_tools::per_element());
  BOOST_TEST(found[0][9] == 90'095);
  BOOST_CHECK_THROW(xtape::set_num_threads(0), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(an_exception_in_a_chunk_reaches_the_caller) {
  BOOST_CHECK_THROW(xtape::detail::parallel_for(100, 1,
                                                [](std::int64_t begin, std::int64_t) {
                                                  if (begin == 57) throw std::out_of_range("57");
                                                }),
                    std::out_of_range);
}

BOOST_AUTO_TEST_SUITE_END()
