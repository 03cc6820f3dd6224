// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Not part of the public interface.

#include <cstddef>
#include <string_view>

namespace xtape::data::detail {

/// Where the first character begins that is not valid UTF-8; the text's size where all are.
std::size_t first_not_utf8(std::string_view text);

}  // namespace xtape::data::detail
