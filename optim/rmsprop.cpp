// SPDX-License-Identifier: BSD-3-Clause
#include "rmsprop.hpp"

#include <cmath>
#include <type_traits>

#include "fused.hpp"

namespace xtape::optim {
namespace {

template <bool Centered, bool Momentum>
struct Pass {
  const RMSpropOptions& o;

  template <class T>
  void operator()(std::int64_t n, T* __restrict p, const T* __restrict g, T* __restrict v,
                  [[maybe_unused]] T* __restrict mean, [[maybe_unused]] T* __restrict m) const {
    const auto alpha = static_cast<T>(o.alpha), rest = static_cast<T>(1 - o.alpha);
    const auto lr = static_cast<T>(o.lr), eps = static_cast<T>(o.eps);
    [[maybe_unused]] const auto momentum = static_cast<T>(o.momentum);
    const auto decay = static_cast<T>(o.weight_decay);
    const auto sign = static_cast<T>(detail::direction(o));
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = sign * g[i] + decay * p[i];
      v[i] = alpha * v[i] + rest * d * d;
      T variance = v[i];
      if constexpr (Centered) {
        mean[i] = alpha * mean[i] + rest * d;
        variance -= mean[i] * mean[i];
        variance = variance < 0 ? T(0) : variance;  // by rounding, of a constant gradient
      }
      const T scaled = d / (std::sqrt(variance) + eps);
      if constexpr (Momentum) {
        m[i] = momentum * m[i] + scaled;
        p[i] -= lr * m[i];
      } else {
        p[i] -= lr * scaled;
      }
    }
  }
};

}  // namespace

RMSprop::RMSprop(const std::vector<Tensor>& parameters, const RMSpropOptions& options)
    : RMSprop(Groups{{parameters, options}}) {}

RMSprop::RMSprop(const std::vector<ParameterGroup<RMSpropOptions>>& groups)
    : OptimizerWith("RMSprop", {.names = {"square_avg", "grad_avg", "momentum_buffer", nullptr},
                                .optional = 2}) {
  add(groups);
}

void RMSprop::check(const RMSpropOptions& o) const {
  OptimizerWith::check(o);
  require(o.alpha >= 0, "alpha >= 0", o.alpha);
  require(o.momentum >= 0, "momentum >= 0", o.momentum);
}

void RMSprop::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                     std::size_t group) {
  const RMSpropOptions& o = options_[group];
  const Tensor& square = buffer(slot, 0, parameter);
  const Tensor mean = o.centered ? buffer(slot, 1, parameter) : Tensor();
  const Tensor momentum = o.momentum > 0 ? buffer(slot, 2, parameter) : Tensor();
  const auto run = [&](auto centered, auto with_momentum) {
    detail::fused_step(parameter, gradient, Pass<centered, with_momentum>{o}, square, mean,
                       momentum);
  };
  using std::bool_constant;
  if (o.centered && o.momentum > 0) return run(bool_constant<true>{}, bool_constant<true>{});
  if (o.centered) return run(bool_constant<true>{}, bool_constant<false>{});
  if (o.momentum > 0) return run(bool_constant<false>{}, bool_constant<true>{});
  run(bool_constant<false>{}, bool_constant<false>{});
}

}  // namespace xtape::optim
