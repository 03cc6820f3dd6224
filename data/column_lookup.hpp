// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Not part of the public interface.

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "table.hpp"

namespace xtape::data::detail {

/// The columns of a table by name, where many are asked for: a table itself looks through them all.
class ColumnLookup {
 public:
  /// Refers to the table.
  explicit ColumnLookup(const Table& table);

  /// As Table::column and Table::numbers.
  const Column& column(const std::string& name) const;
  std::span<const double> numbers(const std::string& name) const;

 private:
  const Table& table_;
  std::unordered_map<std::string_view, const Column*> columns_;
};

}  // namespace xtape::data::detail
