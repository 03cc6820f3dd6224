// SPDX-License-Identifier: BSD-3-Clause
#include "../pointwise.hpp"
#include "math.hpp"

namespace xtape {

#define XTAPE_MATH(name)                                                        \
  Tensor name(const Tensor& x) {                                                \
    static constexpr auto f = pointwise(#name, [](auto x) { return name(x); }); \
    return f(x);                                                                \
  }
XTAPE_MATH(sinh)
XTAPE_MATH(cosh)
XTAPE_MATH(asinh)
XTAPE_MATH(acosh)
XTAPE_MATH(atanh)

}  // namespace xtape
