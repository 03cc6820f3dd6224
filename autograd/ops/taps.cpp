// SPDX-License-Identifier: BSD-3-Clause
#include "taps.hpp"

#include <span>

#include "../kernels/taps.hpp"
#include "../tape.hpp"
#include "creation.hpp"

namespace xtape::detail {
namespace {

// The table as the tape keeps it.
struct Table {
  Tensor first, position, weight;
};

// What was added to row i from column k is added to row k from column i.
Table transposed(const Table& t, std::int64_t columns) {
  const std::int64_t rows = t.first.numel() - 1, count = t.position.numel();
  Table result{zeros({columns + 1}, int64), empty(int64, Shape{count}),
               empty(float64, Shape{count})};
  const auto* first = t.first.data<std::int64_t>();
  const auto* position = t.position.data<std::int64_t>();
  const auto* weight = t.weight.data<double>();
  auto* next = fresh_data<std::int64_t>(result.first);
  for (std::int64_t k = 0; k < count; ++k) ++next[position[k] + 1];
  for (std::int64_t k = 0; k < columns; ++k) next[k + 1] += next[k];
  std::vector<std::int64_t> at(next, next + columns);
  auto* to = fresh_data<std::int64_t>(result.position);
  auto* scaled = fresh_data<double>(result.weight);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = first[i]; k < first[i + 1]; ++k) {
      const std::int64_t place = at[static_cast<std::size_t>(position[k])]++;
      to[place] = i;
      scaled[place] = weight[k];
    }
  }
  return result;
}

Tensor applied(const Tensor& input, int dim, const Table& table) {
  const Tensor x = input.contiguous();
  const std::int64_t rows = table.first.numel() - 1, size = x.sizes()[dim];
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < dim; ++i) outer *= x.sizes()[i];
  for (int i = dim + 1; i < x.dim(); ++i) inner *= x.sizes()[i];
  Shape shape = x.shape();
  shape[dim] = rows;
  Tensor y = empty(x.dtype(), shape);
  const kernels::Taps taps{rows, table.first.data<std::int64_t>(),
                           table.position.data<std::int64_t>(), table.weight.data<double>()};
  dispatch_floating(x.dtype(), [&]<class T>(Type<T>) {
    kernels::apply_taps(taps, outer, size, inner, x.data<T>(), fresh_data<T>(y));
  });
  record("resample", y, {x}, saves(table.first, table.position, table.weight),
         [dim, size](Backward& t) {
           const Table forward{t.saved(0), t.saved(1), t.saved(2)};
           t.add(0, applied(t.g(), dim, transposed(forward, size)));
         });
  return y;
}

template <class T>
Tensor kept(const std::vector<T>& values) {
  return from_values(std::span<const T>(values), {static_cast<std::int64_t>(values.size())});
}

}  // namespace

Tensor TapTable::apply(const Tensor& x, std::int64_t dim) const {
  return applied(x, wrap_dim("resample", dim, x.dim()),
                 {kept(first_), kept(positions_), kept(weights_)});
}

}  // namespace xtape::detail
