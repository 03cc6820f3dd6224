// SPDX-License-Identifier: BSD-3-Clause
#include "adamax.hpp"

#include <cmath>

#include "fused.hpp"

namespace xtape::optim {

Adamax::Adamax(const std::vector<Tensor>& parameters, const AdamaxOptions& options)
    : Adamax(Groups{{parameters, options}}) {}

Adamax::Adamax(const std::vector<ParameterGroup<AdamaxOptions>>& groups)
    : OptimizerWith("Adamax", {{"exp_avg", "exp_inf", nullptr}}) {
  add(groups);
}

void Adamax::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                    std::size_t group) {
  const AdamaxOptions& o = options_[group];
  const double rate = o.lr / (1 - std::pow(o.betas[0], static_cast<double>(slot.steps)));
  const auto pass = [&]<class T>(std::int64_t n, T* __restrict p, const T* __restrict g,
                                 T* __restrict m, T* __restrict u) {
    const auto beta1 = static_cast<T>(o.betas[0]), rest1 = static_cast<T>(1 - o.betas[0]);
    const auto beta2 = static_cast<T>(o.betas[1]);
    const auto lr = static_cast<T>(rate), eps = static_cast<T>(o.eps);
    const auto decay = static_cast<T>(o.weight_decay);
    const auto sign = static_cast<T>(detail::direction(o));
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = sign * g[i] + decay * p[i];
      m[i] = beta1 * m[i] + rest1 * d;
      const T before = beta2 * u[i], now = std::abs(d) + eps;
      u[i] = before > now ? before : now;
      p[i] -= lr * m[i] / u[i];
    }
  };
  const Tensor& m = buffer(slot, 0, parameter);
  const Tensor& u = buffer(slot, 1, parameter);
  detail::fused_step(parameter, gradient, pass, m, u);
}

}  // namespace xtape::optim
