// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "../autograd/error.hpp"
#include "trainer.hpp"

namespace xtape::optim::detail {

/// A number of what a callback's `state()` gave; ValueError where the checkpoint has none.
inline double stored_number(const char* callback, const NamedNumbers& state, const char* name) {
  for (const auto& [found, x] : state) {
    if (found == name) return x;
  }
  throw ValueError(std::string(callback) + ": the checkpoint does not hold its " + name);
}

}  // namespace xtape::optim::detail
