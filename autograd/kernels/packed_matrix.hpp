// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>

#include "../export.hpp"
#include "bfloat16.hpp"

namespace xtape::kernels {

/// The right side op(B) [k, n] of many products C = A @ op(B) + beta C with `m` rows each: packed
/// once where that pays, as for the weights of a recurrence; rounded once where the precision asks
/// for it. B must outlive it. T: float, double.
template <class T>
class XTAPE_API PackedMatrix {
 public:
  PackedMatrix(bool transpose, std::int64_t m, std::int64_t n, std::int64_t k, const T* b,
               std::int64_t ldb, Precision precision = Precision::full);
  ~PackedMatrix();
  PackedMatrix(const PackedMatrix&) = delete;
  PackedMatrix& operator=(const PackedMatrix&) = delete;

  /// A and C are dense rows; beta is 0 or 1.
  void multiply(const T* a, T beta, T* c) const;

 private:
  struct Engine;

  void pack();
  void multiply_packed(const void* a, bool adds, T* c) const;

  bool transpose_;
  std::int64_t m_, n_, k_, ldb_;
  const T* b_;
  bool rounds_;
  std::unique_ptr<const Engine> engine_;          // null: an ordinary product
  std::unique_ptr<const Rounded<float>> near_b_;  // of this, where it rounds
};

}  // namespace xtape::kernels
