// SPDX-License-Identifier: BSD-3-Clause
#include "adagrad.hpp"

#include <cmath>

#include "fused.hpp"

namespace xtape::optim {

Adagrad::Adagrad(const std::vector<Tensor>& parameters, const AdagradOptions& options)
    : Adagrad(Groups{{parameters, options}}) {}

Adagrad::Adagrad(const std::vector<ParameterGroup<AdagradOptions>>& groups)
    : OptimizerWith("Adagrad", {{"sum", nullptr}}) {
  add(groups);
}

void Adagrad::check(const AdagradOptions& o) const {
  OptimizerWith::check(o);
  require(o.lr_decay >= 0, "lr_decay >= 0", o.lr_decay);
  require(o.initial_accumulator_value >= 0, "initial_accumulator_value >= 0",
          o.initial_accumulator_value);
}

void Adagrad::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                     std::size_t group) {
  const AdagradOptions& o = options_[group];
  const double rate = o.lr / (1 + static_cast<double>(slot.steps - 1) * o.lr_decay);
  const auto pass = [&]<class T>(std::int64_t n, T* __restrict p, const T* __restrict g,
                                 T* __restrict sum) {
    const auto lr = static_cast<T>(rate), eps = static_cast<T>(o.eps);
    const auto decay = static_cast<T>(o.weight_decay);
    const auto sign = static_cast<T>(detail::direction(o));
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = sign * g[i] + decay * p[i];
      sum[i] += d * d;
      p[i] -= lr * d / (std::sqrt(sum[i]) + eps);
    }
  };
  detail::fused_step(parameter, gradient, pass,
                     buffer(slot, 0, parameter, o.initial_accumulator_value));
}

}  // namespace xtape::optim
