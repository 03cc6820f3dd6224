// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/data/csv.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "files.hpp"

using test::says;
using xtape::FileError;
using xtape::ValueError;
using xtape::data::ColumnType;
using xtape::data::CsvOptions;
using xtape::data::parse_csv;
using xtape::data::read_csv;
using xtape::data::Table;
using xtape::data::write_csv;
using Texts = std::vector<std::string>;

namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> numbers(const Table& table, const std::string& name) {
  const auto values = table.numbers(name);
  return {values.begin(), values.end()};
}

Texts texts(const Table& table, const std::string& name) {
  const auto values = table.texts(name);
  return {values.begin(), values.end()};
}

test::Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

void refused(std::string_view text, const std::string& message, const CsvOptions& options = {}) {
  BOOST_TEST_CONTEXT("text: " << text.substr(0, 60)) {
    BOOST_CHECK_EXCEPTION(parse_csv(text, options), FileError, says("read_csv: text: " + message));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_csv)

BOOST_AUTO_TEST_CASE(typed_columns) {
  const Table t = parse_csv("id,name,score\n1,Ann,2.5\n2,Bob,-1e3\n3,,+.5\n");
  BOOST_CHECK_EQUAL(t.rows(), 3);
  BOOST_TEST(t.names() == (Texts{"id", "name", "score"}), boost::test_tools::per_element());
  BOOST_CHECK(numbers(t, "id") == (std::vector<double>{1, 2, 3}));
  BOOST_CHECK(numbers(t, "score") == (std::vector<double>{2.5, -1000, .5}));
  BOOST_CHECK(texts(t, "name") == (Texts{"Ann", "Bob", ""}));
  BOOST_CHECK(t.column("name").is_missing(2) && !t.column("name").is_missing(1));
}

BOOST_AUTO_TEST_CASE(quotes_and_line_ends) {
  const Table t = parse_csv(
      "\xef\xbb\xbf"
      "a,\"b,c\"\r\n"
      "\"x\r\ny\",\"say \"\"hi\"\"\"\r\n"
      "\r\n"
      "\"\"\"\",z");
  BOOST_TEST(t.names() == (Texts{"a", "b,c"}), boost::test_tools::per_element());
  BOOST_CHECK(texts(t, "a") == (Texts{"x\r\ny", "\""}));
  BOOST_CHECK(texts(t, "b,c") == (Texts{"say \"hi\"", "z"}));
  // The second row follows a quoted line end and an empty line.
  BOOST_CHECK_EQUAL(t.where(0, "a"), "text: line 2, column 1 ('a')");
  BOOST_CHECK_EQUAL(t.where(1, "b,c"), "text: line 5, column 2 ('b,c')");
}

BOOST_AUTO_TEST_CASE(the_last_field_may_be_empty) {
  for (const char* text : {"a,b\n1,", "a,b\n1,\n", "a,b\r\n1,\r\n", "a,b\n1,\"\"\n\n\n"}) {
    const Table t = parse_csv(text);
    BOOST_CHECK_EQUAL(t.rows(), 1);
    BOOST_CHECK(std::isnan(t.numbers("b")[0]));
  }
  BOOST_CHECK_EQUAL(parse_csv("a,b").rows(), 0);
}

BOOST_AUTO_TEST_CASE(thousands_stand_in_groups_of_three) {
  const Table t = parse_csv("v\n\"1,657,300\"\n\"-12,000.5\"\n7\n");
  BOOST_CHECK(numbers(t, "v") == (std::vector<double>{1657300, -12000.5, 7}));
  for (const char* text : {"\"1,23\"", "\"1234,567\"", "\",123\"", "\"1,,234\"", "\"1,2345\"",
                           "\"1.5,000\"", "\"1,234,\""}) {
    BOOST_CHECK(parse_csv("v\n" + std::string(text)).column("v").type == ColumnType::text);
  }
  const Table swiss = parse_csv("v;w\n1'000;2,5\n", {.delimiter = ';', .thousands = '\''});
  BOOST_CHECK_EQUAL(swiss.numbers("v")[0], 1000);
  BOOST_CHECK(swiss.column("w").type == ColumnType::text);
  BOOST_CHECK(parse_csv("v\n\"1,000\"", {.thousands = '\0'}).column("v").type == ColumnType::text);
}

BOOST_AUTO_TEST_CASE(what_is_no_number_is_a_text) {
  for (const char* text : {"NaN", "Inf", "+inf", "+nan", "--inf", "nan(0)", "Infinity", "0x10",
                           "1e999", "--1", "+-1", "1 2", "1e", ".", "-", "1.2.3", "12a"}) {
    const Table t = parse_csv("v\n1\n" + std::string(text) + "\n");
    BOOST_TEST_CONTEXT(text) {
      BOOST_CHECK(texts(t, "v") == (Texts{"1", text}));
      BOOST_CHECK_EXCEPTION(
          t.numbers("v"), ValueError,
          says("text: line 3, column 1 ('v'): expected a number, found '" + std::string(text)));
    }
  }
  BOOST_CHECK(numbers(parse_csv("v\n  5 \n\t-6\n"), "v") == (std::vector<double>{5, -6}));
}

BOOST_AUTO_TEST_CASE(what_has_no_digits_is_a_number_as_we_write_it) {
  const Table t = parse_csv("v,w,x\n1,nan,inf\nnan,-nan,a\n inf ,nan,nan\n-inf,nan,b\n");
  const auto v = t.numbers("v"), w = t.numbers("w");
  BOOST_CHECK(v[0] == 1 && std::isnan(v[1]) && v[2] == INFINITY && v[3] == -INFINITY);
  BOOST_CHECK(t.column("v").is_missing(1) && !t.column("v").is_missing(2));
  for (const double x : w) BOOST_CHECK(std::isnan(x));
  // Among texts they are texts, and none of them is what makes it a column of texts.
  BOOST_CHECK(texts(t, "x") == (Texts{"inf", "a", "nan", "b"}));
  BOOST_CHECK_EXCEPTION(t.numbers("x"), ValueError,
                        says("line 3, column 3 ('x'): expected a number, found 'a'"));
  BOOST_CHECK_EXCEPTION(t.tensor("v"), ValueError,
                        says("line 3, column 1 ('v'): expected a number, found none"));
  BOOST_CHECK_EQUAL(parse_csv("v\ninf\n").tensor("v").item<float>(), INFINITY);
}

BOOST_AUTO_TEST_CASE(missing_values) {
  const Table t = parse_csv("n,s\n1,a\n?,?\n NA ,\n3,b\n", {.missing = {"", "?", "NA"}});
  const auto n = t.numbers("n");
  BOOST_CHECK(n[0] == 1 && std::isnan(n[1]) && std::isnan(n[2]) && n[3] == 3);
  BOOST_CHECK(texts(t, "s") == (Texts{"a", "", "", "b"}));
  // A column in which all is missing.
  BOOST_CHECK(std::isnan(parse_csv("a,b\n1,\n").numbers("b")[0]));
}

BOOST_AUTO_TEST_CASE(headers) {
  const Table numbered = parse_csv("5.1,3.5,setosa\n4.9,3.0,setosa", {.header = false});
  BOOST_TEST(numbered.names() == (Texts{"0", "1", "2"}), boost::test_tools::per_element());
  BOOST_CHECK_EQUAL(numbered.rows(), 2);
  BOOST_CHECK_EQUAL(numbered.where(1, "2"), "text: line 2, column 3 ('2')");
  const Table named = parse_csv("1,2", {.header = false, .names = {"x", "y"}});
  BOOST_CHECK_EQUAL(named.numbers("y")[0], 2);
  BOOST_CHECK_EQUAL(parse_csv("a,b\n1,2", {.names = {"x", "y"}}).numbers("y")[0], 2);
  refused("1,2,3", "line 1, column 3: expected 2 columns, as many as names, got 3",
          {.header = false, .names = {"x", "y"}});
  refused("1", "line 1, column 1: expected 2 columns", {.names = {"x", "y"}});
  refused("a,b,a", "line 1, column 3 ('a'): column 1 has this name too");
}

BOOST_AUTO_TEST_CASE(types_that_are_asked_for) {
  const Table t = parse_csv("zip,n\n007,1\n", {.numbers = {"n"}, .texts = {"zip"}});
  BOOST_CHECK_EQUAL(t.texts("zip")[0], "007");
  refused("age\n41\n\nforty", "line 4, column 1 ('age'): expected a number, found 'forty'",
          {.numbers = {"age"}});
  refused("a\n1", "line 1: no column 'b'", {.numbers = {"b"}});
  refused("a\n1", "line 1: no column 'b'", {.texts = {"b"}});
  BOOST_CHECK_THROW(parse_csv("a\n1", {.numbers = {"a"}, .texts = {"a"}}), ValueError);
  refused("a\n" + std::string(39, 'x') + "\xc3\xa9" + "yyy",
          "line 2, column 1 ('a'): expected a number, found '" + std::string(39, 'x') + "...'",
          {.numbers = {"a"}});
}

BOOST_AUTO_TEST_CASE(damaged_texts) {
  refused("", "line 1, column 1: expected a header, the file is empty");
  refused("\n\r\n", "line 1, column 1: expected a header, the file is empty");
  refused("", "line 1, column 1: expected a row, the file is empty", {.header = false});
  refused("a,b\n1,2\n3\n", "line 3, column 1: expected 2 fields in the row, got 1");
  refused("a,b\n1,2,3\n", "line 2, column 3: expected 2 fields in the row, got 3");
  refused("a\n\"x\n\n", "line 2, column 1: its quote is never closed");
  refused("a\n\"", "line 2, column 1: its quote is never closed");
  refused("a\n\"x\"y\n", "line 2, column 1: more text after the closing quote");
  refused("a,b\n1,x\"y\n", "line 2, column 2: a quote inside a field");
  refused("a\r1\r", "line 1, column 1: a carriage return without a line feed");
  refused("a\n1\r", "line 2, column 1: a carriage return without a line feed");
  refused(std::string_view("\xff\xfe"
                           "a\0\n\0",
                           6),
          "line 1, column 1: a zero byte; is the file UTF-16?");
  for (const char* text : {"\xe9t\xe9", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
                           "\x80", "\xf0\x80\x80\x80"}) {
    refused("a\n" + std::string(text), "line 2, column 1: expected UTF-8, found other bytes");
  }
  const std::string fine = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf";
  BOOST_CHECK_EQUAL(parse_csv("a\n" + fine).texts("a")[0], fine);
}

BOOST_AUTO_TEST_CASE(sizes_are_limited) {
  std::string names, header;
  for (int i = 0; i < 100'000; ++i) names += std::to_string(i) + ',';
  for (int i = 0; i < 100; ++i) header += names;
  refused(header, "line 1, column 65537: more than 65536 columns (see CsvOptions::max_columns)");
  refused("a\n" + header, "line 2, column 65537: more than 65536 columns");
  refused("a,b,c\n", "line 1, column 3: more than 2 columns", {.max_columns = 2});
  BOOST_CHECK_EQUAL(parse_csv("a,b\n", {.max_columns = 2}).columns().size(), 2u);
  const test::Folder folder;
  test::write_bytes(folder / "t.csv", bytes("a\n1\n"));
  BOOST_CHECK_EXCEPTION(read_csv(folder / "t.csv", {.max_bytes = 3}), FileError,
                        says("it has 4 bytes, more than 3"));
  BOOST_CHECK_EQUAL(read_csv(folder / "t.csv", {.max_bytes = 4}).rows(), 1);
}

BOOST_AUTO_TEST_CASE(options_out_of_range) {
  for (const char c : {'"', '\n', '\r', '\0'}) {
    BOOST_CHECK_THROW(parse_csv("a", {.delimiter = c}), ValueError);
  }
  for (const char c : {'.', '5', 'e', '-', ' '}) {
    BOOST_CHECK_THROW(parse_csv("a", {.thousands = c}), ValueError);
  }
  BOOST_CHECK_THROW(parse_csv("a", {.max_columns = 0}), ValueError);
}

BOOST_AUTO_TEST_CASE(files) {
  const test::Folder folder;
  const std::string path = folder / "t.csv";
  BOOST_CHECK_EXCEPTION(read_csv(path), FileError, says("read_csv: " + path + ": cannot open"));
  BOOST_CHECK_THROW(read_csv(folder.path().string()), FileError);
  test::write_bytes(path, bytes("a,b\n1,2\n3,x\n"));
  const Table t = read_csv(path);
  BOOST_CHECK_EXCEPTION(t.tensor("b"), ValueError,
                        says(path + ": line 3, column 2 ('b'): expected a number, found 'x'"));
  BOOST_CHECK_EXCEPTION(t.column("c"), ValueError, says(path + ": no column 'c', it has 'a', 'b'"));
  test::write_bytes(path, bytes("a,b\n1\n"));
  BOOST_CHECK_EXCEPTION(read_csv(path), FileError,
                        says("read_csv: " + path + ": line 2, column 1"));
}

BOOST_AUTO_TEST_CASE(written_and_read_again) {
  const test::Folder folder;
  const std::string path = folder / "t.csv";
  Table t;
  t.add("n", std::vector<double>{.1, 1e300, -5e-324, kNan, 123456789012, INFINITY, -INFINITY});
  t.add("s,1", Texts{"x", "say \"hi\"", " blank ", "", "line\r\nend", "nan", "inf"});
  write_csv(path, t);
  const Table back = read_csv(path);
  BOOST_TEST(back.names() == t.names(), boost::test_tools::per_element());
  for (std::size_t i = 0; i < 7; ++i) {
    const double expected = t.numbers("n")[i], got = back.numbers("n")[i];
    BOOST_CHECK(expected == got || (std::isnan(expected) && std::isnan(got)));
  }
  BOOST_CHECK(texts(back, "s,1") == texts(t, "s,1"));

  Table one;  // a lone missing value is a row of its own
  one.add("n", std::vector<double>{1, kNan, 3});
  write_csv(path, one);
  BOOST_CHECK_EQUAL(read_csv(path).rows(), 3);

  const test::Bytes before = test::read_bytes(path);
  BOOST_CHECK_THROW(write_csv(path, Table()), ValueError);
  BOOST_CHECK(test::read_bytes(path) == before);
  BOOST_CHECK_EQUAL(folder.names().size(), 1u);
}

BOOST_AUTO_TEST_CASE(any_bytes_give_a_table_or_an_error) {
  // Short texts of the characters that matter: every one is a table with full rows, or a FileError.
  std::mt19937 random(1);
  const std::string alphabet("a1,\"\n\r \xc3\xa9.\0", 11);
  int tables = 0, errors = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto length = random() % 12; length > 0; --length) {
      text += alphabet[random() % alphabet.size()];
    }
    try {
      const Table t = parse_csv(text);
      for (const auto& column : t.columns()) BOOST_REQUIRE_EQUAL(column.size(), t.rows());
      ++tables;
    } catch (const FileError&) {
      ++errors;
    }
  }
  BOOST_CHECK_GT(tables, 1000);
  BOOST_CHECK_GT(errors, 1000);
}

BOOST_AUTO_TEST_SUITE_END()
