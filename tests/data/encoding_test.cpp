// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/data/csv.hpp>
#include <xtape/data/encoding.hpp>
#include <xtape/data/safetensors.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <ctime>
#include <string>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::Shape;
using xtape::Tensor;
using xtape::ValueError;
using xtape::data::Imputation;
using xtape::data::LabelEncoder;
using xtape::data::parse_csv;
using xtape::data::Scaling;
using xtape::data::Table;
using xtape::data::TableEncoder;
using xtape::data::TableEncoderOptions;
using Texts = std::vector<std::string>;

namespace {

Table customers() {
  return parse_csv(
      "age,sex,land\n"
      "20,F,Spain\n"
      "30,M,France\n"
      "70,F,Germany\n");
}

TableEncoderOptions options() {
  return {.numbers = {"age"}, .labels = {"sex"}, .one_hot = {"land"}, .scaling = Scaling::min_max};
}

void equal(const Tensor& x, const std::vector<float>& expected) {
  BOOST_REQUIRE(x.dtype() == xtape::float32 && x.is_contiguous());
  const std::vector<float> got(x.data<float>(), x.data<float>() + x.numel());
  BOOST_TEST(got == expected, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_encoding)

BOOST_AUTO_TEST_CASE(labels) {
  LabelEncoder encoder;
  BOOST_CHECK_THROW(encoder.transform(Texts{"a"}), ValueError);
  const Tensor y = encoder.fit_transform(Texts{"setosa", "virginica", "setosa", "other"});
  BOOST_CHECK(y.dtype() == xtape::int64 && y.shape() == (Shape{4}));
  const std::vector<std::int64_t> got(y.data<std::int64_t>(), y.data<std::int64_t>() + 4);
  BOOST_CHECK(got == (std::vector<std::int64_t>{1, 2, 1, 0}));
  BOOST_CHECK(encoder.classes() == (Texts{"other", "setosa", "virginica"}));
  BOOST_CHECK(encoder.inverse_transform(y) == (Texts{"setosa", "virginica", "setosa", "other"}));
  BOOST_CHECK_EQUAL(encoder.find("set"), -1);
  BOOST_CHECK_EXCEPTION(encoder.transform(Texts{"setosa", "rose"}), ValueError,
                        says("'rose' is none of the 3 texts that fit saw"));
  const auto inverse = [&](const Tensor& x) { return encoder.inverse_transform(x); };
  BOOST_CHECK_EXCEPTION(inverse(xtape::tensor({3}, xtape::int64)), xtape::IndexError,
                        says("label 3 of 3"));
  BOOST_CHECK_THROW(inverse(xtape::tensor({-1}, xtape::int64)), xtape::IndexError);
  BOOST_CHECK_THROW(inverse(xtape::tensor({1})), xtape::DTypeError);
  BOOST_CHECK_THROW(inverse(xtape::zeros({1, 1}, xtape::int64)), xtape::ShapeError);
  BOOST_CHECK_THROW(encoder.fit(Texts{}), ValueError);
  BOOST_CHECK_EXCEPTION(encoder.fit(Texts{"a", ""}), ValueError, says("text 1 is missing"));
  BOOST_CHECK_EQUAL(encoder.classes().size(), 3u);

  LabelEncoder other;
  other.load_state(encoder.state());
  BOOST_CHECK(other.classes() == encoder.classes());
}

BOOST_AUTO_TEST_CASE(labels_of_a_column) {
  const Table t = parse_csv("n,kind\n1,rose\n2,\n3,tulip\n");
  const std::vector<std::int64_t> whole = {0, 2};
  LabelEncoder encoder;
  BOOST_CHECK_EXCEPTION(encoder.fit(t, "kind"), ValueError,
                        says("text: line 3, column 2 ('kind'): expected a text, found none"));
  const Tensor y = encoder.fit_transform(t.take(whole), "kind");
  BOOST_CHECK(y.data<std::int64_t>()[0] == 0 && y.data<std::int64_t>()[1] == 1);
  BOOST_CHECK_EXCEPTION(encoder.transform(t, "kind"), ValueError,
                        says("text: line 3, column 2 ('kind'): expected a text, found none"));
  BOOST_CHECK_EXCEPTION(encoder.transform(parse_csv("kind\n\nlily"), "kind"), ValueError,
                        says("text: line 3, column 1 ('kind'): 'lily' is none of the 2 texts"));
  BOOST_CHECK_THROW(LabelEncoder().transform(t, "kind"), ValueError);
  BOOST_CHECK_THROW(encoder.fit(t, "n"), ValueError);
}

BOOST_AUTO_TEST_CASE(label_states_that_are_none) {
  LabelEncoder encoder;
  BOOST_CHECK_THROW(encoder.state(), ValueError);
  const auto refused = [&](const Texts& bytes, const std::vector<std::int64_t>& ends) {
    std::vector<std::uint8_t> all(bytes[0].begin(), bytes[0].end());
    const auto n = static_cast<std::int64_t>(all.size());
    BOOST_CHECK_THROW(
        encoder.load_state({{"classes.bytes", xtape::from_values<std::uint8_t>(all, {n})},
                            {"classes.ends", xtape::from_values<std::int64_t>(
                                                 ends, {static_cast<std::int64_t>(ends.size())})}}),
        ValueError);
  };
  refused({"ab"}, {1, 3});
  refused({"ab"}, {1});
  refused({"ab"}, {2, 1});
  refused({"ab"}, {-1, 2});
  refused({"ba"}, {1, 2});
  refused({"aa"}, {1, 2});
  refused({"a"}, {0, 1});
  refused({""}, {});
  BOOST_CHECK_THROW(encoder.load_state({}), ValueError);
}

BOOST_AUTO_TEST_CASE(tables_to_features) {
  TableEncoder encoder(options());
  equal(encoder.fit_transform(customers()), {0, 0, 0, 0, 1,    //
                                             .2f, 1, 1, 0, 0,  //
                                             1, 0, 0, 1, 0});
  BOOST_CHECK(encoder.feature_names() ==
              (Texts{"age", "sex", "land=France", "land=Germany", "land=Spain"}));
  // Other rows by the fit of the first ones.
  equal(encoder.transform(parse_csv("land,age,sex\nSpain,120,M\n")), {2, 1, 0, 0, 1});

  TableEncoderOptions fewer = options();
  fewer.drop_first = true;
  fewer.scaling = Scaling::none;
  TableEncoder dropped(fewer);
  equal(dropped.fit_transform(customers()), {20, 0, 0, 1, 30, 1, 0, 0, 70, 0, 1, 0});
  BOOST_CHECK(dropped.feature_names() == (Texts{"age", "sex", "land=Germany", "land=Spain"}));
  BOOST_CHECK(dropped.scaler() == nullptr);

  TableEncoder standard({.numbers = {"age"}, .dtype = xtape::float64});
  const Tensor z = standard.fit_transform(customers());
  BOOST_CHECK_CLOSE(z.data<double>()[0], -20 / std::sqrt(1400. / 3), 1e-10);
  TableEncoder texts({.one_hot = {"sex"}});
  equal(texts.fit_transform(customers()), {1, 0, 0, 1, 1, 0});
}

BOOST_AUTO_TEST_CASE(missing_values_are_imputed_from_the_rows_of_the_fit) {
  const Table train = parse_csv("n,s\n1,b\n,a\n1,\n4,a\n10,b\n");
  const Table test = parse_csv("n,s\n100,c\n,\n", {.numbers = {"n"}});
  const auto fill = [&](Imputation imputation) {
    TableEncoder encoder(
        {.numbers = {"n"}, .scaling = Scaling::none, .impute_numbers = imputation});
    encoder.fit(train);
    return encoder.transform(test).data<float>()[1];
  };
  BOOST_CHECK_EQUAL(fill(Imputation::mean), 4);
  BOOST_CHECK_EQUAL(fill(Imputation::median), 2.5f);
  BOOST_CHECK_EQUAL(fill(Imputation::most_frequent), 1);
  BOOST_CHECK_EXCEPTION(
      fill(Imputation::none), ValueError,
      says("text: line 3, column 1 ('n'): expected a number, found none (see impute_numbers)"));

  TableEncoder encoder(
      {.one_hot = {"s"}, .impute_texts = Imputation::most_frequent, .ignore_unknown = true});
  equal(encoder.fit_transform(train), {0, 1, 1, 0, 1, 0, 1, 0, 0, 1});
  equal(encoder.transform(test), {0, 0, 1, 0});
  const Table nothing = parse_csv("n,s\n,\n");
  BOOST_CHECK_THROW(
      TableEncoder({.numbers = {"n"}, .impute_numbers = Imputation::mean}).fit(nothing),
      ValueError);
}

BOOST_AUTO_TEST_CASE(cells_that_cannot_be_used) {
  TableEncoder encoder(options());
  encoder.fit(customers());
  const auto refused = [&](const std::string& rows, const std::string& message) {
    BOOST_CHECK_EXCEPTION(encoder.transform(parse_csv("age,sex,land\n" + rows)), ValueError,
                          says(message));
  };
  refused("1,F,Spain\n2,F,Italy\n", "line 3, column 3 ('land'): 'Italy' is none of the 3 texts");
  refused("1,X,Spain\n", "line 2, column 2 ('sex'): 'X' is none of the 2 texts");
  refused("1,F,Spain\n1,,Spain", "line 3, column 2 ('sex'): expected a text, found none");
  refused("young,F,Spain\n", "line 2, column 1 ('age'): expected a number, found 'young'");
  BOOST_CHECK_THROW(encoder.transform(parse_csv("age,sex\n1,F\n")), ValueError);
  Table infinite = customers().drop({"age"});
  infinite.add("age", std::vector<double>{1, INFINITY, 2});
  BOOST_CHECK_EXCEPTION(encoder.transform(infinite), ValueError, says("is infinite"));

  const Table large = parse_csv("n\n1\n-4e99\n");
  TableEncoder plain({.numbers = {"n"}, .scaling = Scaling::none});
  BOOST_CHECK_EXCEPTION(plain.fit_transform(large), ValueError,
                        says("line 3, column 1 ('n'): scaled it is -4e+99, beyond float32"));
  TableEncoder standard({.numbers = {"n"}});
  equal(standard.fit_transform(large), {1, -1});

  // A fit that is refused leaves the old one.
  BOOST_CHECK_THROW(encoder.fit(parse_csv("age,sex,land\n5,F,\n")), ValueError);
  BOOST_CHECK_THROW(encoder.fit(parse_csv("age,sex,land\n")), ValueError);
  equal(encoder.transform(parse_csv("age,sex,land\n20,M,France")), {0, 1, 1, 0, 0});
}

BOOST_AUTO_TEST_CASE(many_columns_take_no_longer_each) {
  std::string text = "c0";
  for (int i = 1; i < 40000; ++i) text += ",c" + std::to_string(i);
  for (int row = 0; row < 2; ++row) {
    text += row == 0 ? "\n1" : "\n3";
    for (int i = 1; i < 40000; ++i) text += ",0";
  }
  const Table table = parse_csv(text);
  const std::clock_t start = std::clock();
  const Texts names = table.drop({"c7"}).select(table.drop({"c7"}).names()).names();
  BOOST_CHECK_EQUAL(names.size(), 39999u);
  BOOST_CHECK_EQUAL(table.matrix(names).data<float>()[39999], 3);
  TableEncoder encoder({.numbers = names, .impute_numbers = Imputation::mean});
  BOOST_CHECK_EQUAL(encoder.fit_transform(table).data<float>()[39999], 1);
  BOOST_TEST(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 2);
}

BOOST_AUTO_TEST_CASE(options_out_of_range) {
  BOOST_CHECK_THROW(TableEncoder({}), ValueError);
  BOOST_CHECK_THROW(TableEncoder({.numbers = {"a"}, .one_hot = {"a"}}), ValueError);
  BOOST_CHECK_THROW(TableEncoder({.numbers = {"a"}, .dtype = xtape::int64}), xtape::DTypeError);
  BOOST_CHECK_THROW(TableEncoder({.one_hot = {"a"}, .impute_texts = Imputation::mean}), ValueError);
  BOOST_CHECK_THROW(TableEncoder({.one_hot = {"a"}, .drop_first = true, .ignore_unknown = true}),
                    ValueError);
  const TableEncoder unfitted(options());
  BOOST_CHECK_THROW(unfitted.transform(customers()), ValueError);
  BOOST_CHECK_THROW(unfitted.feature_names(), ValueError);
  BOOST_CHECK_THROW(unfitted.state(), ValueError);
}

BOOST_AUTO_TEST_CASE(saved_and_loaded) {
  const test::Folder folder;
  TableEncoderOptions o = options();
  o.impute_numbers = Imputation::mean;
  o.impute_texts = Imputation::most_frequent;
  TableEncoder encoder(o), other(o);
  encoder.fit(parse_csv("age,sex,land\n20,F,Köln\n31,M,Bonn\n,F,\n"));
  xtape::data::write_safetensors(folder / "e", encoder.state());
  const auto state = xtape::data::read_safetensors(folder / "e").tensors;
  other.load_state(state);
  const Table table = parse_csv("age,sex,land\n33.3,M,Köln\n,,\n", {.texts = {"sex"}});
  const Tensor a = encoder.transform(table), b = other.transform(table);
  equal(b, std::vector<float>(a.data<float>(), a.data<float>() + a.numel()));
  BOOST_CHECK(other.feature_names() == encoder.feature_names());

  // Every tensor is needed, in its dtype; the columns must be the same.
  for (std::size_t i = 0; i < state.size(); ++i) {
    auto damaged = state;
    damaged.erase(damaged.begin() + static_cast<long>(i));
    BOOST_CHECK_THROW(TableEncoder(o).load_state(damaged), ValueError);
    damaged = state;
    damaged[i].second = xtape::zeros({100}, state[i].second.dtype());
    BOOST_TEST_CONTEXT(state[i].first) {
      BOOST_CHECK_THROW(TableEncoder(o).load_state(damaged), ValueError);
    }
  }
  TableEncoder others({.numbers = {"age"}});
  BOOST_CHECK_EXCEPTION(others.load_state(state), ValueError, says("of other columns"));
}

BOOST_AUTO_TEST_SUITE_END()
