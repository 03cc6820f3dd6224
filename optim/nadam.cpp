// SPDX-License-Identifier: BSD-3-Clause
#include "nadam.hpp"

#include <cmath>

#include "fused.hpp"

namespace xtape::optim {
namespace {

double momentum_at(const NAdamOptions& o, double t) {
  return o.betas[0] * (1 - 0.5 * std::pow(0.96, t * o.momentum_decay));
}

}  // namespace

NAdam::NAdam(const std::vector<Tensor>& parameters, const NAdamOptions& options)
    : NAdam(Groups{{parameters, options}}) {}

NAdam::NAdam(const std::vector<ParameterGroup<NAdamOptions>>& groups)
    : OptimizerWith("NAdam", {{"exp_avg", "exp_avg_sq", nullptr}, "mu_product"}) {
  add(groups);
}

void NAdam::check(const NAdamOptions& o) const {
  OptimizerWith::check(o);
  require(o.momentum_decay >= 0, "momentum_decay >= 0", o.momentum_decay);
}

void NAdam::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                   std::size_t group) {
  const NAdamOptions& o = options_[group];
  const auto t = static_cast<double>(slot.steps);
  const double mu = momentum_at(o, t), next = momentum_at(o, t + 1);
  slot.number *= mu;
  const double gradient_rate = o.lr * (1 - mu) / (1 - slot.number);
  const double mean_rate = o.lr * next / (1 - slot.number * next);
  const double scale = 1 / std::sqrt(1 - std::pow(o.betas[1], t));
  const double coupled = o.decoupled_weight_decay ? 0 : o.weight_decay;
  const double keep = o.decoupled_weight_decay ? 1 - o.lr * o.weight_decay : 1;
  const auto pass = [&]<class T>(std::int64_t n, T* __restrict p, const T* __restrict g,
                                 T* __restrict m, T* __restrict v) {
    const auto beta1 = static_cast<T>(o.betas[0]), rest1 = static_cast<T>(1 - o.betas[0]);
    const auto beta2 = static_cast<T>(o.betas[1]), rest2 = static_cast<T>(1 - o.betas[1]);
    const auto of_g = static_cast<T>(gradient_rate), of_m = static_cast<T>(mean_rate);
    const auto unbias = static_cast<T>(scale), eps = static_cast<T>(o.eps);
    const auto decay = static_cast<T>(coupled), kept = static_cast<T>(keep);
    const auto sign = static_cast<T>(detail::direction(o));
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = sign * g[i] + decay * p[i];
      m[i] = beta1 * m[i] + rest1 * d;
      v[i] = beta2 * v[i] + rest2 * d * d;
      p[i] = kept * p[i] - (of_g * d + of_m * m[i]) / (std::sqrt(v[i]) * unbias + eps);
    }
  };
  const Tensor& m = buffer(slot, 0, parameter);
  const Tensor& v = buffer(slot, 1, parameter);
  detail::fused_step(parameter, gradient, pass, m, v);
}

}  // namespace xtape::optim
