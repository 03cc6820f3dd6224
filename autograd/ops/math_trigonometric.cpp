// SPDX-License-Identifier: BSD-3-Clause
#include "../pointwise.hpp"
#include "math.hpp"

namespace xtape {

#define XTAPE_MATH(name)                                                        \
  Tensor name(const Tensor& x) {                                                \
    static constexpr auto f = pointwise(#name, [](auto x) { return name(x); }); \
    return f(x);                                                                \
  }
XTAPE_MATH(sin)
XTAPE_MATH(cos)
XTAPE_MATH(tan)
XTAPE_MATH(asin)
XTAPE_MATH(acos)
XTAPE_MATH(atan)

}  // namespace xtape
