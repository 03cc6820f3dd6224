// SPDX-License-Identifier: BSD-3-Clause
#include "random.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "../error.hpp"
#include "../kernels/philox.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"

namespace xtape {
namespace {

void check_deviation(double std) {
  if (!(std >= 0)) throw ValueError("normal: expected std >= 0, got " + std::to_string(std));
}

void check_floating(const char* operation, DType dtype) {
  if (!is_floating(dtype)) {
    throw DTypeError(std::string(operation) + ": expected a floating dtype, got " + name(dtype));
  }
}

double largest_below(double x, DType dtype) {
  return detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    const T y = static_cast<T>(x);
    const T below = static_cast<double>(y) < x ? y : std::nextafter(y, -INFINITY);
    return static_cast<double>(below);
  });
}

// Where this draw begins; the generator moves on.
Generator take(std::int64_t count, std::uint64_t words) {
  Generator at = default_generator();
  default_generator().take(static_cast<std::uint64_t>(count) * words);
  return at;
}

// From 64 random bits to [0, range), by multiplication (Lemire); the bias is below 2^-32 for any
// range below 2^32.
std::uint64_t scale_down(std::uint64_t bits, std::uint64_t range) noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(bits) * range) >> 64);
}

std::vector<std::uint64_t> random_bits(std::int64_t count) {
  std::vector<std::uint64_t> bits(static_cast<std::size_t>(count));
  kernels::fill_bits(take(count, 2), bits.data(), count);
  return bits;
}

}  // namespace

Tensor rand(const Shape& shape, DType dtype) {
  check_floating("rand", dtype);
  Tensor y = empty(shape, dtype);
  detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    kernels::fill_uniform(take(y.numel(), sizeof(T) / 4), detail::fresh_data<T>(y), y.numel());
  });
  return y;
}

Tensor randn(const Shape& shape, DType dtype) {
  check_floating("randn", dtype);
  Tensor y = empty(shape, dtype);
  detail::dispatch_floating(dtype, [&]<class T>(detail::Type<T>) {
    kernels::fill_normal(take(y.numel(), sizeof(T) / 4), detail::fresh_data<T>(y), y.numel());
  });
  return y;
}

Tensor uniform(double low, double high, const Shape& shape, DType dtype) {
  if (!(low <= high)) {
    throw ValueError("uniform: expected low <= high, got " + std::to_string(low) + " and " +
                     std::to_string(high));
  }
  check_floating("uniform", dtype);
  const NoGrad no_grad;
  Tensor y = rand(shape, dtype) * (high - low) + low;
  // Rounding may reach `high`.
  return low < high ? y.clamp_max_(std::max(low, largest_below(high, dtype))) : y;
}

Tensor normal(double mean, double std, const Shape& shape, DType dtype) {
  check_deviation(std);
  check_floating("normal", dtype);
  const NoGrad no_grad;
  return randn(shape, dtype) * std + mean;
}

Tensor normal(const Tensor& mean, const Tensor& std) {
  for (const Tensor* x : {&mean, &std}) {
    detail::check_defined("normal", *x);
    check_floating("normal", x->dtype());
  }
  const Tensor deviations = std.contiguous();
  detail::dispatch_floating(std.dtype(), [&]<class T>(detail::Type<T>) {
    for (std::int64_t i = 0; i < deviations.numel(); ++i) check_deviation(deviations.data<T>()[i]);
  });
  const NoGrad no_grad;
  const Shape shape = detail::broadcast("normal", mean.shape(), std.shape());
  return randn(shape, result_type(mean, std)) * std + mean;
}

Tensor normal(const Tensor& mean, double std) {
  detail::check_defined("normal", mean);
  check_deviation(std);
  check_floating("normal", mean.dtype());
  const NoGrad no_grad;
  return randn(mean.shape(), mean.dtype()) * std + mean;
}

Tensor normal(double mean, const Tensor& std) {
  detail::check_defined("normal", std);
  check_floating("normal", std.dtype());
  return normal(scalar_tensor(mean, std.dtype()), std);
}

Tensor rand_like(const Tensor& x) {
  detail::check_defined("rand_like", x);
  return rand(x.shape(), x.dtype());
}

Tensor randn_like(const Tensor& x) {
  detail::check_defined("randn_like", x);
  return randn(x.shape(), x.dtype());
}

Tensor randint_like(const Tensor& x, std::int64_t low, std::int64_t high) {
  detail::check_defined("randint_like", x);
  return randint(low, high, x.shape(), x.dtype());
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype) {
  if (low >= high) {
    throw ValueError("randint: expected low < high, got " + std::to_string(low) + " and " +
                     std::to_string(high));
  }
  const std::int64_t most = dtype == boolean ? 2 : 256;
  if ((dtype == boolean || dtype == uint8) && (low < 0 || high > most)) {
    throw ValueError(std::string("randint: ") + name(dtype) + " does not hold [" +
                     std::to_string(low) + ", " + std::to_string(high) + ")");
  }
  Tensor y = empty(shape, dtype);
  const auto bits = random_bits(y.numel());
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  detail::dispatch(dtype, [&]<class T>(detail::Type<T>) {
    T* out = detail::fresh_data<T>(y);
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const std::uint64_t x = static_cast<std::uint64_t>(low) + scale_down(bits[i], range);
      out[i] = static_cast<T>(static_cast<std::int64_t>(x));
    }
  });
  return y;
}

Tensor randperm(std::int64_t n) {
  if (n < 0) throw ValueError("randperm: expected n >= 0, got " + std::to_string(n));
  Tensor y = arange(0, n, 1, int64);
  const auto bits = random_bits(n);
  auto* out = detail::fresh_data<std::int64_t>(y);
  for (std::int64_t i = n - 1; i > 0; --i) {
    const auto j = scale_down(bits[static_cast<std::size_t>(i)], static_cast<std::uint64_t>(i) + 1);
    std::swap(out[i], out[j]);
  }
  return y;
}

Tensor bernoulli(const Tensor& p) {
  detail::check_defined("bernoulli", p);
  check_floating("bernoulli", p.dtype());
  const NoGrad no_grad;
  const Tensor probabilities = p.contiguous();
  detail::dispatch_floating(p.dtype(), [&]<class T>(detail::Type<T>) {
    const T* v = probabilities.data<T>();
    for (std::int64_t i = 0; i < p.numel(); ++i) {
      if (!(v[i] >= 0 && v[i] <= 1)) {
        throw ValueError("bernoulli: expected probabilities in [0, 1], got " +
                         std::to_string(v[i]));
      }
    }
  });
  return lt(rand(p.shape(), p.dtype()), probabilities).to(p.dtype());
}

}  // namespace xtape
