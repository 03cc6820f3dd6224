// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Not part of the public interface.

#include <string>

namespace xtape::optim::detail {

/// In a handler: throws the same again, its text after `where` if it is of one of xtape's types.
[[noreturn]] void rethrow_named(const std::string& where);

}  // namespace xtape::optim::detail
