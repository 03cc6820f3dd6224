// SPDX-License-Identifier: BSD-3-Clause
#include "../pointwise.hpp"
#include "math.hpp"

namespace xtape {

#define XTAPE_MATH(name)                                                        \
  Tensor name(const Tensor& x) {                                                \
    static constexpr auto f = pointwise(#name, [](auto x) { return name(x); }); \
    return f(x);                                                                \
  }
XTAPE_MATH(exp2)
XTAPE_MATH(log)
XTAPE_MATH(log2)
XTAPE_MATH(log10)
XTAPE_MATH(log1p)
XTAPE_MATH(rsqrt)

}  // namespace xtape
