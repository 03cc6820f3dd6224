// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>

#include "../export.hpp"

namespace xtape::kernels {

/// The right side op(B) [k, n] of many products C = A @ op(B) + beta C with `m` rows each: packed
/// once where that pays, as for the weights of a recurrence. B must outlive it.
/// T: float, double.
template <class T>
class XTAPE_API PackedMatrix {
 public:
  PackedMatrix(bool transpose, std::int64_t m, std::int64_t n, std::int64_t k, const T* b,
               std::int64_t ldb);
  ~PackedMatrix();
  PackedMatrix(const PackedMatrix&) = delete;
  PackedMatrix& operator=(const PackedMatrix&) = delete;

  /// A and C are dense rows; beta is 0 or 1.
  void multiply(const T* a, T beta, T* c) const;

 private:
  struct Engine;

  bool transpose_;
  std::int64_t m_, n_, k_, ldb_;
  const T* b_;
  std::unique_ptr<const Engine> engine_;  // null: an ordinary product
};

}  // namespace xtape::kernels
