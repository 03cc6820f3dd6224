// SPDX-License-Identifier: BSD-3-Clause
#include "lion.hpp"

#include "fused.hpp"

namespace xtape::optim {

Lion::Lion(const std::vector<Tensor>& parameters, const LionOptions& options)
    : Lion(Groups{{parameters, options}}) {}

Lion::Lion(const std::vector<ParameterGroup<LionOptions>>& groups)
    : OptimizerWith("Lion", {{"exp_avg", nullptr}}) {
  add(groups);
}

void Lion::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                  std::size_t group) {
  const LionOptions& o = options_[group];
  const auto pass = [&]<class T>(std::int64_t n, T* __restrict p, const T* __restrict g,
                                 T* __restrict m) {
    const auto beta1 = static_cast<T>(o.betas[0]), rest1 = static_cast<T>(1 - o.betas[0]);
    const auto beta2 = static_cast<T>(o.betas[1]), rest2 = static_cast<T>(1 - o.betas[1]);
    const auto lr = static_cast<T>(o.lr);
    const auto decay = static_cast<T>(o.weight_decay);
    const auto sign = static_cast<T>(detail::direction(o));
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = sign * g[i];
      p[i] -= lr * (detail::sign_of(beta1 * m[i] + rest1 * d) + decay * p[i]);
      m[i] = beta2 * m[i] + rest2 * d;
    }
  };
  detail::fused_step(parameter, gradient, pass, buffer(slot, 0, parameter));
}

}  // namespace xtape::optim
