// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdint>
#include <numeric>

#include "../error.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "shape.hpp"
#include "sorting.hpp"

namespace xtape {
namespace {

// What is compared: rows of x, one under the other.
struct RowsOf {
  Tensor x;
  std::int64_t count, width;
};

RowsOf elements_of(const Tensor& x) {
  return {x.detach().reshape({-1}).contiguous(), x.numel(), 1};
}

RowsOf slices_of(const char* operation, const Tensor& x, std::int64_t dim) {
  if (x.dim() == 0) throw ShapeError(std::string(operation) + ": no slices of shape []");
  const int d = detail::wrap_dim(operation, dim, x.dim());
  RowsOf rows{movedim(x.detach(), d, 0).contiguous(), x.size(d), 1};
  for (int i = 1; i < rows.x.dim(); ++i) rows.width *= rows.x.size(i);
  return rows;
}

// NaN is the greatest.
template <class T>
bool is_less(T a, T b) noexcept {
  return a < b || (b != b && a == a);
}

// The rows' numbers in lexicographic order.
Tensor order_of(const RowsOf& rows) {
  if (rows.width == 1) return argsort(rows.x.reshape({rows.count}));
  Tensor order = arange(rows.count);
  std::int64_t* at = detail::fresh_data<std::int64_t>(order);
  detail::dispatch(rows.x.dtype(), [&]<class T>(detail::Type<T>) {
    const T* x = rows.x.data<T>();
    std::stable_sort(at, at + rows.count, [x, width = rows.width](std::int64_t i, std::int64_t j) {
      const T *a = x + i * width, *b = x + j * width;
      return std::lexicographical_compare(a, a + width, b, b + width, is_less<T>);
    });
  });
  return order;
}

// Runs of equal neighbours in this order. `values` are the numbers of the rows that begin them.
UniqueValues runs(const RowsOf& rows, const Tensor& order, const Shape& shape) {
  const std::int64_t n = rows.count;
  UniqueValues y{detail::empty(int64, Shape{n}), detail::empty(int64, shape), {}};
  Tensor starts = detail::empty(int64, Shape{n + 1});
  const std::int64_t* at = order.data<std::int64_t>();
  std::int64_t* value = detail::fresh_data<std::int64_t>(y.values);
  std::int64_t* inverse = detail::fresh_data<std::int64_t>(y.inverse);
  std::int64_t* start = detail::fresh_data<std::int64_t>(starts);
  std::int64_t count = 0;
  detail::dispatch(rows.x.dtype(), [&]<class T>(detail::Type<T>) {
    const T* x = rows.x.data<T>();
    for (std::int64_t i = 0; i < n; ++i) {
      const T* row = x + at[i] * rows.width;
      if (i == 0 || !std::equal(row, row + rows.width, x + at[i - 1] * rows.width)) {
        value[count] = at[i];
        start[count++] = i;
      }
      inverse[at[i]] = count - 1;
    }
  });
  start[count] = n;
  y.values = narrow(y.values, 0, 0, count);
  y.counts = sub(narrow(starts, 0, 1, count), narrow(starts, 0, 0, count));
  return y;
}

UniqueValues unique_elements(const char* operation, const Tensor& x, bool sorted) {
  detail::check_defined(operation, x);
  const NoGrad no_grad;
  const RowsOf rows = elements_of(x);
  UniqueValues y = runs(rows, sorted ? order_of(rows) : arange(rows.count), x.shape());
  y.values = index_select(rows.x, 0, y.values);
  return y;
}

UniqueValues unique_slices(const char* operation, const Tensor& x, std::int64_t dim, bool sorted) {
  detail::check_defined(operation, x);
  const NoGrad no_grad;
  const RowsOf rows = slices_of(operation, x, dim);
  UniqueValues y = runs(rows, sorted ? order_of(rows) : arange(rows.count), {rows.count});
  y.values = index_select(x.detach(), dim, y.values);
  return y;
}

}  // namespace

UniqueValues unique(const Tensor& x) { return unique_elements("unique", x, true); }
UniqueValues unique(const Tensor& x, std::int64_t dim) {
  return unique_slices("unique", x, dim, true);
}
UniqueValues unique_consecutive(const Tensor& x) {
  return unique_elements("unique_consecutive", x, false);
}
UniqueValues unique_consecutive(const Tensor& x, std::int64_t dim) {
  return unique_slices("unique_consecutive", x, dim, false);
}

}  // namespace xtape
