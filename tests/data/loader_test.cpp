// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/data/loader.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::Tensor;
using xtape::data::Batch;
using xtape::data::DataLoader;
using xtape::data::DataLoaderOptions;
using xtape::data::Dataset;
using xtape::data::LoaderPosition;
using xtape::data::TensorDataset;

namespace {

using Numbers = std::vector<std::int64_t>;

// Sample i is i; the time it takes differs, so that workers overtake each other.
struct Uneven : Dataset {
  std::int64_t count = 40;
  std::int64_t fails_at = -1;
  std::shared_ptr<std::atomic<int>> running = std::make_shared<std::atomic<int>>(0);

  std::int64_t size() const override { return count; }
  Batch get(std::int64_t i) const override {
    ++*running;
    std::this_thread::sleep_for(std::chrono::microseconds(i * 7919 % 400));
    --*running;
    if (i == fails_at) throw std::out_of_range("sample " + std::to_string(i));
    return {xtape::scalar_tensor(i, xtape::int64), {}};
  }
};

Numbers numbers(const Tensor& x) {
  return Numbers(x.data<std::int64_t>(), x.data<std::int64_t>() + x.numel());
}

// One epoch's batches.
std::vector<Numbers> epoch(DataLoader& loader) {
  std::vector<Numbers> result;
  for (auto& [x, y] : loader) result.push_back(numbers(x));
  return result;
}

Numbers joined(const std::vector<Numbers>& batches) {
  Numbers result;
  for (const Numbers& b : batches) result.insert(result.end(), b.begin(), b.end());
  return result;
}

TensorDataset counted(std::int64_t count) { return TensorDataset(xtape::arange(count)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(data_loader)

BOOST_AUTO_TEST_CASE(batches_in_order) {
  DataLoader loader(counted(7), {.batch_size = 3});
  BOOST_CHECK_EQUAL(loader.size(), 3);
  const std::vector<Numbers> expected = {{0, 1, 2}, {3, 4, 5}, {6}};
  BOOST_CHECK(epoch(loader) == expected);
  BOOST_CHECK(epoch(loader) == expected);

  DataLoader dropping(counted(7), {.batch_size = 3, .drop_last = true});
  BOOST_CHECK_EQUAL(dropping.size(), 2);
  BOOST_CHECK(epoch(dropping) == (std::vector<Numbers>{{0, 1, 2}, {3, 4, 5}}));
  DataLoader exact(counted(6), {.batch_size = 3, .drop_last = true});
  BOOST_CHECK_EQUAL(epoch(exact).size(), 2u);
}

BOOST_AUTO_TEST_CASE(x_and_y_stay_together) {
  DataLoader loader(TensorDataset(xtape::arange(100), xtape::arange(0, 300, 3)),
                    {.batch_size = 8, .shuffle = true, .workers = 2});
  for (const auto& [x, y] : loader) {
    BOOST_REQUIRE(x.shape() == y.shape());
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      BOOST_CHECK_EQUAL(y.data<std::int64_t>()[i], 3 * x.data<std::int64_t>()[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(shuffles_by_seed_and_epoch) {
  const DataLoaderOptions options = {.batch_size = 10, .shuffle = true, .seed = 5};
  DataLoader a(counted(100), options), b(counted(100), options);
  const auto first = epoch(a), second = epoch(a);
  BOOST_CHECK(first != second);
  BOOST_CHECK(epoch(b) == first);
  BOOST_CHECK(epoch(b) == second);
  DataLoader other(counted(100), {.batch_size = 10, .shuffle = true, .seed = 6});
  BOOST_CHECK(epoch(other) != first);
  for (const auto& batches : {first, second}) {
    Numbers all = joined(batches), sorted(100);
    BOOST_CHECK(!std::is_sorted(all.begin(), all.end()));
    std::sort(all.begin(), all.end());
    std::iota(sorted.begin(), sorted.end(), 0);
    BOOST_CHECK(all == sorted);
  }
  a.set_epoch(1);
  BOOST_CHECK(epoch(a) == second);
}

BOOST_AUTO_TEST_CASE(every_place_gets_every_sample) {
  // 4 samples over 4800 epochs: each comes to each place 1200 times, give or take 5 sigma.
  DataLoader loader(counted(4), {.batch_size = 4, .shuffle = true});
  int count[4][4] = {};
  for (int i = 0; i < 4800; ++i) {
    const Numbers order = epoch(loader).at(0);
    for (int place = 0; place < 4; ++place) ++count[place][order[static_cast<std::size_t>(place)]];
  }
  for (const auto& row : count) {
    for (const int c : row) BOOST_CHECK(c > 1050 && c < 1350);
  }
}

BOOST_AUTO_TEST_CASE(workers_do_not_change_the_order) {
  DataLoader alone(Uneven{}, {.batch_size = 3, .shuffle = true, .seed = 1});
  const std::vector<Numbers> first = epoch(alone), second = epoch(alone);
  for (const int workers : {1, 2, 5, 100}) {
    for (const int prefetch : {1, 4}) {
      DataLoader loader(
          Uneven{},
          {.batch_size = 3, .shuffle = true, .seed = 1, .workers = workers, .prefetch = prefetch});
      BOOST_CHECK(epoch(loader) == first);
      BOOST_CHECK(epoch(loader) == second);
    }
  }
}

BOOST_AUTO_TEST_CASE(workers_work_ahead_no_further_than_asked) {
  struct Counting : Dataset {
    std::shared_ptr<std::atomic<int>> made = std::make_shared<std::atomic<int>>(0);
    std::int64_t size() const override { return 100; }
    Batch get(std::int64_t i) const override {
      ++*made;
      return {xtape::scalar_tensor(i, xtape::int64), {}};
    }
  };
  const Counting data;
  DataLoader loader(data, {.batch_size = 1, .workers = 2, .prefetch = 3});
  int given = 0;
  for ([[maybe_unused]] const auto& batch : loader) {
    ++given;
    if (given == 10) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    BOOST_CHECK_LE(data.made->load(), given + 6);
    if (given == 10) BOOST_CHECK_EQUAL(data.made->load(), 16);
  }
  BOOST_CHECK_EQUAL(given, 100);
}

BOOST_AUTO_TEST_CASE(random_samples_do_not_depend_on_workers_or_batch_size) {
  struct Random : Dataset {
    std::int64_t size() const override { return 12; }
    Batch get(std::int64_t i) const override {
      xtape::rand({i + 1});  // as many numbers as the sample likes
      return {xtape::rand({2}), {}};
    }
  };
  const auto draw = [](std::int64_t batch_size, int workers, std::int64_t epoch) {
    DataLoader loader(Random{}, {.batch_size = batch_size, .seed = 4, .workers = workers});
    loader.set_epoch(epoch);
    std::vector<float> result;
    for (const auto& [x, y] : loader) {
      result.insert(result.end(), x.data<float>(), x.data<float>() + x.numel());
    }
    return result;
  };
  const auto before = xtape::default_generator().position;
  const std::vector<float> alone = draw(1, 0, 0);
  BOOST_CHECK(draw(5, 0, 0) == alone);
  BOOST_CHECK(draw(3, 3, 0) == alone);
  BOOST_CHECK(draw(3, 3, 1) != alone);
  std::vector<float> sorted = alone;
  std::sort(sorted.begin(), sorted.end());
  BOOST_CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
  BOOST_CHECK_EQUAL(xtape::default_generator().position, before);  // the trainer's own numbers
}

BOOST_AUTO_TEST_CASE(an_error_arrives_where_it_arose) {
  for (const int workers : {0, 3}) {
    Uneven data;
    data.fails_at = 17;
    DataLoader loader(data, {.batch_size = 4, .workers = workers});
    int batches = 0;
    const auto loop = [&] {
      for ([[maybe_unused]] const auto& batch : loader) ++batches;
    };
    BOOST_CHECK_EXCEPTION(loop(), std::out_of_range, says("sample 17"));
    BOOST_CHECK_EQUAL(batches, 4);
    BOOST_CHECK_EQUAL(data.running->load(), 0);
    BOOST_CHECK(loader.position() == (LoaderPosition{0, 4}));
  }
}

BOOST_AUTO_TEST_CASE(an_iterator_ends_with_an_error) {
  Uneven data;
  data.fails_at = 1;
  DataLoader loader(data, {.workers = 2});
  auto i = loader.begin();
  BOOST_CHECK_THROW(++i, std::out_of_range);
  BOOST_CHECK(i == loader.end());
}

BOOST_AUTO_TEST_CASE(a_loop_left_early_leaves_no_thread) {
  Uneven data;
  const auto users = data.running.use_count();
  {
    DataLoader loader(data, {.batch_size = 2, .workers = 4, .prefetch = 3});
    for (int i = 0; i < 20; ++i) {
      for ([[maybe_unused]] const auto& batch : loader) break;
      BOOST_CHECK_EQUAL(data.running->load(), 0);
    }
    BOOST_CHECK_EQUAL(epoch(loader).size(), 20u);
  }
  BOOST_CHECK_EQUAL(data.running.use_count(), users);
}

BOOST_AUTO_TEST_CASE(loops_over_one_loader_nest) {
  DataLoader loader(counted(6), {.batch_size = 2, .workers = 2});
  int inner = 0;
  for ([[maybe_unused]] const auto& a : loader) {
    for ([[maybe_unused]] const auto& b : loader) ++inner;
  }
  BOOST_CHECK_EQUAL(inner, 9);
}

BOOST_AUTO_TEST_CASE(resumes_where_it_stood) {
  for (const int workers : {0, 2}) {
    const DataLoaderOptions options = {
        .batch_size = 3, .shuffle = true, .seed = 3, .workers = workers};
    DataLoader whole(Uneven{}, options);
    epoch(whole);
    const auto second = epoch(whole), third = epoch(whole);

    DataLoader left(Uneven{}, options);
    BOOST_CHECK(left.position() == (LoaderPosition{0, 0}));
    epoch(left);
    BOOST_CHECK(left.position() == (LoaderPosition{1, 0}));
    int batches = 0;
    for ([[maybe_unused]] const auto& batch : left) {
      if (++batches == 5) break;
    }
    BOOST_CHECK(left.position() == (LoaderPosition{1, 5}));

    DataLoader resumed(Uneven{}, options);
    resumed.set_position(left.position());
    BOOST_CHECK(resumed.position() == left.position());
    BOOST_CHECK(epoch(resumed) == std::vector<Numbers>(second.begin() + 5, second.end()));
    BOOST_CHECK(epoch(resumed) == third);
    BOOST_CHECK(epoch(left) == third);  // a loop that was left has ended its epoch
  }
}

BOOST_AUTO_TEST_CASE(an_empty_dataset_gives_no_batch) {
  DataLoader loader(counted(0), {.batch_size = 3, .shuffle = true, .workers = 2});
  BOOST_CHECK_EQUAL(loader.size(), 0);
  BOOST_CHECK(epoch(loader).empty());
  BOOST_CHECK(loader.position() == (LoaderPosition{1, 0}));
  DataLoader too_few(counted(2), {.batch_size = 3, .drop_last = true});
  BOOST_CHECK(epoch(too_few).empty());
}

BOOST_AUTO_TEST_CASE(moves) {
  DataLoader a(counted(4), {.batch_size = 2});
  DataLoader b = std::move(a);
  BOOST_CHECK_EQUAL(epoch(b).size(), 2u);
  auto i = b.begin();
  auto j = std::move(i);
  BOOST_CHECK_EQUAL(numbers(j->x).at(0), 0);
}

BOOST_AUTO_TEST_CASE(options_out_of_range) {
  BOOST_CHECK_EXCEPTION(DataLoader(counted(4), {.batch_size = 0}), xtape::ValueError,
                        says("DataLoader: batch_size is at least 1, got 0"));
  BOOST_CHECK_THROW(DataLoader(counted(4), {.workers = -1}), xtape::ValueError);
  BOOST_CHECK_THROW(DataLoader(counted(4), {.prefetch = 0}), xtape::ValueError);
  BOOST_CHECK_THROW(DataLoader(std::shared_ptr<const Dataset>()), xtape::ValueError);
  DataLoader loader(counted(4), {.batch_size = 2});
  BOOST_CHECK_THROW(loader.set_position({0, 2}), xtape::ValueError);
  BOOST_CHECK_THROW(loader.set_position({0, -1}), xtape::ValueError);
  BOOST_CHECK_THROW(loader.set_epoch(-1), xtape::ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
