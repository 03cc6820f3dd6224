// SPDX-License-Identifier: BSD-3-Clause
#include "rprop.hpp"

#include "fused.hpp"

namespace xtape::optim {

Rprop::Rprop(const std::vector<Tensor>& parameters, const RpropOptions& options)
    : Rprop(Groups{{parameters, options}}) {}

Rprop::Rprop(const std::vector<ParameterGroup<RpropOptions>>& groups)
    : OptimizerWith("Rprop", {{"prev", "step_size", nullptr}}) {
  add(groups);
}

void Rprop::check(const RpropOptions& o) const {
  OptimizerWith::check(o);
  require(o.etas[0] > 0 && o.etas[0] < 1, "etas[0] in (0, 1)", o.etas[0]);
  require(o.etas[1] > 1, "etas[1] > 1", o.etas[1]);
  require(o.step_sizes[0] >= 0, "step_sizes[0] >= 0", o.step_sizes[0]);
  require(o.step_sizes[1] >= o.step_sizes[0], "step_sizes[1] >= step_sizes[0]", o.step_sizes[1]);
}

void Rprop::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                   std::size_t group) {
  const RpropOptions& o = options_[group];
  const auto pass = [&]<class T>(std::int64_t n, T* __restrict p, const T* __restrict g,
                                 T* __restrict previous, T* __restrict sizes) {
    const auto shrink = static_cast<T>(o.etas[0]), grow = static_cast<T>(o.etas[1]);
    const auto low = static_cast<T>(o.step_sizes[0]), high = static_cast<T>(o.step_sizes[1]);
    const auto sign = static_cast<T>(detail::direction(o));
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = sign * g[i], same = d * previous[i];
      const T size = sizes[i] * (same > 0 ? grow : same < 0 ? shrink : T(1));
      sizes[i] = size < low ? low : size > high ? high : size;
      previous[i] = same < 0 ? T(0) : d;
      p[i] -= detail::sign_of(previous[i]) * sizes[i];
    }
  };
  const Tensor& previous = buffer(slot, 0, parameter);
  const Tensor& sizes = buffer(slot, 1, parameter, o.lr);
  detail::fused_step(parameter, gradient, pass, previous, sizes);
}

}  // namespace xtape::optim
