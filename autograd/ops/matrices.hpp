// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <climits>
#include <cstdint>
#include <string>

#include "../deterministic.hpp"
#include "../dtype.hpp"
#include "../error.hpp"
#include "../parallel.hpp"
#include "../tape.hpp"
#include "../tensor.hpp"
#include "../thread_scope.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"

// What operations on batches of matrices share; private to ops/.
namespace xtape::detail {

inline void check_same_dtype(const char* operation, const Tensor& a, const Tensor& b) {
  if (a.dtype() == b.dtype()) return;
  throw DTypeError(std::string(operation) + ": expected one floating dtype, got " +
                   a.description() + " and " + b.description());
}

/// Floating, of at least two dimensions that LAPACK can count.
inline void check_matrices(const char* operation, const Tensor& x) {
  check_floating(operation, x);
  if (x.dim() < 2) {
    throw ShapeError(std::string(operation) + ": expected at least 2 dimensions, got " +
                     to_string(x.sizes()));
  }
  if (std::max(x.size(-2), x.size(-1)) > INT_MAX) {
    throw ShapeError(std::string(operation) + ": too large for LAPACK, " + to_string(x.sizes()));
  }
}

inline void check_square(const char* operation, const Tensor& x) {
  check_matrices(operation, x);
  if (x.size(-2) == x.size(-1)) return;
  throw ShapeError(std::string(operation) + ": expected square matrices, got " +
                   to_string(x.sizes()));
}

/// The leading dimensions, those of the batch.
inline Shape batch_of(const Tensor& x) { return Shape(x.sizes().first(x.sizes().size() - 2)); }

/// `batch` with the last two dimensions of one matrix.
inline Shape of_matrices(Shape batch, std::int64_t rows, std::int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

inline Tensor transposed(const Tensor& x) { return x.transpose(-2, -1); }

/// A right side b is one vector for each matrix of `a` where it has one dimension or is shaped as a
/// column of it; else it holds matrices.
inline bool is_vector(const Tensor& a, const Tensor& b) {
  if (b.dim() == 1) return true;
  Shape column = batch_of(a);
  column.push_back(a.size(-2));
  return b.shape() == column;
}

/// Where the i-th matrix (of `inner` dimensions) of a batch begins in x, whose own leading
/// dimensions broadcast to it; in elements.
inline std::int64_t matrix_offset(const Tensor& x, const Shape& batch, std::int64_t i,
                                  int inner = 2) {
  std::int64_t offset = 0;
  const int lead = batch.rank() - (x.dim() - inner);
  for (int d = batch.rank() - 1; d >= lead; --d) {
    if (x.sizes()[d - lead] > 1) offset += i % batch[d] * x.strides()[d - lead];
    i /= batch[d];
  }
  return offset;
}

/// A new tensor with x broadcast to `shape`.
inline Tensor broadcast_matrices(const Tensor& x, const Shape& shape) {
  Shape strides = Shape::filled(shape.rank(), 0);
  const int lead = shape.rank() - x.dim();
  for (int d = 0; d < x.dim(); ++d) strides[lead + d] = x.sizes()[d] == 1 ? 0 : x.strides()[d];
  return copy_contiguous(make_view(x, x.value()->data, shape, strides));
}

/// f(i) for every matrix; in parallel where there are several of little work each, else each one
/// may use all threads. In deterministic mode each has one.
template <class F>
void for_each_matrix(std::int64_t count, double work, F&& f) {
  constexpr double kLarge = 1 << 22, kGrain = 1 << 16;
  const bool alone = are_deterministic_algorithms_enabled();
  if (work >= kLarge && !alone) {
    for (std::int64_t i = 0; i < count; ++i) f(i);
    return;
  }
  const auto grain = static_cast<std::int64_t>(std::max(1.0, kGrain / std::max(1.0, work)));
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    const ThreadScope scope(alone ? 1 : num_threads());
    for (std::int64_t i = begin; i < end; ++i) f(i);
  });
}

/// Those that look on (MultiplyAdds, Profiler) are told of what is never on the tape.
inline void computed(OperationName name, Tensor& y, const Tensor& x) {
  const Tensor detached = x.detach();
  record(name, y, {detached}, saves(), [](Backward&) {});
}

/// "solve: the matrix at [1, 2] is singular"
[[noreturn]] inline void refuse_matrix(const char* operation, const Shape& batch, std::int64_t i,
                                       const char* is) {
  Shape index = batch;
  for (int d = batch.rank() - 1; d >= 0; --d) {
    index[d] = i % batch[d];
    i /= batch[d];
  }
  throw ValueError(std::string(operation) + ": the matrix " +
                   (batch.empty() ? "" : "at " + to_string(index) + " ") + is);
}

/// Throws ValueError where a matrix has a zero on its diagonal: one of triangles is singular then.
inline void check_diagonals(const char* operation, const Tensor& x,
                            const char* is = "is singular") {
  const Shape batch = batch_of(x);
  const std::int64_t n = x.size(-1), count = n == 0 ? 0 : batch.numel();
  const std::int64_t step = x.strides()[x.dim() - 2] + x.strides()[x.dim() - 1];
  dispatch_floating(x.dtype(), [&]<class T>(Type<T>) {
    for (std::int64_t i = 0; i < count; ++i) {
      const T* diagonal = x.data<T>() + matrix_offset(x, batch, i);
      for (std::int64_t j = 0; j < n; ++j) {
        if (diagonal[j * step] == T(0)) refuse_matrix(operation, batch, i, is);
      }
    }
  });
}

}  // namespace xtape::detail
