// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../dtype.hpp"
#include "scan.hpp"

// Order of numbers: NaN is the greatest of all, equal ones keep their order. xtensor's argsort
// compares NaN by `<`, which is no order, and does not keep that of equal ones.
namespace xtape::kernels {

/// Where the first `k` of each slice lie in ascending or descending order: `indices` and (where not
/// null) `values` are [outer, k, inner]. Without `sorted` they come in any order.
void order_slices(const Slices3& s, DType dtype, std::int64_t k, bool descending, bool sorted,
                  std::int64_t* indices, void* values, const void* source);

/// Where the element of this rank in ascending order lies, or the first NaN: [outer, inner].
void find_rank(const Slices3& s, DType dtype, std::int64_t rank, std::int64_t* indices,
               void* values, const void* source);

/// For each of values [rows, count]: how many of the ascending sorted [rows, size] lie before it,
/// those equal to it too with `right`. One row of `sorted` serves all where `shared`.
void search_rows(DType dtype, std::int64_t rows, std::int64_t size, std::int64_t count, bool right,
                 bool shared, std::int64_t* places, const void* sorted, const void* values);

}  // namespace xtape::kernels
