// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "../rows.hpp"
#include "reference.hpp"

// Matrices and what is said of them in long double, by plain loops.
namespace xtape::test {

// Far from singular, the large elements beside the diagonal: rows must be exchanged.
inline Argument regular(const Shape& shape) {
  const std::int64_t n = shape.back();
  std::vector<long double> values;
  each_index(shape, [&](const Shape& i) {
    const std::int64_t row = i[i.rank() - 2], column = i[i.rank() - 1];
    const double wave = std::sin(1.7 * static_cast<double>(values.size()) + 0.4);
    values.push_back(static_cast<float>(wave + (column == (row + 1) % n ? 3 : 0)));
  });
  return given(shape, std::move(values));
}

// The same with the large elements on the diagonal: its triangles are regular too.
inline Argument dominant(const Shape& shape) {
  Argument x = regular(shape);
  std::size_t k = 0;
  each_index(shape, [&](const Shape& i) {
    if (i[i.rank() - 2] == i[i.rank() - 1]) x.values[k] += k % 2 == 0 ? 2 : -4;
    ++k;
  });
  return x;
}

// The matrix of `a` at an index of the batch, to which its leading dimensions broadcast.
inline Array matrix(const Array& a, const Shape& batch) {
  const int lead = batch.rank() - (a.shape.rank() - 2);
  return made({a.shape[a.shape.rank() - 2], a.shape.back()}, [&](const Shape& i) {
    Shape index = a.shape;
    for (int d = lead; d < batch.rank(); ++d) {
      index[d - lead] = a.shape[d - lead] == 1 ? 0 : batch[d];
    }
    index[a.shape.rank() - 2] = i[0];
    index[a.shape.rank() - 1] = i[1];
    return at(a, index);
  });
}

inline Shape batch_of(const Array& a) {
  return Shape(std::span(a.shape.begin(), a.shape.size() - 2));
}

// f(matrix of each array) for every matrix, stacked; `rows` and `columns` of the results, which are
// numbers where they are -1.
template <class F>
inline Array stacked(Shape batch, std::int64_t rows, std::int64_t columns, F f) {
  Array y;
  each_index(batch, [&](const Shape& index) {
    const Array one = f(index);
    y.values.insert(y.values.end(), one.values.begin(), one.values.end());
  });
  if (rows >= 0) batch.push_back(rows);
  if (columns >= 0) batch.push_back(columns);
  y.shape = batch;
  return y;
}

inline Shape common(const Array& a, const Array& b) {
  return xtape::detail::broadcast("reference", batch_of(a), batch_of(b));
}

inline Array transposed_of(const Array& a) {
  return made({a.shape[1], a.shape[0]}, [&](const Shape& i) { return at(a, {i[1], i[0]}); });
}

struct Eliminated {
  Array inverse;
  long double determinant = 1;
};

// Gauss and Jordan's elimination of one matrix.
inline Eliminated eliminated(Array a) {
  const std::int64_t n = a.shape[0];
  Eliminated y{made({n, n}, [](const Shape& i) { return i[0] == i[1] ? 1.0L : 0.0L; })};
  for (std::int64_t j = 0; j < n; ++j) {
    std::int64_t largest = j;
    for (std::int64_t i = j + 1; i < n; ++i) {
      if (std::abs(a(i, j)) > std::abs(a(largest, j))) largest = i;
    }
    if (largest != j) y.determinant = -y.determinant;
    const long double pivot = a(largest, j);
    y.determinant *= pivot;
    for (std::int64_t k = 0; k < n; ++k) {
      std::swap(a(largest, k), a(j, k));
      std::swap(y.inverse(largest, k), y.inverse(j, k));
    }
    for (std::int64_t k = 0; k < n; ++k) {
      a(j, k) /= pivot;
      y.inverse(j, k) /= pivot;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      const long double factor = i == j ? 0 : a(i, j);
      for (std::int64_t k = 0; k < n; ++k) {
        a(i, k) -= factor * a(j, k);
        y.inverse(i, k) -= factor * y.inverse(j, k);
      }
    }
  }
  return y;
}

inline Array transposed_each(const Array& x) {
  return stacked(batch_of(x), x.shape.back(), x.shape[x.shape.rank() - 2],
                 [&](const Shape& i) { return transposed_of(matrix(x, i)); });
}

// f(matrix), several arrays of the given shapes, for every matrix of x, stacked.
template <class F>
Arrays stacked_each(const Array& x, const std::vector<Shape>& inner, F f) {
  Arrays y(inner.size());
  each_index(batch_of(x), [&](const Shape& index) {
    const Arrays one = f(matrix(x, index));
    for (std::size_t k = 0; k < y.size(); ++k) {
      y[k].values.insert(y[k].values.end(), one[k].values.begin(), one[k].values.end());
    }
  });
  for (std::size_t k = 0; k < y.size(); ++k) {
    y[k].shape = batch_of(x);
    for (const std::int64_t size : inner[k]) y[k].shape.push_back(size);
  }
  return y;
}

inline Array identity_of(std::int64_t n) {
  return made({n, n}, [](const Shape& i) { return i[0] == i[1] ? 1.0L : 0.0L; });
}

/// Eigenvalues, ascending, and eigenvectors (columns) of one symmetric matrix.
struct Spectrum {
  std::vector<long double> values;
  Array vectors;
};

// Jacobi's rotations; ten rounds are more than enough for small matrices.
inline Spectrum spectrum(Array a) {
  const std::int64_t n = a.shape[0];
  Array v = identity_of(n);
  const auto turn = [n](Array& x, bool rows, std::int64_t p, std::int64_t q, long double c,
                        long double s) {
    for (std::int64_t k = 0; k < n; ++k) {
      long double& first = rows ? x(p, k) : x(k, p);
      long double& second = rows ? x(q, k) : x(k, q);
      const long double old = first;
      first = c * old - s * second;
      second = s * old + c * second;
    }
  };
  for (int round = 0; round < 10; ++round) {
    for (std::int64_t p = 0; p < n; ++p) {
      for (std::int64_t q = p + 1; q < n; ++q) {
        if (a(p, q) == 0) continue;
        const long double angle = std::atan2(2 * a(p, q), a(q, q) - a(p, p)) / 2;
        const long double c = std::cos(angle), s = std::sin(angle);
        turn(a, true, p, q, c, s);
        turn(a, false, p, q, c, s);
        turn(v, false, p, q, c, s);
      }
    }
  }
  std::vector<std::pair<long double, std::int64_t>> order;
  for (std::int64_t i = 0; i < n; ++i) order.emplace_back(a(i, i), i);
  std::sort(order.begin(), order.end());
  Spectrum y{{}, v};
  for (std::int64_t j = 0; j < n; ++j) {
    const auto [value, from] = order[static_cast<std::size_t>(j)];
    y.values.push_back(value);
    for (std::int64_t i = 0; i < n; ++i) y.vectors(i, j) = v(i, from);
  }
  return y;
}

/// Singular values, descending, and vectors u (columns) and vh (rows) of one matrix of full rank.
struct Singular {
  std::vector<long double> values;
  Array u, vh;
};

inline Singular singular(const Array& a) {
  const bool tall = a.shape[0] >= a.shape[1];
  const Array turned = transposed_of(a);
  const Spectrum e = spectrum(tall ? product(turned, a) : product(a, turned));
  const auto k = static_cast<std::int64_t>(e.values.size());
  Singular y;
  for (std::int64_t j = k; j-- > 0;) {
    y.values.push_back(std::sqrt(std::max(0.0L, e.values[static_cast<std::size_t>(j)])));
  }
  const Array own = made({k, k}, [&](const Shape& i) { return e.vectors(i[0], k - 1 - i[1]); });
  Array other = product(tall ? a : turned, own);
  for (std::int64_t i = 0; i < other.shape[0]; ++i) {
    for (std::int64_t j = 0; j < k; ++j) other(i, j) /= y.values[static_cast<std::size_t>(j)];
  }
  y.u = tall ? other : own;
  y.vh = transposed_of(tall ? own : other);
  return y;
}

}  // namespace xtape::test
