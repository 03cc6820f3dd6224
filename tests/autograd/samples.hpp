// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "rows.hpp"

// Sample values and their comparison, for the checks behind rows.
namespace xtape::test {

/// SplitMix64: samples stay the same whatever the library's generator does.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept;
  double uniform(double low, double high) noexcept;

 private:
  std::uint64_t state_;
};

/// Where a value's elements lie.
enum class Layout { contiguous, transposed, sliced, reversed, unaligned };
inline constexpr Layout kLayouts[] = {Layout::transposed, Layout::sliced, Layout::reversed,
                                      Layout::unaligned};
const char* name(Layout layout) noexcept;

/// The sample's tensor; numbers within 0.02 of a kink are moved away.
Tensor make(const Argument& a, Random& random, const std::vector<double>& kinks);
Tensors make(const Sample& sample, Random& random, const std::vector<double>& kinks);
/// The same values in other memory, without history.
Tensor with_layout(const Tensor& x, Layout layout);
/// Floating tensors converted, others as they are.
Tensors converted(const Tensors& x, DType dtype);
/// Random numbers of 0.5 to 1.5 with a sign.
Tensor random_gradient(const Tensor& y, Random& random);

/// Broadcasts as NumPy does, by the plainest means.
Array broadcast_to(const Array& a, const Shape& shape);
Shape common_shape(const std::vector<Shape>& shapes);
/// As a value of the dtype can be: 1e39 is infinite in float32.
Array rounded(Array a, DType dtype);

/// Nothing, or where `got` differs from `expected`: |a - b| > tolerance * max(|b|, rms(b)), or
/// another NaN or infinity. The rms is that of the finite values, and at most `largest_rms`.
std::string difference(const Array& got, const Array& expected, double tolerance,
                       double largest_rms = 1e300);
std::string difference(const Tensor& got, const Array& expected, double tolerance);
/// " 1e-20": one of a list of numbers.
std::string listed(long double x);
bool same_bits(const Tensor& a, const Tensor& b);

}  // namespace xtape::test
