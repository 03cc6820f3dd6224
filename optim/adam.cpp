// SPDX-License-Identifier: BSD-3-Clause
#include "adam.hpp"

#include <algorithm>
#include <cmath>

#include "../autograd/parallel.hpp"

namespace xtape::optim {
namespace {

constexpr std::int64_t kGrain = 16384;

template <class T>
struct Constants {
  Constants(const AdamOptions& o, std::int64_t steps)
      : beta1(static_cast<T>(o.betas[0])),
        beta2(static_cast<T>(o.betas[1])),
        rest1(static_cast<T>(1 - o.betas[0])),
        rest2(static_cast<T>(1 - o.betas[1])),
        eps(static_cast<T>(o.eps)),
        weight_decay(static_cast<T>(o.weight_decay)),
        sign(o.maximize ? T(-1) : T(1)) {
    const auto t = static_cast<double>(steps);
    step = static_cast<T>(o.lr / (1 - std::pow(o.betas[0], t)));
    scale = static_cast<T>(1 / std::sqrt(1 - std::pow(o.betas[1], t)));
  }
  T beta1, beta2, rest1, rest2, eps, weight_decay, sign;
  T step;   // lr without the bias of m
  T scale;  // takes the bias of v from sqrt(v)
};

template <bool Amsgrad, class T>
void adam(T* __restrict p, const T* __restrict g, T* __restrict m, T* __restrict v,
          [[maybe_unused]] T* __restrict largest, std::int64_t n, Constants<T> c) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T d = c.sign * g[i] + c.weight_decay * p[i];
    m[i] = c.beta1 * m[i] + c.rest1 * d;
    v[i] = c.beta2 * v[i] + c.rest2 * d * d;
    T second = v[i];
    if constexpr (Amsgrad) second = largest[i] = std::max(largest[i], second);
    p[i] -= c.step * m[i] / (std::sqrt(second) * c.scale + c.eps);
  }
}

}  // namespace

Adam::Adam(const std::vector<Tensor>& parameters, const AdamOptions& options)
    : Adam(std::vector{ParameterGroup<AdamOptions>{parameters, options}}) {}

Adam::Adam(const std::vector<ParameterGroup<AdamOptions>>& groups)
    : OptimizerWith("Adam", {{"exp_avg", "exp_avg_sq", "max_exp_avg_sq", nullptr}}) {
  for (const auto& g : groups) {
    check(g.options);
    add(g.parameters, g.options);
  }
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
  const Tensor& mean = buffer(slot, 0, parameter);
  const Tensor& square = buffer(slot, 1, parameter);
  const Tensor largest = o.amsgrad ? buffer(slot, 2, parameter) : Tensor();
  xtape::detail::dispatch_floating(parameter.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    const Constants<T> c(o, slot.steps);
    T* p = xtape::detail::fresh_data<T>(parameter);
    const T* g = gradient.data<T>();
    T* m = xtape::detail::fresh_data<T>(mean);
    T* v = xtape::detail::fresh_data<T>(square);
    T* top = o.amsgrad ? xtape::detail::fresh_data<T>(largest) : nullptr;
    const auto step = [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t n = end - begin, at = begin;
      if (o.amsgrad) return adam<true>(p + at, g + at, m + at, v + at, top + at, n, c);
      return adam<false, T>(p + at, g + at, m + at, v + at, nullptr, n, c);
    };
    xtape::detail::parallel_for(parameter.numel(), kGrain, step);
  });
}

}  // namespace xtape::optim
