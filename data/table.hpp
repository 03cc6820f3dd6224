// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"

namespace xtape::data {

enum class ColumnType : std::uint8_t { number, text };

/// A named column of numbers or of texts.
struct XTAPE_API Column {
  std::string name{};
  ColumnType type = ColumnType::number;
  std::vector<double> numbers{};     ///< NaN where missing; empty in a column of texts
  std::vector<std::string> texts{};  ///< "" where missing; empty in a column of numbers
  std::int64_t place = 0;            ///< in its file, from 1; 0 in a column of no file

  std::int64_t size() const noexcept;
  bool is_missing(std::int64_t row) const noexcept;
};

/// Rows under named columns, as `read_csv` reads them or `add` puts them together. What it refuses
/// it names by file, line and column where it was read from a file. Copies are deep.
class XTAPE_API Table {
 public:
  Table() = default;

  std::int64_t rows() const noexcept { return rows_; }
  /// The file that it was read from; "" for none.
  const std::string& source() const noexcept { return source_; }
  const std::vector<Column>& columns() const noexcept { return columns_; }
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const noexcept;
  /// These throw ValueError where there is no such column, or it holds the other type.
  const Column& column(std::string_view name) const;
  std::span<const double> numbers(std::string_view name) const;
  std::span<const std::string> texts(std::string_view name) const;

  /// Appends a column. Throws ValueError on a name that is there, ShapeError on another length.
  Table& add(const std::string& name, std::vector<double> numbers);
  Table& add(const std::string& name, std::vector<std::string> texts);

  /// These columns, in this order. Throws ValueError where one is missing or comes twice.
  Table select(const std::vector<std::string>& names) const;
  /// All columns but these. Throws ValueError where one is missing.
  Table drop(const std::vector<std::string>& names) const;
  /// These rows, in this order, e.g. the training rows of a split. Throws IndexError.
  Table take(std::span<const std::int64_t> rows) const;
  /// The first rows, or all where there are no more. Throws ValueError below 0.
  Table head(std::int64_t count) const;
  /// The rows in which nothing is missing.
  Table drop_missing() const;

  /// [rows] of one column of numbers. Throws ValueError where one is missing, is beyond a floating
  /// dtype or is none of an integer one's.
  Tensor tensor(std::string_view name, DType dtype = float32) const;
  /// [rows, columns] of columns of numbers. Throws as above.
  Tensor matrix(const std::vector<std::string>& names, DType dtype = float32) const;

  /// Where a cell stands: "churn.csv: line 17, column 7 ('Age')", or "row 15, column 'Age'" where
  /// the table is of no file. Throws IndexError.
  std::string where(std::int64_t row, std::string_view column) const;

 private:
  friend class TableBuilder;
  Table& append(Column column);

  std::int64_t rows_ = 0;
  std::vector<Column> columns_{};
  std::string source_{};               // the file; empty for none
  std::vector<std::int64_t> lines_{};  // of each row in its file
  char thousands_ = ',';               // parts groups of digits there
};

namespace detail {

/// The number that `text` is, whole: blanks around it, a sign, groups of three digits parted by
/// `thousands` (0: by nothing), a decimal point, an exponent; or what `number_text` writes where
/// there are no digits: "nan" and "inf", "-" before them, no other spelling.
bool parse_number(std::string_view text, char thousands, double& number);

}  // namespace detail
}  // namespace xtape::data
