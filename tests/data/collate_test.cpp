// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/indexing.hpp>
#include <xtape/autograd/ops/joining.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/data/loader.hpp>

#include <boost/test/unit_test.hpp>

#include <vector>

#include "files.hpp"

using test::says;
using xtape::Shape;
using xtape::Tensor;
using namespace xtape::data;

namespace {

// Sample i is i + 1 steps of (i, i).
struct Ragged : Dataset {
  bool ragged_y = false;
  std::int64_t size() const override { return 5; }
  Batch get(std::int64_t i) const override {
    const Tensor x = xtape::full({i + 1, 2}, i);
    if (ragged_y) return {x, xtape::full({i + 1}, i, xtape::int64)};
    return {x, xtape::scalar_tensor(10 * i, xtape::int64)};
  }
};

template <class T>
std::vector<T> values(const Tensor& x) {
  return std::vector<T>(x.data<T>(), x.data<T>() + x.numel());
}

Batch collated(std::vector<Batch> samples, const PadOptions& options = {}) {
  return (*pad_collate(options))(samples);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_collate)

BOOST_AUTO_TEST_CASE(padding_and_lengths) {
  for (const int workers : {0, 2}) {
    DataLoader loader(Ragged{},
                      {.batch_size = 3, .workers = workers, .collate = pad_collate({.value = -1})});
    auto i = loader.begin();
    BOOST_CHECK(i->x.shape() == (Shape{3, 3, 2}));
    const std::vector<float> x = {0, 0, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, 2, 2, 2, 2, 2, 2};
    BOOST_CHECK(values<float>(i->x) == x);
    BOOST_CHECK(values<std::int64_t>(i->lengths) == (std::vector<std::int64_t>{1, 2, 3}));
    BOOST_CHECK(values<std::int64_t>(i->y) == (std::vector<std::int64_t>{0, 10, 20}));
    ++i;
    BOOST_CHECK(i->x.shape() == (Shape{2, 5, 2}));
    BOOST_CHECK(values<std::int64_t>(i->lengths) == (std::vector<std::int64_t>{4, 5}));
  }
}

BOOST_AUTO_TEST_CASE(ragged_targets) {
  Ragged data;
  data.ragged_y = true;
  DataLoader loader(data, {.batch_size = 2, .collate = pad_collate({.pad_y = true})});
  auto i = loader.begin();
  const auto& [x, y] = *i;
  BOOST_CHECK(x.shape() == (Shape{2, 2, 2}));
  BOOST_CHECK(values<std::int64_t>(y) == (std::vector<std::int64_t>{0, -100, 1, 1}));
}

BOOST_AUTO_TEST_CASE(samples_without_steps_or_targets) {
  const Batch batch = collated({{xtape::zeros({0, 3}), {}}, {xtape::ones({1, 3}), {}}});
  BOOST_CHECK(values<float>(batch.x) == (std::vector<float>{0, 0, 0, 1, 1, 1}));
  BOOST_CHECK(values<std::int64_t>(batch.lengths) == (std::vector<std::int64_t>{0, 1}));
  BOOST_CHECK(!batch.y.defined());
  BOOST_CHECK(collated({{xtape::zeros({0}), {}}}).x.shape() == (Shape{1, 0}));
}

BOOST_AUTO_TEST_CASE(samples_that_do_not_fit) {
  const Tensor x = xtape::ones({2, 3}), y = xtape::ones({2});
  BOOST_CHECK_EXCEPTION(collated({{x, {}}, {xtape::ones({2, 4}), {}}}), xtape::ShapeError,
                        says("pad_collate: expected samples [length, ...]"));
  BOOST_CHECK_THROW(collated({{x, {}}, {xtape::ones({2}), {}}}), xtape::ShapeError);
  BOOST_CHECK_THROW(collated({{xtape::ones({}), {}}}), xtape::ShapeError);
  BOOST_CHECK_THROW(collated({{Tensor(), {}}}), xtape::ShapeError);
  BOOST_CHECK_THROW(collated({{x, {}}, {x.to(xtape::float64), {}}}), xtape::DTypeError);
  BOOST_CHECK_THROW(collated({{x, y}, {x, {}}}), xtape::ValueError);
  BOOST_CHECK_EXCEPTION(collated({{x, xtape::ones({3})}}, {.pad_y = true}), xtape::ShapeError,
                        says("x and y of the same length"));
}

BOOST_AUTO_TEST_CASE(a_function_of_ones_own) {
  struct Random : Dataset {
    std::int64_t size() const override { return 6; }
    Batch get(std::int64_t i) const override { return {xtape::rand({i % 2 + 1}), {}}; }
  };
  const auto first = collate_by([](std::span<const Batch> samples) {
    std::vector<Tensor> x;
    for (const Batch& s : samples) x.push_back(s.x[0]);
    return Batch{xtape::stack(x), {}};
  });
  const auto draw = [&](std::int64_t batch_size, int workers) {
    DataLoader loader(Random{}, {.batch_size = batch_size, .workers = workers, .collate = first});
    std::vector<float> all;
    for (const auto& [x, y] : loader) {
      for (const float v : values<float>(x)) all.push_back(v);
    }
    return all;
  };
  const std::vector<float> alone = draw(1, 0);
  BOOST_CHECK_EQUAL(alone.size(), 6u);
  BOOST_CHECK(draw(4, 0) == alone);
  BOOST_CHECK(draw(2, 3) == alone);
}

BOOST_AUTO_TEST_SUITE_END()
