// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>

// What the tests of pictures read in them.
namespace test {

/// How often a part occurs.
inline int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// The number that is the first attribute of that name from a place on.
inline double attribute(const std::string& text, const std::string& name, std::size_t from = 0) {
  const std::size_t at = text.find(" " + name + "=\"", from);
  BOOST_REQUIRE(at != std::string::npos);
  return std::stod(text.substr(at + name.size() + 3));
}

}  // namespace test
