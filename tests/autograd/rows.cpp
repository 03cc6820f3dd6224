// SPDX-License-Identifier: BSD-3-Clause
#include "rows.hpp"

#include <boost/test/unit_test.hpp>

#include "checks.hpp"

namespace xtape::test {

void checkpoint(const std::string& what) { BOOST_TEST_CHECKPOINT(what); }

std::vector<std::string> failures_of(const Row& row) {
  Checks checks(row);
  try {
    checks.run();
  } catch (const std::exception& e) {
    std::vector<std::string> failures = checks.failures();
    failures.push_back(std::string("an exception ended the checks: ") + e.what());
    return failures;
  }
  return checks.failures();
}

void run_row(const Row& row) {
  for (const std::string& failure : failures_of(row)) BOOST_ERROR(row.name + ": " + failure);
  BOOST_TEST(true);  // a row without failures is a test that has run
}

Rows::Rows(std::initializer_list<Row> rows, std::source_location where) {
  for (const Row& row : rows) {
    boost::unit_test::framework::current_auto_test_suite().add(boost::unit_test::make_test_case(
        [row] { run_row(row); }, "op_" + row.name, where.file_name(), where.line()));
  }
}

}  // namespace xtape::test
