// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../rows.hpp"

// Plain loops that say what operations on whole arrays must give.
namespace xtape::test {

/// The element of `a` at an index.
inline long double at(const Array& a, const Shape& index) {
  std::int64_t k = 0;
  for (int i = 0; i < index.rank(); ++i) k = k * a.shape[i] + index[i];
  return a.values[static_cast<std::size_t>(k)];
}

/// f(index) for every index of `shape`, row-major.
template <class F>
void each_index(const Shape& shape, F f) {
  const std::int64_t n = shape.numel();
  Shape index = shape;
  for (std::int64_t k = 0; k < n; ++k) {
    std::int64_t rest = k;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      index[i] = rest % shape[i];
      rest /= shape[i];
    }
    f(index);
  }
}

/// The array whose element at an index is f(index).
template <class F>
Array made(const Shape& shape, F f) {
  Array y{shape, {}};
  each_index(shape, [&](const Shape& index) { y.values.push_back(f(index)); });
  return y;
}

/// f(the elements that are reduced to one) over `dims` (all where empty; not negative).
template <class F>
Array reduced(const Array& a, const std::vector<int>& dims, bool keepdim, F f) {
  Shape kept = a.shape, shape;
  for (int i = 0; i < kept.rank(); ++i) {
    const bool goes = dims.empty() || std::find(dims.begin(), dims.end(), i) != dims.end();
    if (goes) kept[i] = 1;
    if (!goes || keepdim) shape.push_back(kept[i]);
  }
  std::vector<std::vector<long double>> groups(static_cast<std::size_t>(kept.numel()));
  each_index(a.shape, [&](const Shape& index) {
    std::int64_t k = 0;
    for (int i = 0; i < kept.rank(); ++i) k = k * kept[i] + (kept[i] == 1 ? 0 : index[i]);
    groups[static_cast<std::size_t>(k)].push_back(at(a, index));
  });
  Array y{shape, {}};
  for (const auto& group : groups) y.values.push_back(f(group));
  return y;
}

/// a @ b of matrices.
inline Array product(const Array& a, const Array& b) {
  return made({a.shape[0], b.shape[1]}, [&](const Shape& i) {
    long double sum = 0;
    for (std::int64_t k = 0; k < a.shape[1]; ++k) sum += at(a, {i[0], k}) * at(b, {k, i[1]});
    return sum;
  });
}

}  // namespace xtape::test
