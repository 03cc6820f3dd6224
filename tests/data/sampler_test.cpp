// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/data/loader.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::ValueError;
using namespace xtape::data;

namespace {

using Numbers = std::vector<std::int64_t>;

Numbers sorted(Numbers x) {
  std::sort(x.begin(), x.end());
  return x;
}

Numbers counted(std::int64_t count) {
  Numbers x(static_cast<std::size_t>(count));
  std::iota(x.begin(), x.end(), 0);
  return x;
}

template <class S>
xtape::Shared<const Sampler> shared(S sampler) {
  return xtape::Shared<S>::make(std::move(sampler));
}

Numbers epoch(DataLoader& loader) {
  Numbers result;
  for (const auto& [x, y] : loader) {
    result.insert(result.end(), x.data<std::int64_t>(), x.data<std::int64_t>() + x.numel());
  }
  return result;
}

TensorDataset hundred() { return TensorDataset(xtape::arange(100)); }

// Behaves as told, not as it should.
struct Wrong final : Sampler {
  Numbers numbers;
  explicit Wrong(Numbers n) : numbers(std::move(n)) {}
  std::int64_t size() const override { return 2; }
  Numbers order(std::int64_t) const override { return numbers; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(data_sampler)

BOOST_AUTO_TEST_CASE(sequential_is_in_order) {
  BOOST_CHECK(SequentialSampler(5).order(3) == counted(5));
  BOOST_CHECK(SequentialSampler(0).order(0).empty());
  BOOST_CHECK_THROW(SequentialSampler(-1), ValueError);
}

BOOST_AUTO_TEST_CASE(random_is_the_loaders_shuffle) {
  DataLoader shuffling(hundred(), {.batch_size = 7, .shuffle = true, .seed = 3});
  DataLoader sampling(hundred(),
                      {.batch_size = 7, .sampler = shared(RandomSampler(100, {.seed = 3}))});
  for (int i = 0; i < 2; ++i) BOOST_CHECK(epoch(shuffling) == epoch(sampling));
}

BOOST_AUTO_TEST_CASE(random_draws_some_of_all) {
  const RandomSampler some(50, {.samples = 20, .seed = 1});
  BOOST_CHECK_EQUAL(some.size(), 20);
  Numbers drawn = sorted(some.order(0));
  BOOST_CHECK_EQUAL(drawn.size(), 20u);
  BOOST_CHECK(std::adjacent_find(drawn.begin(), drawn.end()) == drawn.end());
  BOOST_CHECK(drawn.front() >= 0 && drawn.back() < 50);
  BOOST_CHECK(some.order(0) == some.order(0));
  BOOST_CHECK(some.order(1) != some.order(0));

  const RandomSampler again(4, {.samples = 4000, .replacement = true});
  const Numbers many = again.order(0);
  for (std::int64_t i = 0; i < 4; ++i) {  // 1000 each, give or take 5 sigma
    const auto count = std::count(many.begin(), many.end(), i);
    BOOST_CHECK(count > 860 && count < 1140);
  }
  BOOST_CHECK_EXCEPTION(RandomSampler(4, {.samples = 5}), ValueError,
                        says("RandomSampler: cannot draw 5 samples of 4 without replacement"));
  BOOST_CHECK_THROW(RandomSampler(0, {.samples = 5, .replacement = true}), ValueError);
  BOOST_CHECK_THROW(RandomSampler(4, {.samples = -1}), ValueError);
}

BOOST_AUTO_TEST_CASE(weights_are_shares) {
  const WeightedRandomSampler sampler({1, 0, 3, 4}, {.samples = 8000, .seed = 2});
  const Numbers drawn = sampler.order(0);
  BOOST_CHECK_EQUAL(drawn.size(), 8000u);
  const double expected[] = {1000, 0, 3000, 4000};
  for (std::int64_t i = 0; i < 4; ++i) {
    const auto count = static_cast<double>(std::count(drawn.begin(), drawn.end(), i));
    BOOST_CHECK_LE(std::abs(count - expected[i]), 5 * std::sqrt(expected[i]));
  }
  BOOST_CHECK(sampler.order(0) == drawn);
  BOOST_CHECK(sampler.order(1) != drawn);
}

BOOST_AUTO_TEST_CASE(without_replacement_the_heavy_come_first) {
  const WeightedRandomSampler sampler({1, 0, 3, 4}, {.samples = 3, .replacement = false});
  int first[4] = {};
  for (std::int64_t e = 0; e < 4000; ++e) {
    const Numbers order = sampler.order(e);
    BOOST_REQUIRE(sorted(order) == (Numbers{0, 2, 3}));
    ++first[order[0]];
  }
  const double expected[] = {500, 0, 1500, 2000};
  for (int i = 0; i < 4; ++i) {
    BOOST_CHECK_LE(std::abs(first[i] - expected[i]), 5 * std::sqrt(expected[i]));
  }
  BOOST_CHECK_THROW(WeightedRandomSampler({1, 0, 3, 4}, {.replacement = false}), ValueError);
}

BOOST_AUTO_TEST_CASE(weights_that_are_none) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_CHECK_EXCEPTION(WeightedRandomSampler({1, -1}), ValueError, says("weight 1 is -1"));
  BOOST_CHECK_THROW(WeightedRandomSampler({1, nan}), ValueError);
  BOOST_CHECK_THROW(WeightedRandomSampler({1e308, 1e308}), ValueError);
  BOOST_CHECK_THROW(WeightedRandomSampler({0, 0}), ValueError);
  BOOST_CHECK_THROW(WeightedRandomSampler({}), ValueError);
}

BOOST_AUTO_TEST_CASE(balanced_weights_make_classes_equal) {
  const auto labels = xtape::tensor({0, 0, 0, 7}, xtape::int64);
  const std::vector<double> expected = {1.0 / 3, 1.0 / 3, 1.0 / 3, 1};
  BOOST_CHECK(balanced_weights(labels) == expected);
  BOOST_CHECK_THROW(balanced_weights(labels.to(xtape::float32)), xtape::DTypeError);
  BOOST_CHECK_THROW(balanced_weights(labels.reshape({2, 2})), xtape::ShapeError);
  BOOST_CHECK_THROW(balanced_weights(labels - 1), ValueError);
}

BOOST_AUTO_TEST_CASE(ranks_share_the_samples_of_each_batch) {
  const RandomSampler all(10, {.seed = 3});
  const Numbers order = all.order(2);
  Numbers parts[3];
  for (int rank = 0; rank < 3; ++rank) {
    const DistributedSampler part(all, rank, 3);
    BOOST_CHECK_EQUAL(part.size(), 4);
    parts[rank] = part.order(2);
  }
  for (std::size_t i = 0; i < 12; ++i) {
    BOOST_CHECK_EQUAL(parts[i % 3][i / 3], order[i % 10]);  // the first two once more
  }
  BOOST_CHECK(DistributedSampler(SequentialSampler(1), 2, 3).order(0) == Numbers{0});
  BOOST_CHECK_EXCEPTION(DistributedSampler(all, 3, 3), ValueError, says("rank 3 is not one of 3"));
  BOOST_CHECK_THROW(DistributedSampler(all, -1, 3), ValueError);
  BOOST_CHECK_THROW(DistributedSampler(SequentialSampler(0), 0, 1), ValueError);
}

BOOST_AUTO_TEST_CASE(a_loader_follows_its_sampler) {
  DataLoader loader(hundred(), {.batch_size = 4,
                                .drop_last = true,
                                .workers = 2,
                                .sampler = shared(RandomSampler(100, {.samples = 10}))});
  BOOST_CHECK_EQUAL(loader.size(), 2);
  BOOST_CHECK_EQUAL(epoch(loader).size(), 8u);
  BOOST_CHECK_THROW(
      DataLoader(hundred(), {.shuffle = true, .sampler = shared(SequentialSampler(3))}),
      ValueError);
  DataLoader beyond(hundred(), {.sampler = shared(Wrong({0, 100}))});
  BOOST_CHECK_EXCEPTION(beyond.begin(), xtape::IndexError, says("sample 100 of 100"));
  DataLoader short_of(hundred(), {.sampler = shared(Wrong({0}))});
  BOOST_CHECK_EXCEPTION(short_of.begin(), ValueError, says("gave 1 samples, its size is 2"));
}

BOOST_AUTO_TEST_SUITE_END()
