// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/data/csv.hpp>
#include <xtape/data/table_dataset.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "../nn/nn_test.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using nn_test::values;

data::Table customers() {
  return data::parse_csv(
      "age,land\n"
      "20,Spain\n"
      ",France\n"
      "40,Spain\n"
      "900,Peru\n");
}

data::TableEncoder encoder(bool ignore_unknown = false) {
  return data::TableEncoder({.numbers = {"age"},
                             .one_hot = {"land"},
                             .scaling = data::Scaling::min_max,
                             .impute_numbers = data::Imputation::mean,
                             .ignore_unknown = ignore_unknown});
}

const std::vector<std::int64_t> kTraining{0, 1, 2};

}  // namespace

BOOST_AUTO_TEST_SUITE(data_table_dataset)

BOOST_AUTO_TEST_CASE(fitted_to_these_rows_alone) {
  const Tensor y = arange(4);
  const data::TableDataset samples(customers(), encoder(true), y);
  BOOST_TEST(samples.size() == 4);
  const Owned<data::Dataset> fitted = samples.fitted(kTraining);
  BOOST_REQUIRE(fitted->size() == 4);
  // Mean 30 of 20 and 40, from 20 to 40; France and Spain; of the last row nothing is known.
  const data::Batch all = fitted->get_all();
  BOOST_TEST(values(all.x) == (std::vector<double>{0, 0, 1, 0.5, 1, 0, 1, 0, 1, 44, 0, 0}));
  BOOST_TEST(values(all.y) == (std::vector<double>{0, 1, 2, 3}));
  BOOST_TEST(values(fitted->get(2).x) == (std::vector<double>{1, 0, 1}));
  // As an encoder does that never saw the other row.
  data::TableEncoder alone = encoder(true);
  alone.fit(customers().take(kTraining));
  BOOST_TEST(values(alone.transform(customers())) == values(all.x));
}

BOOST_AUTO_TEST_CASE(an_encoder_that_is_fitted_encodes_at_once) {
  data::TableEncoder whole = encoder();
  whole.fit(customers());
  const data::TableDataset samples(customers(), whole);
  BOOST_TEST(values(samples.get_all().x) == values(whole.transform(customers())));
  BOOST_TEST(!samples.get(0).y.defined());
  BOOST_TEST(values(samples.get(3).x) == (std::vector<double>{1, 0, 1, 0}));
  // In a fold what it saw is forgotten.
  BOOST_CHECK_EXCEPTION(samples.fitted(kTraining), ValueError,
                        says("text: line 5, column 2 ('land'): 'Peru' is none of the 2 texts"));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit) {
  const data::TableDataset samples(customers(), encoder());
  BOOST_CHECK_EXCEPTION(samples.get(0), ValueError, says("the encoder is not fitted yet"));
  BOOST_CHECK_EXCEPTION(samples.get_all(), ValueError, says("the encoder is not fitted yet"));
  BOOST_CHECK_EXCEPTION(data::TableDataset(customers(), encoder(), zeros({3})), ShapeError,
                        says("TableDataset: 4 rows, got y"));
  BOOST_CHECK_THROW(data::TableDataset(customers(), encoder(), zeros({})), ShapeError);
  const std::vector<std::int64_t> beyond{0, 4}, missing{1};
  BOOST_CHECK_THROW(samples.fitted(beyond), IndexError);
  BOOST_CHECK_THROW(samples.fitted({}), ValueError);
  BOOST_CHECK_EXCEPTION(samples.fitted(missing), ValueError, says("all of it is missing"));
}

BOOST_AUTO_TEST_CASE(tensors_have_nothing_to_fit) {
  BOOST_TEST(!data::TensorDataset(zeros({4, 2})).fitted(kTraining));
}

BOOST_AUTO_TEST_SUITE_END()
