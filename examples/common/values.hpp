// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

// Named numbers, and numbers as text.
namespace example {

/// E.g. {{"test_loss", 0.1}, {"test_accuracy", 0.97}}.
using Values = std::vector<std::pair<std::string, double>>;

namespace detail {

/// NaN where there is none of this name.
inline double find(const Values& values, const std::string& name) {
  const auto at = std::find_if(values.begin(), values.end(),
                               [&](const auto& value) { return value.first == name; });
  return at == values.end() ? NAN : at->second;
}

/// The shortest text that reads back as the same number; JSON has none for NaN and Inf.
inline std::string number(double x) {
  if (!std::isfinite(x)) return "null";
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}

inline std::string short_number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", x);
  return text;
}

}  // namespace detail
}  // namespace example
