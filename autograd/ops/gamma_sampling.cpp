// SPDX-License-Identifier: BSD-3-Clause
#include "gamma_sampling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "../error.hpp"
#include "../kernels/gamma.hpp"
#include "../kernels/philox.hpp"
#include "../memory.hpp"
#include "../parallel.hpp"
#include "../random.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"

namespace xtape {
namespace {

constexpr std::int64_t kGrain = 256;

// How the draws move with the concentration.
Tensor slope(const Tensor& concentration, const Tensor& draws) {
  const Tensor a = detail::copy_contiguous(concentration.detach());
  const Tensor z = detail::copy_contiguous(draws.detach());
  Tensor y = empty(a.shape(), a.dtype());
  detail::dispatch_floating(a.dtype(), [&]<class T>(detail::Type<T>) {
    const T* from = a.data<T>();
    const T* at = z.data<T>();
    T* to = detail::fresh_data<T>(y);
    detail::parallel_for(y.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        to[i] = static_cast<T>(kernels::gamma_slope(from[i], at[i]));
      }
    });
  });
  record("standard_gamma_backward", y, {concentration}, saves(),
         [](Backward&) { throw GradError("standard_gamma: has no second derivative"); });
  return y;
}

}  // namespace

Tensor standard_gamma(const Tensor& concentration) {
  detail::check_defined("standard_gamma", concentration);
  if (!is_floating(concentration.dtype())) {
    throw DTypeError("standard_gamma: expected a floating dtype, got " +
                     std::string(name(concentration.dtype())));
  }
  const Tensor a = detail::copy_contiguous(concentration.detach());
  Tensor y = empty(a.shape(), a.dtype());
  const std::int64_t count = y.numel();
  const detail::Scratch<double> u(static_cast<std::size_t>(count));
  const Generator at = default_generator();
  default_generator().take(static_cast<std::uint64_t>(count) * 2);
  kernels::fill_uniform(at, u.data(), count);
  detail::dispatch_floating(a.dtype(), [&]<class T>(detail::Type<T>) {
    const T* from = a.data<T>();
    T* to = detail::fresh_data<T>(y);
    const T* bad = std::find_if(from, from + count, [](T x) { return !(x > 0 && x < INFINITY); });
    if (bad != from + count) {
      throw ValueError("standard_gamma: expected positive concentrations, got " +
                       std::to_string(*bad));
    }
    detail::parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const double z = kernels::gamma_quantile(from[i], std::max(u.data()[i], 0x1p-54));
        to[i] = std::max(static_cast<T>(z), std::numeric_limits<T>::min());
      }
    });
  });
  record("standard_gamma", y, {concentration}, saves(concentration, y),
         [](Backward& t) { t.add(0, t.g() * slope(t.saved(0), t.saved(1))); });
  return y;
}

}  // namespace xtape
