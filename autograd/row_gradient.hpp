// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "export.hpp"
#include "tensor.hpp"

// Gradients of few rows of a large table, as an embedding has them; private to the library. A leaf
// holds them as they came until somebody looks: `.grad()` is always dense.
namespace xtape {

class Backward;

namespace detail {

struct Node;

/// values[i] is to be added to row index[i]; -1 for a row that was added to an earlier one.
struct RowGradient {
  Tensor index;   // int64 [n]
  Tensor values;  // [n, ...], contiguous; both are nobody else's
};

/// For a recorded closure: the gradient of input i is the sum of `values` in the rows `index`, zero
/// elsewhere. Held as rows where that is a leaf's whole gradient, else made dense.
void add_rows(Backward& t, int i, const Tensor& index, Tensor values);

/// Adds rows to a leaf's gradient.
void hold_rows(Node& leaf, const Tensor& index, Tensor values);
/// Makes the rows that a leaf holds part of its dense gradient; several readers may call it at
/// once.
void settle_rows(Node& leaf);

/// What `leaf` holds as rows, each row at most once with its sum, bit for bit that of the dense
/// gradient; null where the gradient is dense or none. Valid until the gradient changes.
XTAPE_API const std::vector<RowGradient>* joined_rows(const Tensor& leaf);

}  // namespace detail
}  // namespace xtape
