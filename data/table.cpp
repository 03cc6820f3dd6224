// SPDX-License-Identifier: BSD-3-Clause
#include "table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "../autograd/error.hpp"
#include "column_lookup.hpp"
#include "field.hpp"
#include "number_text.hpp"

namespace xtape::data {

using detail::quoted;
namespace {

constexpr std::size_t kNamesInMessage = 20;

std::string list_of(const std::vector<Column>& columns) {
  if (columns.empty()) return "it has none";
  std::string list = "it has ";
  for (std::size_t i = 0; i < columns.size() && i < kNamesInMessage; ++i) {
    list += (i > 0 ? ", " : "") + quoted(columns[i].name);
  }
  return columns.size() > kNamesInMessage ? list + ", ..." : list;
}

template <class T>
std::vector<T> picked(const std::vector<T>& from, std::span<const std::int64_t> rows) {
  std::vector<T> result;
  if (from.empty()) return result;
  result.reserve(rows.size());
  for (const std::int64_t row : rows) result.push_back(from[static_cast<std::size_t>(row)]);
  return result;
}

// Whether `x` becomes a T: without loss as far as integers go, not beyond it otherwise.
template <class T>
bool fits(double x) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isinf(x) || std::abs(x) <= static_cast<double>(std::numeric_limits<T>::max());
  }
  if constexpr (std::is_same_v<T, bool>) return x == 0 || x == 1;
  // 2^63 as a double is one beyond the largest int64.
  constexpr double low = static_cast<double>(std::numeric_limits<T>::min());
  constexpr double high = sizeof(T) == 8 ? 0x1p63 : 256;
  return x == std::trunc(x) && x >= low && x < high;
}

// Writes a column of numbers to every `step`-th element.
template <class T>
void write_column(const Table& table, const Column& column, T* to, std::int64_t step) {
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const double x = column.numbers[static_cast<std::size_t>(row)];
    if (std::isnan(x)) {
      throw ValueError("Table: " + table.where(row, column.name) + ": expected a number, " +
                       "found none (impute it, or drop the row)");
    }
    if (!fits<T>(x)) {
      throw ValueError("Table: " + table.where(row, column.name) + ": " + detail::number_text(x) +
                       (std::is_floating_point_v<T> ? " is beyond " : " is no ") +
                       name(dtype_of<T>));
    }
    to[row * step] = static_cast<T>(x);
  }
}

}  // namespace

std::int64_t Column::size() const noexcept {
  return static_cast<std::int64_t>(type == ColumnType::number ? numbers.size() : texts.size());
}

bool Column::is_missing(std::int64_t row) const noexcept {
  const auto i = static_cast<std::size_t>(row);
  return type == ColumnType::number ? std::isnan(numbers[i]) : texts[i].empty();
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> result;
  for (const Column& column : columns_) result.push_back(column.name);
  return result;
}

bool Table::contains(std::string_view name) const noexcept {
  return std::any_of(columns_.begin(), columns_.end(),
                     [&](const Column& column) { return column.name == name; });
}

const Column& Table::column(std::string_view name) const {
  for (const Column& column : columns_) {
    if (column.name == name) return column;
  }
  throw ValueError("Table: " + (source_.empty() ? "" : source_ + ": ") + "no column " +
                   quoted(name) + ", " + list_of(columns_));
}

std::span<const double> Table::numbers(std::string_view name) const {
  const Column& found = column(name);
  if (found.type == ColumnType::number) return found.numbers;
  for (std::int64_t row = 0; row < rows_; ++row) {
    const std::string& text = found.texts[static_cast<std::size_t>(row)];
    double number;
    if (text.empty() || detail::parse_number(text, thousands_, number)) continue;
    throw ValueError("Table: " + where(row, name) + ": expected a number, found " + quoted(text));
  }
  throw ValueError("Table: " + (source_.empty() ? "" : source_ + ": ") + "column " + quoted(name) +
                   " holds texts, expected numbers");
}

std::span<const std::string> Table::texts(std::string_view name) const {
  const Column& found = column(name);
  if (found.type == ColumnType::text) return found.texts;
  throw ValueError("Table: " + (source_.empty() ? "" : source_ + ": ") + "column " + quoted(name) +
                   " holds numbers, expected texts (see CsvOptions::texts)");
}

Table& Table::append(Column column) {
  if (contains(column.name)) throw ValueError("Table: column " + quoted(column.name) + " is there");
  if (!columns_.empty() && column.size() != rows_) {
    throw ShapeError("Table: column " + quoted(column.name) + " has " +
                     std::to_string(column.size()) + " rows, the others have " +
                     std::to_string(rows_));
  }
  rows_ = column.size();
  columns_.push_back(std::move(column));
  return *this;
}

Table& Table::add(const std::string& name, std::vector<double> numbers) {
  return append({.name = name, .type = ColumnType::number, .numbers = std::move(numbers)});
}

Table& Table::add(const std::string& name, std::vector<std::string> texts) {
  return append({.name = name, .type = ColumnType::text, .texts = std::move(texts)});
}

Table Table::select(const std::vector<std::string>& names) const {
  const detail::ColumnLookup lookup(*this);
  Table result;
  std::unordered_set<std::string_view> taken;
  for (const std::string& name : names) {
    result.columns_.push_back(lookup.column(name));
    if (!taken.insert(name).second) {
      throw ValueError("Table: column " + quoted(name) + " comes twice");
    }
  }
  result.rows_ = rows_;
  result.source_ = source_;
  result.lines_ = lines_;
  result.thousands_ = thousands_;
  return result;
}

Table Table::drop(const std::vector<std::string>& names) const {
  const detail::ColumnLookup lookup(*this);
  std::unordered_set<std::string_view> dropped;
  for (const std::string& name : names) dropped.insert(lookup.column(name).name);
  std::vector<std::string> kept;
  for (const Column& column : columns_) {
    if (!dropped.contains(column.name)) kept.push_back(column.name);
  }
  return select(kept);
}

Table Table::take(std::span<const std::int64_t> rows) const {
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= rows_) {
      throw IndexError("Table: row " + std::to_string(row) + " of " + std::to_string(rows_));
    }
  }
  Table result;
  result.rows_ = static_cast<std::int64_t>(rows.size());
  result.source_ = source_;
  result.lines_ = picked(lines_, rows);
  result.thousands_ = thousands_;
  for (const Column& column : columns_) {
    result.columns_.push_back({column.name, column.type, picked(column.numbers, rows),
                               picked(column.texts, rows), column.place});
  }
  return result;
}

Table Table::head(std::int64_t count) const {
  if (count < 0) throw ValueError("Table: expected at least 0 rows, got " + std::to_string(count));
  std::vector<std::int64_t> first(static_cast<std::size_t>(std::min(count, rows_)));
  std::iota(first.begin(), first.end(), 0);
  return take(first);
}

Table Table::drop_missing() const {
  std::vector<std::int64_t> whole;
  for (std::int64_t row = 0; row < rows_; ++row) {
    if (std::none_of(columns_.begin(), columns_.end(),
                     [&](const Column& column) { return column.is_missing(row); })) {
      whole.push_back(row);
    }
  }
  return take(whole);
}

Tensor Table::tensor(std::string_view name, DType dtype) const {
  numbers(name);  // throws where it holds texts
  Tensor result = xtape::detail::empty(dtype, Shape{rows_});
  xtape::detail::dispatch(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    write_column(*this, column(name), xtape::detail::fresh_data<T>(result), 1);
  });
  return result;
}

Tensor Table::matrix(const std::vector<std::string>& names, DType dtype) const {
  const detail::ColumnLookup lookup(*this);
  for (const std::string& name : names) lookup.numbers(name);
  const auto width = static_cast<std::int64_t>(names.size());
  Tensor result = xtape::detail::empty(dtype, Shape{rows_, width});
  xtape::detail::dispatch(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* to = xtape::detail::fresh_data<T>(result);
    for (const std::string& name : names) write_column(*this, lookup.column(name), to++, width);
  });
  return result;
}

std::string Table::where(std::int64_t row, std::string_view name) const {
  if (row < 0 || row >= rows_) {
    throw IndexError("Table: row " + std::to_string(row) + " of " + std::to_string(rows_));
  }
  if (source_.empty()) return "row " + std::to_string(row) + ", column " + quoted(name);
  const std::int64_t place = contains(name) ? column(name).place : 0;
  return source_ + ": line " + std::to_string(lines_[static_cast<std::size_t>(row)]) + ", column " +
         (place > 0 ? std::to_string(place) + " (" + quoted(name) + ")" : quoted(name));
}

namespace detail {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "1,657,300" without its separators; false where they do not part groups of three.
bool join_thousands(std::string_view text, char separator, std::string& joined) {
  const std::size_t end = std::min(text.find_first_of(".eE"), text.size());
  std::size_t group = 0, groups = 0;
  for (std::size_t i = 0; i < end; ++i) {
    if (text[i] == separator) {
      if (group == 0 || group > 3 || (groups > 0 && group != 3)) return false;
      group = 0;
      ++groups;
    } else {
      joined += text[i];
      ++group;
    }
  }
  joined += text.substr(end);
  return group == 3;
}

}  // namespace

bool parse_number(std::string_view text, char thousands, double& number) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return false;
  text = text.substr(first, text.find_last_not_of(" \t") + 1 - first);
  const bool negative = text[0] == '-', has_plus = text[0] == '+';
  if (negative || has_plus) text.remove_prefix(1);
  if (text == "nan" || text == "inf") {
    number = text == "nan" ? std::numeric_limits<double>::quiet_NaN()
                           : std::numeric_limits<double>::infinity();
    if (negative) number = -number;
    return !has_plus;
  }
  // Neither other spellings of these nor a second sign.
  if (text.empty() || !(is_digit(text[0]) || text[0] == '.')) return false;
  std::string joined;
  if (thousands != '\0' && text.find(thousands) != text.npos) {
    if (!join_thousands(text, thousands, joined)) return false;
    text = joined;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  if (negative) number = -number;
  return true;
}

}  // namespace detail
}  // namespace xtape::data
