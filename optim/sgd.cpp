// SPDX-License-Identifier: BSD-3-Clause
#include "sgd.hpp"

#include <algorithm>

#include "../autograd/row_gradient.hpp"
#include "fused.hpp"

namespace xtape::optim {

SGD::SGD(const std::vector<Tensor>& parameters, const SGDOptions& options)
    : SGD(Groups{{parameters, options}}) {}

SGD::SGD(const std::vector<ParameterGroup<SGDOptions>>& groups)
    : OptimizerWith("SGD", {.names = {"momentum_buffer", nullptr}, .optional = 1}) {
  add(groups);
}

void SGD::check(const SGDOptions& o) const {
  OptimizerWith::check(o);
  require(o.momentum >= 0, "momentum >= 0", o.momentum);
  require(!o.nesterov || o.momentum > 0, "momentum > 0 with nesterov", o.momentum);
  require(!o.nesterov || o.dampening == 0, "dampening = 0 with nesterov", o.dampening);
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

bool SGD::update_rows(const Tensor& parameter, std::size_t group) {
  const SGDOptions& o = options_[group];
  if (o.momentum != 0 || o.weight_decay != 0) return false;
  const auto* parts = xtape::detail::joined_rows(parameter);
  if (!parts) return false;
  xtape::detail::raise_version(parameter);
  const std::int64_t features = parameter.numel() / std::max<std::int64_t>(parameter.size(0), 1);
  xtape::detail::dispatch_floating(parameter.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    const auto rate = static_cast<T>(o.lr * detail::direction(o));
    T* const p = xtape::detail::fresh_data<T>(parameter);
    for (const xtape::detail::RowGradient& part : *parts) {
      const std::int64_t* row = part.index.data<std::int64_t>();
      const T* values = part.values.data<T>();
      const auto step = [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          if (row[i] < 0) continue;  // joined with an earlier one
          T* __restrict to = p + row[i] * features;
          const T* __restrict g = values + i * features;
          for (std::int64_t j = 0; j < features; ++j) to[j] -= rate * g[j];
        }
      };
      const std::int64_t grain = detail::kGrain / std::max<std::int64_t>(features, 1) + 1;
      xtape::detail::parallel_for(part.index.numel(), grain, step);
    }
  });
  return true;
}

}  // namespace xtape::optim
