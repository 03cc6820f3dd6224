// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

// Where in the program something happened; private to autograd/.
namespace xtape::detail {

/// The return addresses of this thread's stack, innermost first. Empty where the system has none.
std::vector<void*> capture_stack();

/// The innermost frame outside of xtape: "train() at main.cpp:12" with debug information and
/// addr2line, else the function's name or its place in the file; "" where nothing is known. Runs
/// addr2line once for each frame that it looks at.
std::string caller_of(const std::vector<void*>& stack);

}  // namespace xtape::detail
