// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/data/dataset.hpp>

#include <boost/test/unit_test.hpp>

#include <vector>

#include "files.hpp"

using test::says;
using xtape::Shape;
using xtape::Tensor;
using xtape::data::Batch;
using xtape::data::Dataset;
using xtape::data::TensorDataset;

namespace {

std::vector<float> floats(const Tensor& x) {
  return std::vector<float>(x.data<float>(), x.data<float>() + x.numel());
}

Tensor grid() { return xtape::tensor({{0, 1}, {10, 11}, {20, 21}, {30, 31}}); }

// Sample i is x = [i, 2 i] (or, at `odd`, something else), without y.
struct Pairs : Dataset {
  Tensor odd;
  std::int64_t size() const override { return 5; }
  Batch get(std::int64_t i) const override {
    if (i == 3 && odd.defined()) return {odd, {}};
    const auto v = static_cast<double>(i);
    return {xtape::tensor({v, 2 * v}), {}};
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(data_dataset)

BOOST_AUTO_TEST_CASE(tensors_by_rows) {
  const TensorDataset data(grid(), xtape::tensor({5, 6, 7, 8}, xtape::int64));
  BOOST_CHECK_EQUAL(data.size(), 4);
  const std::vector<std::int64_t> indices = {3, 0, 3};
  const auto [x, y] = data.get_batch(indices);
  BOOST_CHECK(x.shape() == (Shape{3, 2}) && y.shape() == (Shape{3}));
  const std::vector<float> expected = {30, 31, 0, 1, 30, 31};
  BOOST_TEST(floats(x) == expected, boost::test_tools::per_element());
  BOOST_CHECK_EQUAL(y.data<std::int64_t>()[0], 8);
  BOOST_CHECK_EQUAL(y.data<std::int64_t>()[1], 5);

  const Batch one = data.get(2);
  BOOST_CHECK(one.x.shape() == (Shape{2}) && one.y.shape() == (Shape{}));
  BOOST_CHECK_EQUAL(one.x.data<float>()[1], 21);
  BOOST_CHECK_EQUAL(one.y.item<int>(), 7);
  BOOST_CHECK(data.get_batch({}).x.shape() == (Shape{0, 2}));
  const Batch all = data.get_all();
  BOOST_TEST(floats(all.x) == floats(grid()), boost::test_tools::per_element());
  BOOST_CHECK_EQUAL(all.y.data<std::int64_t>()[3], 8);
}

BOOST_AUTO_TEST_CASE(a_batch_is_a_copy) {
  Tensor x = grid();
  const TensorDataset data(x);
  Batch one = data.get(1);
  BOOST_CHECK(!one.y.defined());
  one.x.fill_(99);
  BOOST_CHECK_EQUAL(x.data<float>()[2], 10);
}

BOOST_AUTO_TEST_CASE(views_and_values_with_history_are_taken_as_they_look) {
  Tensor x = grid();
  x.requires_grad_();
  const TensorDataset data(x.t());
  BOOST_CHECK_EQUAL(data.size(), 2);
  const Tensor row = data.get(1).x;
  const std::vector<float> expected = {1, 11, 21, 31};
  BOOST_TEST(floats(row) == expected, boost::test_tools::per_element());
  BOOST_CHECK(!row.requires_grad());
}

BOOST_AUTO_TEST_CASE(tensors_that_do_not_fit) {
  BOOST_CHECK_EXCEPTION(
      TensorDataset(grid(), xtape::tensor({1, 2})), xtape::ShapeError,
      says("expected the same first dimension, got float32 [4, 2] and float32 [2]"));
  BOOST_CHECK_THROW(TensorDataset(xtape::zeros({})), xtape::ShapeError);
  BOOST_CHECK_THROW(TensorDataset{Tensor()}, xtape::ValueError);
  const TensorDataset data(grid());
  BOOST_CHECK_EXCEPTION(data.get(4), xtape::IndexError, says("sample 4 of 4"));
  BOOST_CHECK_THROW(data.get(-1), xtape::IndexError);
}

BOOST_AUTO_TEST_CASE(samples_stack) {
  const std::vector<std::int64_t> indices = {4, 1};
  const Batch batch = Pairs().get_batch(indices);
  BOOST_CHECK(batch.x.shape() == (Shape{2, 2}) && !batch.y.defined());
  const std::vector<float> expected = {4, 8, 1, 2};
  BOOST_TEST(floats(batch.x) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(samples_that_do_not_stack) {
  const std::vector<std::int64_t> indices = {2, 3};
  Pairs pairs;
  BOOST_CHECK_THROW(pairs.get_batch({}), xtape::ValueError);
  pairs.odd = xtape::zeros({3});
  BOOST_CHECK_EXCEPTION(pairs.get_batch(indices), xtape::ShapeError,
                        says("samples 2 and 3 do not stack, float32 [2] and float32 [3]"));
  pairs.odd = xtape::zeros({2}, xtape::int64);
  BOOST_CHECK_THROW(pairs.get_batch(indices), xtape::DTypeError);
}

BOOST_AUTO_TEST_SUITE_END()
