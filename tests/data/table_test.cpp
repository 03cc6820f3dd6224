// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/data/table.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::Shape;
using xtape::Tensor;
using xtape::ValueError;
using xtape::data::Table;
using Texts = std::vector<std::string>;
using Numbers = std::vector<double>;

namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

Table people() {
  Table t;
  t.add("age", Numbers{31, 45, kNan, 20});
  t.add("town", Texts{"Bonn", "", "Köln", "Bonn"});
  t.add("exited", Numbers{0, 1, 1, 0});
  return t;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_table)

BOOST_AUTO_TEST_CASE(columns_by_name) {
  const Table t = people();
  BOOST_CHECK_EQUAL(t.rows(), 4);
  BOOST_CHECK(t.contains("town") && !t.contains("Town"));
  BOOST_CHECK_EQUAL(t.numbers("age")[1], 45);
  BOOST_CHECK_EQUAL(t.texts("town")[0], "Bonn");
  BOOST_CHECK(t.column("age").is_missing(2) && t.column("town").is_missing(1));
  BOOST_CHECK_EXCEPTION(t.column("tow"), ValueError,
                        says("Table: no column 'tow', it has 'age', 'town', 'exited'"));
  BOOST_CHECK_EXCEPTION(t.texts("age"), ValueError, says("'age' holds numbers, expected texts"));
  BOOST_CHECK_EXCEPTION(t.numbers("town"), ValueError,
                        says("row 0, column 'town': expected a number, found 'Bonn'"));
  BOOST_CHECK_EXCEPTION(Table().column("a"), ValueError, says("it has none"));
}

BOOST_AUTO_TEST_CASE(columns_that_do_not_fit) {
  Table t = people();
  BOOST_CHECK_EXCEPTION(t.add("age", Numbers(4)), ValueError, says("column 'age' is there"));
  BOOST_CHECK_EXCEPTION(t.add("x", Numbers(3)), xtape::ShapeError,
                        says("column 'x' has 3 rows, the others have 4"));
  BOOST_CHECK_EQUAL(t.columns().size(), 3u);
}

BOOST_AUTO_TEST_CASE(parts_of_a_table) {
  const Table t = people();
  const std::vector<std::int64_t> rows = {3, 0, 3};
  const Table some = t.take(rows);
  BOOST_CHECK_EQUAL(some.rows(), 3);
  BOOST_CHECK_EQUAL(some.numbers("age")[0], 20);
  BOOST_CHECK_EQUAL(some.numbers("age")[1], 31);
  BOOST_CHECK_EQUAL(some.texts("town")[2], "Bonn");
  BOOST_CHECK_EQUAL(t.take({}).rows(), 0);
  BOOST_CHECK_EQUAL(t.head(0).rows(), 0);
  BOOST_CHECK_EQUAL(t.head(9).rows(), 4);
  BOOST_CHECK_EQUAL(t.head(3).rows(), 3);
  BOOST_CHECK_EQUAL(t.head(3).numbers("age")[0], 31);
  BOOST_CHECK_THROW(t.head(-1), xtape::ValueError);
  const std::vector<std::int64_t> beyond = {4}, before = {-1};
  BOOST_CHECK_EXCEPTION(t.take(beyond), xtape::IndexError, says("row 4 of 4"));
  BOOST_CHECK_THROW(t.take(before), xtape::IndexError);
  BOOST_CHECK_THROW(t.where(4, "age"), xtape::IndexError);

  BOOST_CHECK(t.select({"exited", "age"}).names() == (Texts{"exited", "age"}));
  BOOST_CHECK(t.drop({"town"}).names() == (Texts{"age", "exited"}));
  BOOST_CHECK_EQUAL(t.drop({"age", "town", "exited"}).rows(), 4);
  BOOST_CHECK_THROW(t.select({"agee"}), ValueError);
  BOOST_CHECK_THROW(t.select({"age", "age"}), ValueError);
  BOOST_CHECK_THROW(t.drop({"agee"}), ValueError);

  const Table whole = t.drop_missing();
  BOOST_CHECK_EQUAL(whole.rows(), 2);
  BOOST_CHECK_EQUAL(whole.numbers("age")[1], 20);
}

BOOST_AUTO_TEST_CASE(tensors) {
  const Table t = people().drop_missing();
  const Tensor y = t.tensor("exited", xtape::int64);
  BOOST_CHECK(y.shape() == (Shape{2}) && y.dtype() == xtape::int64);
  const Tensor x = t.matrix({"age", "exited"});
  BOOST_CHECK(x.shape() == (Shape{2, 2}) && x.dtype() == xtape::float32);
  BOOST_CHECK(x.data<float>()[0] == 31 && x.data<float>()[1] == 0 && x.data<float>()[2] == 20);
  BOOST_CHECK(people().tensor("exited", xtape::boolean).data<bool>()[1]);
  BOOST_CHECK(people().matrix({}).shape() == (Shape{4, 0}));
  BOOST_CHECK_THROW(t.tensor("town"), ValueError);
  BOOST_CHECK_THROW(t.matrix({"age", "none"}), ValueError);
  BOOST_CHECK_EXCEPTION(people().tensor("age"), ValueError,
                        says("row 2, column 'age': expected a number, found none"));
}

BOOST_AUTO_TEST_CASE(numbers_that_an_integer_dtype_does_not_hold) {
  const auto refused = [](double x, xtape::DType dtype) {
    Table t;
    t.add("n", Numbers{1, x});
    BOOST_CHECK_EXCEPTION(t.tensor("n", dtype), ValueError, says("row 1, column 'n': "));
  };
  for (const double x : {.5, 0x1p63, -0x1p64}) refused(x, xtape::int64);
  for (const double x : {256., -1., .5}) refused(x, xtape::uint8);
  for (const double x : {2., -1., .5}) refused(x, xtape::boolean);
  Table t;
  t.add("n", Numbers{-0x1p63, 0x1p62});
  BOOST_CHECK_EQUAL(t.tensor("n", xtape::int64).data<std::int64_t>()[0],
                    std::numeric_limits<std::int64_t>::min());
  refused(4e99, xtape::float32);
  t.add("large", Numbers{4e99, -4e38});
  BOOST_CHECK_EXCEPTION(t.matrix({"n", "large"}), ValueError,
                        says("row 0, column 'large': 4e+99 is beyond float32"));
  BOOST_CHECK_EQUAL(t.tensor("large", xtape::float64).data<double>()[1], -4e38);
}

BOOST_AUTO_TEST_SUITE_END()
