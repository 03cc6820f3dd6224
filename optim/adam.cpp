// SPDX-License-Identifier: BSD-3-Clause
#include "adam.hpp"

#include <cmath>

#include "fused.hpp"

namespace xtape::optim {
namespace {

constexpr detail::BufferNames kBuffers{{"exp_avg", "exp_avg_sq", "max_exp_avg_sq", nullptr}};

// `coupled` is added to the gradient, times p; the parameter itself is first multiplied by `keep`.
template <bool Amsgrad, class Options>
void adam_step(const Options& o, std::int64_t steps, double coupled, double keep, const Tensor& p,
               const Tensor& g, const Tensor& m, const Tensor& v, const Tensor& largest) {
  const auto t = static_cast<double>(steps);
  const double rate = o.lr / (1 - std::pow(o.betas[0], t));         // lr without the bias of m
  const double scale = 1 / std::sqrt(1 - std::pow(o.betas[1], t));  // takes it from sqrt(v)
  const auto pass = [&]<class T>(std::int64_t n, T* __restrict p, const T* __restrict g,
                                 T* __restrict m, T* __restrict v,
                                 [[maybe_unused]] T* __restrict top) {
    const auto beta1 = static_cast<T>(o.betas[0]), rest1 = static_cast<T>(1 - o.betas[0]);
    const auto beta2 = static_cast<T>(o.betas[1]), rest2 = static_cast<T>(1 - o.betas[1]);
    const auto lr = static_cast<T>(rate), unbias = static_cast<T>(scale);
    const auto eps = static_cast<T>(o.eps), decay = static_cast<T>(coupled);
    const auto kept = static_cast<T>(keep), sign = static_cast<T>(detail::direction(o));
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = sign * g[i] + decay * p[i];
      m[i] = beta1 * m[i] + rest1 * d;
      v[i] = beta2 * v[i] + rest2 * d * d;
      T second = v[i];
      if constexpr (Amsgrad) second = top[i] = top[i] > second ? top[i] : second;
      p[i] = kept * p[i] - lr * m[i] / (std::sqrt(second) * unbias + eps);
    }
  };
  detail::fused_step(p, g, pass, m, v, largest);
}

}  // namespace

Adam::Adam(const std::vector<Tensor>& parameters, const AdamOptions& options)
    : Adam(Groups{{parameters, options}}) {}

Adam::Adam(const std::vector<ParameterGroup<AdamOptions>>& groups)
    : OptimizerWith("Adam", kBuffers) {
  add(groups);
}

void Adam::check(const AdamOptions& o) const {
  require(o.lr >= 0, "lr", o.lr);
  for (const double beta : o.betas) require(beta >= 0 && beta < 1, "betas", beta);
  require(o.eps >= 0, "eps", o.eps);
  require(o.weight_decay >= 0, "weight_decay", o.weight_decay);
}

void Adam::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                  std::size_t group) {
  const AdamOptions& o = options_[group];
  const Tensor& m = buffer(slot, 0, parameter);
  const Tensor& v = buffer(slot, 1, parameter);
  const Tensor largest = o.amsgrad ? buffer(slot, 2, parameter) : Tensor();
  const auto step = o.amsgrad ? adam_step<true, AdamOptions> : adam_step<false, AdamOptions>;
  step(o, slot.steps, o.weight_decay, 1, parameter, gradient, m, v, largest);
}

AdamW::AdamW(const std::vector<Tensor>& parameters, const AdamWOptions& options)
    : AdamW(Groups{{parameters, options}}) {}

AdamW::AdamW(const std::vector<ParameterGroup<AdamWOptions>>& groups)
    : OptimizerWith("AdamW", kBuffers) {
  add(groups);
}

void AdamW::check(const AdamWOptions& o) const {
  require(o.lr >= 0, "lr", o.lr);
  for (const double beta : o.betas) require(beta >= 0 && beta < 1, "betas", beta);
  require(o.eps >= 0, "eps", o.eps);
  require(o.weight_decay >= 0, "weight_decay", o.weight_decay);
}

void AdamW::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                   std::size_t group) {
  const AdamWOptions& o = options_[group];
  const Tensor& m = buffer(slot, 0, parameter);
  const Tensor& v = buffer(slot, 1, parameter);
  const Tensor largest = o.amsgrad ? buffer(slot, 2, parameter) : Tensor();
  const auto step = o.amsgrad ? adam_step<true, AdamWOptions> : adam_step<false, AdamWOptions>;
  step(o, slot.steps, 0, 1 - o.lr * o.weight_decay, parameter, gradient, m, v, largest);
}

}  // namespace xtape::optim
