// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Fields of CSV files as text; not part of the public interface.

#include <string>
#include <string_view>

namespace xtape::data::detail {

/// Without blanks and tabs around it.
std::string_view trimmed(std::string_view text);
/// As a CSV file holds it: in quotes where `read_csv` would give another text otherwise.
std::string csv_field(std::string_view text);
/// As messages name it: in single quotes, cut where it is long.
std::string quoted(std::string_view text);

}  // namespace xtape::data::detail
