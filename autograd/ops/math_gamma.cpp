// SPDX-License-Identifier: BSD-3-Clause
#include <string>

#include "../error.hpp"
#include "../pointwise.hpp"
#include "math.hpp"

namespace xtape {

#define XTAPE_MATH(name)                                                        \
  Tensor name(const Tensor& x) {                                                \
    static constexpr auto f = pointwise(#name, [](auto x) { return name(x); }); \
    return f(x);                                                                \
  }
XTAPE_MATH(lgamma)
XTAPE_MATH(digamma)
XTAPE_MATH(erfinv)

Tensor polygamma(std::int64_t n, const Tensor& x) {
  if (n < 0 || n > 100) {
    throw ValueError("polygamma: expected n from 0 to 100, got " + std::to_string(n));
  }
  return pointwise("polygamma", [k = static_cast<int>(n)](auto x) { return polygamma(k, x); })(x);
}

}  // namespace xtape
