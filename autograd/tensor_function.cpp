// SPDX-License-Identifier: BSD-3-Clause
#include "tensor_function.hpp"

#include <string>

#include "error.hpp"

namespace xtape::detail {

void bad_arity(std::size_t inputs) {
  throw ValueError("the function cannot be called with " + std::to_string(inputs) +
                   (inputs == 1 ? " tensor" : " tensors"));
}

}  // namespace xtape::detail
