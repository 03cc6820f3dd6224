// SPDX-License-Identifier: BSD-3-Clause
#include "adadelta.hpp"

#include <cmath>

#include "fused.hpp"

namespace xtape::optim {

Adadelta::Adadelta(const std::vector<Tensor>& parameters, const AdadeltaOptions& options)
    : Adadelta(Groups{{parameters, options}}) {}

Adadelta::Adadelta(const std::vector<ParameterGroup<AdadeltaOptions>>& groups)
    : OptimizerWith("Adadelta", {{"square_avg", "acc_delta", nullptr}}) {
  add(groups);
}

void Adadelta::check(const AdadeltaOptions& o) const {
  OptimizerWith::check(o);
  require(o.rho >= 0 && o.rho <= 1, "rho in [0, 1]", o.rho);
}

void Adadelta::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                      std::size_t group) {
  const AdadeltaOptions& o = options_[group];
  const auto pass = [&]<class T>(std::int64_t n, T* __restrict p, const T* __restrict g,
                                 T* __restrict v, T* __restrict a) {
    const auto rho = static_cast<T>(o.rho), rest = static_cast<T>(1 - o.rho);
    const auto lr = static_cast<T>(o.lr), eps = static_cast<T>(o.eps);
    const auto decay = static_cast<T>(o.weight_decay);
    const auto sign = static_cast<T>(detail::direction(o));
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = sign * g[i] + decay * p[i];
      v[i] = rho * v[i] + rest * d * d;
      const T step = std::sqrt(a[i] + eps) / std::sqrt(v[i] + eps) * d;
      a[i] = rho * a[i] + rest * step * step;
      p[i] -= lr * step;
    }
  };
  const Tensor& v = buffer(slot, 0, parameter);
  const Tensor& a = buffer(slot, 1, parameter);
  detail::fused_step(parameter, gradient, pass, v, a);
}

}  // namespace xtape::optim
