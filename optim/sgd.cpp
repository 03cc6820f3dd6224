// SPDX-License-Identifier: BSD-3-Clause
#include "sgd.hpp"

#include "../autograd/parallel.hpp"

namespace xtape::optim {
namespace {

constexpr std::int64_t kGrain = 32768;

template <class T>
struct Constants {
  explicit Constants(const SGDOptions& o)
      : lr(static_cast<T>(o.lr)),
        momentum(static_cast<T>(o.momentum)),
        keep(static_cast<T>(1 - o.dampening)),
        weight_decay(static_cast<T>(o.weight_decay)),
        sign(o.maximize ? T(-1) : T(1)) {}
  T lr, momentum, keep, weight_decay, sign;
};

template <class T>
void plain(T* __restrict p, const T* __restrict g, std::int64_t n, Constants<T> c) {
  for (std::int64_t i = 0; i < n; ++i) p[i] -= c.lr * (c.sign * g[i] + c.weight_decay * p[i]);
}

template <bool Nesterov, class T>
void with_momentum(T* __restrict p, const T* __restrict g, T* __restrict m, std::int64_t n,
                   Constants<T> c) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T d = c.sign * g[i] + c.weight_decay * p[i];
    m[i] = c.momentum * m[i] + c.keep * d;
    p[i] -= c.lr * (Nesterov ? d + c.momentum * m[i] : m[i]);
  }
}

}  // namespace

SGD::SGD(const std::vector<Tensor>& parameters, const SGDOptions& options)
    : SGD(std::vector{ParameterGroup<SGDOptions>{parameters, options}}) {}

SGD::SGD(const std::vector<ParameterGroup<SGDOptions>>& groups)
    : OptimizerWith("SGD", {{"momentum_buffer", nullptr}}) {
  for (const auto& g : groups) {
    check(g.options);
    add(g.parameters, g.options);
  }
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
  const bool momentum = o.momentum != 0;
  const bool first = momentum && !slot.buffers[0].defined();
  const Tensor m = momentum ? buffer(slot, 0, parameter) : Tensor();
  xtape::detail::dispatch_floating(parameter.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    Constants<T> c(o);
    if (first) c.keep = 1;
    T* p = xtape::detail::fresh_data<T>(parameter);
    const T* g = gradient.data<T>();
    T* buffer = momentum ? xtape::detail::fresh_data<T>(m) : nullptr;
    const auto step = [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t n = end - begin;
      if (!momentum) return plain(p + begin, g + begin, n, c);
      if (o.nesterov) return with_momentum<true>(p + begin, g + begin, buffer + begin, n, c);
      return with_momentum<false>(p + begin, g + begin, buffer + begin, n, c);
    };
    xtape::detail::parallel_for(parameter.numel(), kGrain, step);
  });
}

}  // namespace xtape::optim
