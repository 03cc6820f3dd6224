// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Not part of the public interface.

#include <cstdio>
#include <string>

#include "../autograd/error.hpp"

namespace xtape::optim::detail {

/// Throws ValueError: "Adam: expected betas in [0, 1), got 1".
[[noreturn]] inline void refuse_number(const char* who, const char* rule, double got) {
  char number[32];
  std::snprintf(number, sizeof number, "%.12g", got);
  throw ValueError(std::string(who) + ": expected " + rule + ", got " + number);
}

}  // namespace xtape::optim::detail
