// SPDX-License-Identifier: BSD-3-Clause
#include "adam.hpp"

#include <cmath>

#include "fused.hpp"

namespace xtape::optim {
namespace {

constexpr detail::BufferNames kBuffers{
    .names = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq", nullptr}, .optional = 1};

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

// `coupled` is added to the gradient, times p; the parameter itself is first multiplied by `keep`.
// `buffer(i)` gives that of kBuffers.
template <class Options, class F>
void adam_update(const Options& o, std::int64_t steps, double coupled, double keep, const Tensor& p,
                 const Tensor& g, F buffer) {
  const Tensor &m = buffer(0), &v = buffer(1);
  if (o.amsgrad) {
    adam_step<true>(o, steps, coupled, keep, p, g, m, v, buffer(2));
  } else {
    adam_step<false>(o, steps, coupled, keep, p, g, m, v, Tensor());
  }
}

}  // namespace

Adam::Adam(const std::vector<Tensor>& parameters, const AdamOptions& options)
    : Adam(Groups{{parameters, options}}) {}

Adam::Adam(const std::vector<ParameterGroup<AdamOptions>>& groups)
    : OptimizerWith("Adam", kBuffers) {
  add(groups);
}

void Adam::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                  std::size_t group) {
  const AdamOptions& o = options_[group];
  adam_update(o, slot.steps, o.weight_decay, 1, parameter, gradient,
              [&](std::size_t i) -> const Tensor& { return buffer(slot, i, parameter); });
}

AdamW::AdamW(const std::vector<Tensor>& parameters, const AdamWOptions& options)
    : AdamW(Groups{{parameters, options}}) {}

AdamW::AdamW(const std::vector<ParameterGroup<AdamWOptions>>& groups)
    : OptimizerWith("AdamW", kBuffers) {
  add(groups);
}

void AdamW::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                   std::size_t group) {
  const AdamWOptions& o = options_[group];
  adam_update(o, slot.steps, 0, 1 - o.lr * o.weight_decay, parameter, gradient,
              [&](std::size_t i) -> const Tensor& { return buffer(slot, i, parameter); });
}

}  // namespace xtape::optim
