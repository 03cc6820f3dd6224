// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/data/split.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::Tensor;
using xtape::ValueError;
using xtape::data::KFold;
using xtape::data::Split;
using xtape::data::StratifiedKFold;
using xtape::data::TimeSeriesSplit;
using xtape::data::train_test_split;
using Indices = std::vector<std::int64_t>;

namespace {

// 60 % zeros, 30 % ones, 10 % sevens, mixed.
Tensor mixed(std::int64_t count) {
  Indices labels;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t k = i * 7 % 10;
    labels.push_back(k < 6 ? 0 : k < 9 ? 1 : 7);
  }
  return xtape::from_values<std::int64_t>(labels, {count});
}

std::map<std::int64_t, std::int64_t> counts(const Tensor& labels, const Indices& rows) {
  std::map<std::int64_t, std::int64_t> result;
  for (const std::int64_t row : rows) ++result[labels.data<std::int64_t>()[row]];
  return result;
}

// Every row once in one of the parts.
void check_parts(const Split& split, std::int64_t count) {
  Indices all = split.train;
  all.insert(all.end(), split.test.begin(), split.test.end());
  std::sort(all.begin(), all.end());
  BOOST_REQUIRE_EQUAL(all.size(), static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) BOOST_REQUIRE_EQUAL(all[static_cast<std::size_t>(i)], i);
}

// And every row once in a test part.
void check_folds(const std::vector<Split>& folds, std::int64_t count) {
  Indices tested;
  for (const Split& fold : folds) {
    check_parts(fold, count);
    BOOST_CHECK(std::is_sorted(fold.train.begin(), fold.train.end()));
    BOOST_CHECK(std::is_sorted(fold.test.begin(), fold.test.end()));
    tested.insert(tested.end(), fold.test.begin(), fold.test.end());
  }
  check_parts({{}, tested}, count);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_split)

BOOST_AUTO_TEST_CASE(train_and_test) {
  const Split split = train_test_split(10, {.seed = 3});
  BOOST_CHECK_EQUAL(split.test.size(), 3u);  // 2.5, rounded up
  check_parts(split, 10);
  BOOST_CHECK(!std::is_sorted(split.train.begin(), split.train.end()));
  const Split ordered = train_test_split(5, {.test_size = .4, .shuffle = false});
  BOOST_CHECK(ordered.train == (Indices{0, 1, 2}) && ordered.test == (Indices{3, 4}));
}

BOOST_AUTO_TEST_CASE(orders_depend_on_the_seed_alone) {
  const auto split = [](std::uint64_t seed) { return train_test_split(100, {.seed = seed}); };
  const Split first = split(1);
  xtape::default_generator().position += 5;
  const auto before = xtape::default_generator().position;
  BOOST_CHECK(split(1).train == first.train && split(1).test == first.test);
  BOOST_CHECK(split(2).test != first.test);
  BOOST_CHECK_EQUAL(xtape::default_generator().position, before);
}

BOOST_AUTO_TEST_CASE(stratified_parts) {
  const Tensor labels = mixed(200);
  const Split split = train_test_split(200, {.test_size = .2, .seed = 1, .stratify = labels});
  check_parts(split, 200);
  auto tested = counts(labels, split.test);
  BOOST_CHECK(tested[0] == 24 && tested[1] == 12 && tested[7] == 4);
  // Shares that do not come out even: 3 of 7, 4 and 3 rows by label.
  const Tensor few = xtape::tensor({0, 0, 0, 0, 1, 1, 1}, xtape::int64);
  tested = counts(few, train_test_split(7, {.test_size = .4, .stratify = few}).test);
  BOOST_CHECK(tested[0] == 2 && tested[1] == 1);
}

BOOST_AUTO_TEST_CASE(parts_that_cannot_be) {
  for (const double size : {0., 1., -.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    BOOST_CHECK_THROW(train_test_split(10, {.test_size = size}), ValueError);
  }
  for (const std::int64_t count : {-5, 0, 1}) {
    BOOST_CHECK_THROW(train_test_split(count), ValueError);
  }
  BOOST_CHECK_EXCEPTION(train_test_split(3, {.test_size = .9}), ValueError,
                        says("3 rows, of which 3 test, leave a part empty"));
  const auto by = [](const Tensor& labels, double size = .5) {
    return train_test_split(4, {.test_size = size, .stratify = labels});
  };
  BOOST_CHECK_EXCEPTION(by(xtape::full({4}, 3, xtape::int64)), ValueError,
                        says("expected at least two different labels, got only 3"));
  BOOST_CHECK_EXCEPTION(by(xtape::tensor({0, 0, 0, 1}, xtape::int64)), ValueError,
                        says("label 1 has one row only"));
  const Tensor pairs = xtape::tensor({0, 0, 1, 1}, xtape::int64);
  BOOST_CHECK_EXCEPTION(by(pairs, .25), ValueError, says("parts of 3 and 1 rows cannot hold"));
  BOOST_CHECK_THROW(by(pairs, .75), ValueError);
  BOOST_CHECK_THROW(by(xtape::tensor({0, 0, 1, 1})), xtape::DTypeError);
  BOOST_CHECK_THROW(by(xtape::zeros({2, 2}, xtape::int64)), xtape::ShapeError);
  BOOST_CHECK_THROW(by(xtape::tensor({0, 0, 1, 1, 1}, xtape::int64)), xtape::ShapeError);
  BOOST_CHECK_THROW(train_test_split(4, {.shuffle = false, .stratify = pairs}), ValueError);
}

BOOST_AUTO_TEST_CASE(k_fold) {
  const auto folds = KFold{.n_splits = 3}.split(7);
  BOOST_REQUIRE_EQUAL(folds.size(), 3u);
  check_folds(folds, 7);
  BOOST_CHECK(folds[0].test == (Indices{0, 1, 2}) && folds[1].test == (Indices{3, 4}) &&
              folds[2].test == (Indices{5, 6}));
  const auto shuffled = KFold{.n_splits = 3, .shuffle = true, .seed = 1}.split(70);
  check_folds(shuffled, 70);
  BOOST_CHECK_EQUAL(shuffled[0].test.size(), 24u);
  BOOST_CHECK(shuffled[0].test.back() - shuffled[0].test.front() > 40);
  BOOST_CHECK(
      (KFold{.n_splits = 3, .shuffle = true, .seed = 2}.split(70)[0].test != shuffled[0].test));
  check_folds(KFold{.n_splits = 4}.split(4), 4);
  BOOST_CHECK_EXCEPTION((KFold{.n_splits = 5}.split(4)), ValueError,
                        says("KFold: 5 folds of 4 rows"));
  BOOST_CHECK_EXCEPTION((KFold{.n_splits = 1}.split(4)), ValueError,
                        says("expected n_splits >= 2, got 1"));
  BOOST_CHECK_THROW(KFold{}.split(-1), ValueError);
}

BOOST_AUTO_TEST_CASE(stratified_k_fold) {
  const Tensor pairs = xtape::tensor({0, 0, 1, 1}, xtape::int64);
  const auto two = StratifiedKFold{.n_splits = 2}.split(pairs);
  BOOST_CHECK(two[0].test == (Indices{0, 2}) && two[1].test == (Indices{1, 3}));
  const Tensor labels = mixed(203);
  for (const bool shuffle : {false, true}) {
    const auto folds = StratifiedKFold{.n_splits = 10, .shuffle = shuffle, .seed = 4}.split(labels);
    check_folds(folds, 203);
    for (const Split& fold : folds) {
      BOOST_CHECK(fold.test.size() == 20 || fold.test.size() == 21);
      auto tested = counts(labels, fold.test);
      BOOST_CHECK(tested[0] >= 12 && tested[0] <= 13);
      BOOST_CHECK(tested[1] >= 6 && tested[1] <= 7);
      BOOST_CHECK(tested[7] >= 2 && tested[7] <= 3);
    }
  }
  BOOST_CHECK_EXCEPTION(
      StratifiedKFold{}.split(xtape::ones({9}, xtape::int64)), ValueError,
      says("StratifiedKFold: expected at least two different labels, got only 1"));
  BOOST_CHECK_THROW(StratifiedKFold{}.split(xtape::ones({0}, xtape::int64)), ValueError);
  BOOST_CHECK_EXCEPTION((StratifiedKFold{.n_splits = 3}.split(pairs)), ValueError,
                        says("label 0 has 2 rows for 3 folds"));
  BOOST_CHECK_THROW((StratifiedKFold{.n_splits = 5}.split(pairs)), ValueError);
  BOOST_CHECK_THROW((StratifiedKFold{.n_splits = 1}.split(pairs)), ValueError);
  BOOST_CHECK_THROW(StratifiedKFold{}.split(xtape::ones({9})), xtape::DTypeError);
  BOOST_CHECK_THROW(StratifiedKFold{}.split(xtape::ones({3, 3}, xtape::int64)), xtape::ShapeError);
}

BOOST_AUTO_TEST_CASE(time_series) {
  // The figures of scikit-learn's documentation.
  auto folds = TimeSeriesSplit{}.split(6);
  BOOST_REQUIRE_EQUAL(folds.size(), 5u);
  for (std::int64_t i = 0; i < 5; ++i) {
    const Split& fold = folds[static_cast<std::size_t>(i)];
    BOOST_CHECK_EQUAL(fold.train.size(), static_cast<std::size_t>(i) + 1);
    BOOST_CHECK(fold.train.back() == i && fold.test == (Indices{i + 1}));
  }
  folds = TimeSeriesSplit{.n_splits = 3, .test_size = 2}.split(12);
  BOOST_CHECK(folds[0].train == (Indices{0, 1, 2, 3, 4, 5}) && folds[0].test == (Indices{6, 7}));
  BOOST_CHECK(folds[2].train.back() == 9 && folds[2].test == (Indices{10, 11}));
  folds = TimeSeriesSplit{.n_splits = 3, .test_size = 2, .gap = 2}.split(12);
  BOOST_CHECK(folds[0].train == (Indices{0, 1, 2, 3}) && folds[0].test == (Indices{6, 7}));
  folds = TimeSeriesSplit{.n_splits = 3, .max_train_size = 2, .test_size = 2}.split(12);
  BOOST_CHECK(folds[0].train == (Indices{4, 5}) && folds[2].train == (Indices{8, 9}));

  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  BOOST_CHECK_THROW(TimeSeriesSplit{}.split(5), ValueError);
  BOOST_CHECK_THROW((TimeSeriesSplit{.n_splits = 1}.split(9)), ValueError);
  BOOST_CHECK_EXCEPTION((TimeSeriesSplit{.n_splits = 3, .test_size = 4}.split(12)), ValueError,
                        says("12 rows are too few for 3 folds of 4 test rows and a gap of 0"));
  BOOST_CHECK_THROW((TimeSeriesSplit{.n_splits = 3, .gap = 3}.split(12)), ValueError);
  BOOST_CHECK_THROW((TimeSeriesSplit{.test_size = kMax}.split(100)), ValueError);
  BOOST_CHECK_THROW((TimeSeriesSplit{.gap = kMax}.split(100)), ValueError);
  BOOST_CHECK_THROW((TimeSeriesSplit{.n_splits = kMax}.split(100)), ValueError);
  for (const auto& s : {TimeSeriesSplit{.max_train_size = -1}, TimeSeriesSplit{.test_size = -1},
                        TimeSeriesSplit{.gap = -1}}) {
    BOOST_CHECK_THROW(s.split(100), ValueError);
  }
}

BOOST_AUTO_TEST_SUITE_END()
