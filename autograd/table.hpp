// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

// Text in columns; private to autograd/.
namespace xtape::detail {

using Row = std::vector<std::string>;

/// Columns as wide as their widest cell; those in `right` are aligned to the right.
std::string aligned(const std::vector<Row>& rows, const std::vector<std::size_t>& right);

}  // namespace xtape::detail
