// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>

#include "dtype.hpp"

namespace xtape {

/// A number beside tensors: it never raises a tensor's dtype within its category.
class Scalar {
 public:
  Scalar(bool x) noexcept : real_(x), integer_(x), dtype_(DType::boolean) {}
  template <std::integral T>
  Scalar(T x) noexcept
      : real_(static_cast<double>(x)),
        integer_(static_cast<std::int64_t>(x)),
        dtype_(DType::int64) {}
  template <std::floating_point T>
  Scalar(T x) noexcept : real_(static_cast<double>(x)), integer_(0), dtype_(DType::float64) {}

  bool is_floating() const noexcept { return dtype_ == DType::float64; }
  DType dtype() const noexcept { return dtype_; }

  /// The number as T; a real one is truncated for an integer type, and limited to int64's range.
  template <class T>
  T to() const noexcept {
    return is_floating() ? detail::convert<T>(real_) : detail::convert<T>(integer_);
  }
  double real() const noexcept { return real_; }

  /// The dtype of `tensor op number`: the tensor's unless the number is of a higher category
  /// (boolean < integer < floating); a real number beside integers gives float32.
  DType promote_with(DType tensor) const noexcept {
    if (is_floating()) return xtape::is_floating(tensor) ? tensor : DType::float32;
    if (dtype_ == DType::int64 && tensor == DType::boolean) return DType::int64;
    return tensor;
  }

 private:
  double real_;
  std::int64_t integer_;
  DType dtype_;
};

}  // namespace xtape
