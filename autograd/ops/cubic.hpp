// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

// The cubic between elements, of numbers or tensors; private to ops/. R. G. Keys (1981), "Cubic
// convolution interpolation for digital image processing", IEEE Trans. ASSP 29. PyTorch's `a` is
// -3/4, and -1/2 where a filter is widened.
namespace xtape::detail {

/// The weight of an element at a distance of up to 1.
template <class V>
V cubic_near(const V& x, double a) {
  return ((a + 2) * x - (a + 3)) * x * x + 1;
}
/// At a distance from 1 to 2.
template <class V>
V cubic_far(const V& x, double a) {
  return ((x - 5) * x + 8) * x * a - 4 * a;
}
/// Of the two elements before and the two after a place that is t beyond the second.
template <class V>
std::array<V, 4> cubic_weights(const V& t) {
  constexpr double a = -0.75;
  return {cubic_far<V>(t + 1, a), cubic_near<V>(t, a), cubic_near<V>(1 - t, a),
          cubic_far<V>(2 - t, a)};
}

}  // namespace xtape::detail
