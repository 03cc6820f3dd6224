// SPDX-License-Identifier: BSD-3-Clause
#include "field.hpp"

namespace xtape::data::detail {
namespace {

constexpr std::size_t kLongestInMessage = 40;

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos && trimmed(text) == text) {
    return std::string(text);
  }
  std::string field = "\"";
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + '"';
}

std::string quoted(std::string_view text) {
  if (text.size() <= kLongestInMessage) return "'" + std::string(text) + "'";
  std::size_t end = kLongestInMessage;
  while (end > 0 && (text[end] & 0xc0) == 0x80) --end;  // whole characters
  return "'" + std::string(text.substr(0, end)) + "...'";
}

}  // namespace xtape::data::detail
