// SPDX-License-Identifier: BSD-3-Clause
#include "column_lookup.hpp"

namespace xtape::data::detail {

ColumnLookup::ColumnLookup(const Table& table) : table_(table) {
  columns_.reserve(table.columns().size());
  for (const Column& column : table.columns()) columns_.emplace(column.name, &column);
}

const Column& ColumnLookup::column(const std::string& name) const {
  const auto found = columns_.find(name);
  return found == columns_.end() ? table_.column(name) : *found->second;
}

std::span<const double> ColumnLookup::numbers(const std::string& name) const {
  const Column& found = column(name);
  return found.type == ColumnType::number ? found.numbers : table_.numbers(name);
}

}  // namespace xtape::data::detail
