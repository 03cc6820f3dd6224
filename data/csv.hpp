// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../autograd/export.hpp"
#include "table.hpp"

namespace xtape::data {

struct CsvOptions {
  char delimiter = ',';
  char thousands = ',';                     ///< parts groups of three digits; '\0': nothing does
  bool header = true;                       ///< the first line names the columns
  std::vector<std::string> names{};         ///< in place of the header's, or of "0", "1", ...
  std::vector<std::string> missing = {""};  ///< texts that stand for a missing value
  std::vector<std::string> numbers{};       ///< columns that must hold numbers
  std::vector<std::string> texts{};         ///< columns kept as texts, e.g. codes such as "007"
  std::int64_t max_columns = 65536;         ///< more are refused
  std::uint64_t max_bytes = std::uint64_t{1} << 28;  ///< a longer file is refused unread
};

/// Reads a CSV file (RFC 4180): quoted fields may hold delimiters, line ends and doubled quotes;
/// lines end with LF or CRLF; empty lines are left out. A column in which every value is a number
/// (of float64: whole numbers beyond 2^53 are rounded) is one of numbers, any other one of texts,
/// kept to the letter. As numbers go what this library's writers leave for NaN and Inf, "nan",
/// which is missing from then on, "inf" and "-inf", spelled so. Strict: UTF-8, as many fields in
/// each line as columns, names that differ. Throws FileError naming file, line and column;
/// ValueError on options out of range.
XTAPE_API Table read_csv(const std::string& path, const CsvOptions& options = {});
/// The same from a text; `source` stands for the file in messages.
XTAPE_API Table parse_csv(std::string_view text, const CsvOptions& options = {},
                          const std::string& source = "text");

/// Writes a header and rows, numbers in as many digits as tell them apart; `read_csv` gives the
/// same table, but for columns of texts that all look like numbers. The file appears whole or not
/// at all. Throws ValueError on a table without columns; FileError.
XTAPE_API void write_csv(const std::string& path, const Table& table);

}  // namespace xtape::data
