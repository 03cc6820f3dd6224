// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "../export.hpp"
#include "../tensor.hpp"

namespace xtape {

/// Uninitialised.
XTAPE_API Tensor empty(const Shape& shape, DType dtype = float32);
XTAPE_API Tensor zeros(const Shape& shape, DType dtype = float32);
XTAPE_API Tensor ones(const Shape& shape, DType dtype = float32);
XTAPE_API Tensor full(const Shape& shape, Scalar value, DType dtype = float32);
XTAPE_API Tensor empty_like(const Tensor& x);
XTAPE_API Tensor zeros_like(const Tensor& x);
XTAPE_API Tensor ones_like(const Tensor& x);
XTAPE_API Tensor full_like(const Tensor& x, Scalar value);
/// start, start + step, ... below `end` (above it for a negative step). Throws ValueError on step
/// 0.
XTAPE_API Tensor arange(Scalar start, Scalar end, Scalar step, DType dtype);
/// As above; int64 where all are integers, else float32.
XTAPE_API Tensor arange(Scalar start, Scalar end, Scalar step = 1);
XTAPE_API Tensor arange(Scalar end);
/// `steps` points from `start` to `end`, both included.
XTAPE_API Tensor linspace(double start, double end, std::int64_t steps, DType dtype = float32);
/// Ones on the diagonal of [n, m] (m = n where negative).
XTAPE_API Tensor eye(std::int64_t n, std::int64_t m = -1, DType dtype = float32);
/// A 0-d tensor.
XTAPE_API Tensor scalar_tensor(Scalar value, DType dtype);

/// A copy of `values` as `shape`; the dtype is T's. Throws ShapeError where the counts differ.
template <class T>
Tensor from_values(std::span<const T> values, const Shape& shape);
/// A 1-d tensor of these numbers.
XTAPE_API Tensor tensor(std::initializer_list<double> values, DType dtype = float32);
/// A 2-d tensor of these rows. Throws ShapeError on ragged rows.
XTAPE_API Tensor tensor(std::initializer_list<std::initializer_list<double>> rows,
                        DType dtype = float32);

namespace detail {

XTAPE_API Tensor copy_values(DType dtype, const void* values, std::size_t count,
                             const Shape& shape);
/// A row-major copy without history.
XTAPE_API Tensor copy_contiguous(const Tensor& x);

}  // namespace detail

template <class T>
Tensor from_values(std::span<const T> values, const Shape& shape) {
  return detail::copy_values(dtype_of<T>, values.data(), values.size(), shape);
}

}  // namespace xtape
