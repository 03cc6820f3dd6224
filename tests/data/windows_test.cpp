// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/data/loader.hpp>
#include <xtape/data/windows.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::Shape;
using xtape::Tensor;
using xtape::ValueError;
using xtape::data::Batch;
using xtape::data::DataLoader;
using xtape::data::WindowDataset;
using xtape::data::WindowOptions;

namespace {

void equal(const Tensor& x, const Shape& shape, const std::vector<float>& expected) {
  BOOST_REQUIRE(x.shape() == shape && x.is_contiguous());
  const std::vector<float> got(x.data<float>(), x.data<float>() + x.numel());
  BOOST_TEST(got == expected, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_windows)

BOOST_AUTO_TEST_CASE(a_series_that_predicts_itself) {
  const WindowDataset data(xtape::arange(6, 12, 1, xtape::float32), {.length = 3});
  BOOST_CHECK_EQUAL(data.size(), 3);
  const Batch last = data.get(2);
  equal(last.x, {3}, {8, 9, 10});
  equal(last.y, {}, {11});
  const std::vector<std::int64_t> both = {2, 0};
  const Batch batch = data.get_batch(both);
  equal(batch.x, {2, 3}, {8, 9, 10, 6, 7, 8});
  equal(batch.y, {2}, {11, 9});
  BOOST_CHECK(data.get_batch({}).x.shape() == (Shape{0, 3}));
}

BOOST_AUTO_TEST_CASE(several_features_and_other_targets) {
  const Tensor series = xtape::arange(0, 20, 1, xtape::float32).reshape({10, 2});
  const Tensor targets = xtape::arange(100, 110, 1, xtape::float32).reshape({10, 1});
  const WindowDataset data(series, targets, {.length = 2, .horizon = 3, .stride = 4});
  BOOST_CHECK_EQUAL(data.size(), 2);
  equal(data.get(1).x, {2, 2}, {8, 9, 10, 11});
  equal(data.get(1).y, {1}, {108});  // step 4 + 2 - 1 + 3
  // The last possible window counts, one that would need a step more does not.
  BOOST_CHECK_EQUAL(WindowDataset(series, {.length = 2, .stride = 7}).size(), 2);
  BOOST_CHECK_EQUAL(WindowDataset(series, {.length = 2, .stride = 8}).size(), 1);
  BOOST_CHECK_EQUAL(WindowDataset(series, {.length = 9}).size(), 1);
}

BOOST_AUTO_TEST_CASE(views_and_batches_of_a_loader) {
  const Tensor columns = xtape::arange(0, 10, 1, xtape::float32).reshape({2, 5}).t();
  DataLoader loader(WindowDataset(columns, {.length = 2}), {.batch_size = 2});
  std::vector<std::int64_t> sizes;
  for (auto& [x, y] : loader) {
    if (sizes.empty()) equal(x, {2, 2, 2}, {0, 5, 1, 6, 1, 6, 2, 7});
    if (sizes.empty()) equal(y, {2, 2}, {2, 7, 3, 8});
    sizes.push_back(x.size(0));
  }
  BOOST_CHECK(sizes == (std::vector<std::int64_t>{2, 1}));
  Batch one = WindowDataset(columns, {.length = 2}).get(0);
  one.x.fill_(99);
  BOOST_CHECK_EQUAL(columns[0][0].item<float>(), 0);
}

BOOST_AUTO_TEST_CASE(windows_that_do_not_fit) {
  const Tensor series = xtape::zeros({10});
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  BOOST_CHECK_EXCEPTION(WindowDataset(series, {.length = 10}), xtape::ShapeError,
                        says("float32 [10] is shorter than a window of 10 steps and its target 1"));
  for (const WindowOptions& o : {WindowOptions{.length = kMax}, WindowOptions{.horizon = kMax},
                                 WindowOptions{.length = 5, .horizon = 6}}) {
    BOOST_CHECK_THROW(WindowDataset(series, o), xtape::ShapeError);
  }
  for (const WindowOptions& o :
       {WindowOptions{.length = 0}, WindowOptions{.horizon = 0}, WindowOptions{.stride = 0}}) {
    BOOST_CHECK_THROW(WindowDataset(series, o), ValueError);
  }
  BOOST_CHECK_EQUAL(WindowDataset(series, {.stride = kMax}).size(), 1);
  BOOST_CHECK_THROW(WindowDataset(xtape::zeros({})), xtape::ShapeError);
  BOOST_CHECK_THROW(WindowDataset{Tensor()}, ValueError);
  BOOST_CHECK_THROW(WindowDataset(series, xtape::zeros({9})), xtape::ShapeError);
  BOOST_CHECK_EXCEPTION(WindowDataset(series).get(9), xtape::IndexError, says("window 9 of 9"));
  BOOST_CHECK_THROW(WindowDataset(series).get(-1), xtape::IndexError);
}

BOOST_AUTO_TEST_SUITE_END()
