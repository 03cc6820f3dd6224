// SPDX-License-Identifier: BSD-3-Clause
#include "radam.hpp"

#include <cmath>

#include "fused.hpp"

namespace xtape::optim {
namespace {

// 0 while the variance of the running mean is unbounded.
double rectification(double beta2, double t) {
  const double power = std::pow(beta2, t);
  const double longest = 2 / (1 - beta2) - 1;
  const double length = longest - 2 * t * power / (1 - power);
  if (length <= 5) return 0;
  return std::sqrt((length - 4) * (length - 2) * longest /
                   ((longest - 4) * (longest - 2) * length));
}

}  // namespace

RAdam::RAdam(const std::vector<Tensor>& parameters, const RAdamOptions& options)
    : RAdam(Groups{{parameters, options}}) {}

RAdam::RAdam(const std::vector<ParameterGroup<RAdamOptions>>& groups)
    : OptimizerWith("RAdam", {{"exp_avg", "exp_avg_sq", nullptr}}) {
  add(groups);
}

void RAdam::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                   std::size_t group) {
  const RAdamOptions& o = options_[group];
  const auto t = static_cast<double>(slot.steps);
  const double trust = rectification(o.betas[1], t);
  const bool adaptive = trust > 0;
  const double rate = o.lr / (1 - std::pow(o.betas[0], t)) *
                      (adaptive ? trust * std::sqrt(1 - std::pow(o.betas[1], t)) : 1);
  const double coupled = o.decoupled_weight_decay ? 0 : o.weight_decay;
  const double keep = o.decoupled_weight_decay ? 1 - o.lr * o.weight_decay : 1;
  const auto pass = [&]<class T>(std::int64_t n, T* __restrict p, const T* __restrict g,
                                 T* __restrict m, T* __restrict v) {
    const auto beta1 = static_cast<T>(o.betas[0]), rest1 = static_cast<T>(1 - o.betas[0]);
    const auto beta2 = static_cast<T>(o.betas[1]), rest2 = static_cast<T>(1 - o.betas[1]);
    const auto lr = static_cast<T>(rate), eps = static_cast<T>(o.eps);
    const auto decay = static_cast<T>(coupled), kept = static_cast<T>(keep);
    const auto sign = static_cast<T>(detail::direction(o));
    const bool divides = adaptive;
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = sign * g[i] + decay * p[i];
      m[i] = beta1 * m[i] + rest1 * d;
      v[i] = beta2 * v[i] + rest2 * d * d;
      p[i] = kept * p[i] - lr * m[i] / (divides ? std::sqrt(v[i]) + eps : T(1));
    }
  };
  const Tensor& m = buffer(slot, 0, parameter);
  const Tensor& v = buffer(slot, 1, parameter);
  detail::fused_step(parameter, gradient, pass, m, v);
}

}  // namespace xtape::optim
