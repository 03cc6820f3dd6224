// SPDX-License-Identifier: BSD-3-Clause
#include "csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "../autograd/error.hpp"
#include "field.hpp"
#include "file.hpp"
#include "number_text.hpp"
#include "utf8.hpp"

namespace xtape::data {

using detail::quoted;
using detail::trimmed;
namespace {

struct Field {
  std::string_view raw;     // without its quotes
  bool has_quotes = false;  // doubled ones inside
  std::int64_t line = 1;    // where it begins
  std::int64_t column = 1;

  std::string text() const {
    std::string result(raw);
    if (has_quotes) {
      // The second quote of each pair goes.
      std::size_t to = 0;
      for (std::size_t from = 0; from < result.size(); ++from) {
        result[to++] = result[from];
        if (result[from] == '"') ++from;
      }
      result.resize(to);
    }
    return result;
  }
};

// Goes through a text record by record, field by field.
class Scanner {
 public:
  Scanner(std::string_view text, char delimiter, const std::string& source)
      : text_(text), delimiter_(delimiter), source_(source) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  }

  // Goes to the next record, beyond empty lines; false at the end.
  bool begin_record() {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_.substr(at_).starts_with("\r\n"))) {
      at_ += text_[at_] == '\n' ? 1 : 2;
      ++line_;
    }
    column_ = 0;
    more_ = at_ < text_.size();
    return more_;
  }
  // Whether the record has another field.
  bool more() const { return more_; }

  Field next() {
    Field field{.raw = {}, .line = line_, .column = ++column_};
    const bool opens = at_ < text_.size() && text_[at_] == '"';
    if (opens) {
      read_quoted(field);
    } else {
      read_plain(field);
    }
    if (field.raw.find('\0') != field.raw.npos) fail(field, "a zero byte; is the file UTF-16?");
    if (detail::first_not_utf8(field.raw) < field.raw.size())
      fail(field, "expected UTF-8, found other bytes");
    end_field(field, opens);
    return field;
  }

  [[noreturn]] void fail(const Field& field, const std::string& what,
                         const std::string& name = "") const {
    throw FileError("read_csv: " + source_ + ": line " + std::to_string(field.line) + ", column " +
                    std::to_string(field.column) + (name.empty() ? "" : " (" + quoted(name) + ")") +
                    ": " + what);
  }

 private:
  void read_plain(Field& field) {
    const std::size_t begin = at_;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == delimiter_ || c == '\n' || c == '\r') break;
      if (c == '"') fail(field, "a quote inside a field that does not begin with one");
    }
    field.raw = text_.substr(begin, at_ - begin);
  }

  void read_quoted(Field& field) {
    const std::size_t begin = ++at_;
    for (;; ++at_) {
      if (at_ == text_.size()) fail(field, "its quote is never closed");
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') continue;
      if (!text_.substr(at_ + 1).starts_with('"')) break;
      field.has_quotes = true;
      ++at_;
    }
    field.raw = text_.substr(begin, at_++ - begin);
  }

  void end_field(const Field& field, bool was_quoted) {
    more_ = false;
    if (at_ == text_.size()) return;
    if (text_[at_] == delimiter_) {
      more_ = true;
    } else if (text_[at_] == '\n') {
      ++line_;
    } else if (text_[at_] == '\r') {
      if (!text_.substr(at_ + 1).starts_with('\n')) {
        fail(field, "a carriage return without a line feed");
      }
      ++at_;
      ++line_;
    } else if (was_quoted) {
      fail(field, "more text after the closing quote");
    }
    ++at_;
  }

  std::string_view text_;
  char delimiter_;
  const std::string& source_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1, column_ = 0;
  bool more_ = false;
};

void check(const CsvOptions& o) {
  const std::string_view reserved("\"\r\n\0", 4), of_numbers("0123456789.+-eE \t\"\r\n");
  if (reserved.find(o.delimiter) != reserved.npos) {
    throw ValueError("read_csv: the delimiter is a quote, a line end or a zero byte");
  }
  if (of_numbers.find(o.thousands) != of_numbers.npos) {
    throw ValueError(std::string("read_csv: '") + o.thousands + "' cannot part thousands");
  }
  if (o.max_columns < 1) {
    throw ValueError("read_csv: max_columns must be positive, got " +
                     std::to_string(o.max_columns));
  }
}

}  // namespace

// The first pass checks the text, counts its rows and finds its types, the second fills the
// columns: nothing is allocated for a text that is refused.
class TableBuilder {
 public:
  TableBuilder(std::string_view text, const CsvOptions& options, const std::string& source)
      : text_(text), options_(options), source_(source) {
    check(options);
  }

  Table build() {
    const Scanner start(text_, options_.delimiter, source_);
    Scanner beyond_header = start;
    read_header(beyond_header);
    require_columns(options_.numbers, kMustBeNumber);
    require_columns(options_.texts, kText);
    Scanner first = options_.header ? beyond_header : start, second = first;
    find_types(first);
    fill(second);
    return std::move(table_);
  }

 private:
  enum Kind : char { kNumber, kMustBeNumber, kText };

  void check_count(const Scanner& scanner, const Field& field) const {
    if (field.column > options_.max_columns) {
      scanner.fail(field, "more than " + std::to_string(options_.max_columns) +
                              " columns (see CsvOptions::max_columns)");
    }
  }

  void read_header(Scanner& scanner) {
    if (!scanner.begin_record()) {
      throw FileError("read_csv: " + source_ + ": line 1, column 1: expected " +
                      (options_.header ? "a header" : "a row") + ", the file is empty");
    }
    Field field;
    while (scanner.more()) {
      field = scanner.next();
      check_count(scanner, field);
      std::string name = options_.header ? field.text() : std::to_string(field.column - 1);
      if (!options_.names.empty()) {
        if (field.column > static_cast<std::int64_t>(options_.names.size())) continue;
        name = options_.names[static_cast<std::size_t>(field.column - 1)];
      }
      const auto [old, is_new] = places_.emplace(name, places_.size());
      if (!is_new) {
        scanner.fail(field, "column " + std::to_string(old->second + 1) + " has this name too",
                     name);
      }
      table_.columns_.push_back({.name = std::move(name), .place = field.column});
    }
    const auto named = static_cast<std::int64_t>(options_.names.size());
    if (named > 0 && named != field.column) {
      scanner.fail(field, "expected " + std::to_string(named) + " columns, as many as names, got " +
                              std::to_string(field.column));
    }
    kinds_.assign(table_.columns_.size(), kNumber);
  }

  void require_columns(const std::vector<std::string>& names, Kind kind) {
    for (const std::string& name : names) {
      const auto found = places_.find(name);
      if (found == places_.end()) {
        throw FileError("read_csv: " + source_ + ": line 1: no column " + quoted(name));
      }
      if (kind == kText && kinds_[found->second] == kMustBeNumber) {
        throw ValueError("read_csv: column " + quoted(name) + " is to hold numbers and texts");
      }
      kinds_[found->second] = kind;
    }
  }

  bool is_missing(std::string_view text) const {
    const std::string_view core = trimmed(text);
    return std::any_of(options_.missing.begin(), options_.missing.end(),
                       [&](const std::string& mark) { return core == mark; });
  }

  // f(field, index of its column) for every field of every row.
  template <class F>
  void each_field(Scanner& scanner, F&& f) {
    const std::size_t width = table_.columns_.size();
    while (scanner.begin_record()) {
      Field field;
      for (std::size_t i = 0; scanner.more(); ++i) {
        field = scanner.next();
        if (i < width) f(field, i);
        check_count(scanner, field);
      }
      const auto count = static_cast<std::size_t>(field.column);
      if (count != width) {
        scanner.fail(field, "expected " + std::to_string(width) + " fields in the row, got " +
                                std::to_string(count));
      }
    }
  }

  void find_types(Scanner& scanner) {
    each_field(scanner, [&](const Field& field, std::size_t i) {
      if (i == 0) ++table_.rows_;
      double number;
      if (kinds_[i] == kText || is_missing(field.raw) ||
          detail::parse_number(field.raw, options_.thousands, number)) {
        return;
      }
      if (kinds_[i] == kMustBeNumber) {
        scanner.fail(field, "expected a number, found " + quoted(field.text()),
                     table_.columns_[i].name);
      }
      kinds_[i] = kText;
    });
  }

  void fill(Scanner& scanner) {
    const auto rows = static_cast<std::size_t>(table_.rows_);
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      Column& column = table_.columns_[i];
      column.type = kinds_[i] == kText ? ColumnType::text : ColumnType::number;
      if (column.type == ColumnType::text) {
        column.texts.reserve(rows);
      } else {
        column.numbers.reserve(rows);
      }
    }
    table_.source_ = source_;
    table_.thousands_ = options_.thousands;
    table_.lines_.reserve(rows);
    each_field(scanner, [&](const Field& field, std::size_t i) {
      if (i == 0) table_.lines_.push_back(field.line);
      const bool missing = is_missing(field.raw);
      if (kinds_[i] == kText) {
        table_.columns_[i].texts.push_back(missing ? std::string() : field.text());
      } else {
        double number = std::numeric_limits<double>::quiet_NaN();
        if (!missing) detail::parse_number(field.raw, options_.thousands, number);
        table_.columns_[i].numbers.push_back(number);
      }
    });
  }

  std::string_view text_;
  const CsvOptions& options_;
  const std::string& source_;
  Table table_{};
  std::unordered_map<std::string, std::size_t> places_{};
  std::vector<Kind> kinds_{};
};

Table parse_csv(std::string_view text, const CsvOptions& options, const std::string& source) {
  return TableBuilder(text, options, source).build();
}

Table read_csv(const std::string& path, const CsvOptions& options) {
  detail::InputFile file("read_csv", path);
  if (file.size() > options.max_bytes) {
    file.fail("it has " + std::to_string(file.size()) + " bytes, more than " +
              std::to_string(options.max_bytes) + " (see CsvOptions::max_bytes)");
  }
  std::string text(file.size(), '\0');
  file.read(text.data(), text.size());
  return parse_csv(text, options, path);
}

// --- writing -------------------------------------------------------------------------------------

void write_csv(const std::string& path, const Table& table) {
  if (table.columns().empty()) throw ValueError("write_csv: the table has no column");
  std::string text;
  const auto end_line = [&](std::size_t begin) {
    if (text.size() == begin) text += "\"\"";  // an empty line would be left out
    text += '\n';
  };
  for (const Column& column : table.columns()) {
    if (&column != table.columns().data()) text += ',';
    text += detail::csv_field(column.name);
  }
  end_line(0);
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const std::size_t begin = text.size();
    for (const Column& column : table.columns()) {
      if (&column != table.columns().data()) text += ',';
      if (column.is_missing(row)) continue;
      const auto i = static_cast<std::size_t>(row);
      if (column.type == ColumnType::text) {
        text += detail::csv_field(column.texts[i]);
      } else {
        text += detail::number_text(column.numbers[i]);
      }
    }
    end_line(begin);
  }
  detail::OutputFile file("write_csv", path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace xtape::data
