// SPDX-License-Identifier: BSD-3-Clause
#include "sgd.hpp"

#include "fused.hpp"

namespace xtape::optim {

SGD::SGD(const std::vector<Tensor>& parameters, const SGDOptions& options)
    : SGD(Groups{{parameters, options}}) {}

SGD::SGD(const std::vector<ParameterGroup<SGDOptions>>& groups)
    : OptimizerWith("SGD", {{"momentum_buffer", nullptr}}) {
  add(groups);
}

void SGD::check(const SGDOptions& o) const {
  require(o.lr >= 0, "lr", o.lr);
  require(o.momentum >= 0, "momentum", o.momentum);
  require(o.weight_decay >= 0, "weight_decay", o.weight_decay);
  require(!o.nesterov || o.momentum > 0, "momentum (Nesterov's needs one)", o.momentum);
  require(!o.nesterov || o.dampening == 0, "dampening (Nesterov's takes none)", o.dampening);
}

void SGD::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                 std::size_t group) {
  const SGDOptions& o = options_[group];
  if (o.momentum == 0) {
    const auto plain = [&]<class T>(std::int64_t n, T* __restrict p, const T* __restrict g) {
      const auto lr = static_cast<T>(o.lr), decay = static_cast<T>(o.weight_decay);
      const auto sign = static_cast<T>(detail::direction(o));
      for (std::int64_t i = 0; i < n; ++i) p[i] -= lr * (sign * g[i] + decay * p[i]);
    };
    return detail::fused_step(parameter, gradient, plain);
  }
  const bool first = !slot.buffers[0].defined();
  const auto with_momentum = [&]<class T>(std::int64_t n, T* __restrict p, const T* __restrict g,
                                          T* __restrict m) {
    const auto lr = static_cast<T>(o.lr), decay = static_cast<T>(o.weight_decay);
    const auto sign = static_cast<T>(detail::direction(o));
    const auto momentum = static_cast<T>(o.momentum);
    const auto keep = static_cast<T>(first ? 1 : 1 - o.dampening);
    const bool nesterov = o.nesterov;
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = sign * g[i] + decay * p[i];
      m[i] = momentum * m[i] + keep * d;
      p[i] -= lr * (nesterov ? d + momentum * m[i] : m[i]);
    }
  };
  detail::fused_step(parameter, gradient, with_momentum, buffer(slot, 0, parameter));
}

}  // namespace xtape::optim
