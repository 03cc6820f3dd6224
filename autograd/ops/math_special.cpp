// SPDX-License-Identifier: BSD-3-Clause
#include "../pointwise.hpp"
#include "math.hpp"

namespace xtape {

#define XTAPE_MATH(name)                                                        \
  Tensor name(const Tensor& x) {                                                \
    static constexpr auto f = pointwise(#name, [](auto x) { return name(x); }); \
    return f(x);                                                                \
  }
XTAPE_MATH(erf)
XTAPE_MATH(erfc)
XTAPE_MATH(ndtr)

}  // namespace xtape
