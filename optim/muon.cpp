// SPDX-License-Identifier: BSD-3-Clause
#include "muon.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/matmul.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/tape.hpp"
#include "fused.hpp"

namespace xtape::optim {
namespace {

// Newton-Schulz: odd polynomials of a matrix change its singular values alone.
Tensor orthogonal(const Tensor& m, const MuonOptions& o) {
  const bool tall = m.sizes()[0] > m.sizes()[1];
  Tensor x = tall ? m.t() : m;
  x = x / std::max(norm(x).item<double>(), o.eps);
  const auto [a, b, c] = o.ns_coefficients;
  for (int i = 0; i < o.ns_steps; ++i) {
    const Tensor gram = matmul(x, x.t());
    x = addmm(x, addmm(gram, gram, gram, b, c), x, a, 1);
  }
  return tall ? x.t() : x;
}

double adjusted_rate(const MuonOptions& o, const Tensor& p) {
  const auto rows = static_cast<double>(p.sizes()[0]), columns = static_cast<double>(p.sizes()[1]);
  const double factor = o.adjust_lr == MuonRate::original
                            ? std::sqrt(std::max(1.0, rows / columns))
                            : 0.2 * std::sqrt(std::max(rows, columns));
  return o.lr * factor;
}

}  // namespace

Muon::Muon(const std::vector<Tensor>& parameters, const MuonOptions& options)
    : Muon(Groups{{parameters, options}}) {}

Muon::Muon(const std::vector<ParameterGroup<MuonOptions>>& groups)
    : OptimizerWith("Muon", {{"momentum_buffer", nullptr}}) {
  add(groups);
}

void Muon::check(const MuonOptions& o) const {
  OptimizerWith::check(o);
  require(o.momentum >= 0 && o.momentum < 1, "momentum in [0, 1)", o.momentum);
  require(o.ns_steps >= 0 && o.ns_steps < 100, "ns_steps in [0, 100)", o.ns_steps);
}

void Muon::check_parameters(const std::vector<Tensor>& parameters) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters[i].defined() || parameters[i].dim() == 2) continue;
    throw ShapeError("Muon: parameter " + std::to_string(i) + ": expected a matrix, got shape " +
                     to_string(parameters[i].sizes()));
  }
}

void Muon::update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
                  std::size_t group) {
  const MuonOptions& o = options_[group];
  if (parameter.numel() == 0) return;
  const NoGrad guard;
  Tensor ahead = xtape::detail::empty_like(parameter, parameter.dtype());
  const auto pass = [&]<class T>(std::int64_t n, T* __restrict u, const T* __restrict g,
                                 T* __restrict m) {
    const auto momentum = static_cast<T>(o.momentum), rest = static_cast<T>(1 - o.momentum);
    const auto sign = static_cast<T>(detail::direction(o));
    const bool nesterov = o.nesterov;
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = sign * g[i];
      m[i] = momentum * m[i] + rest * d;
      u[i] = nesterov ? rest * d + momentum * m[i] : m[i];
    }
  };
  detail::fused_step(ahead, gradient, pass, buffer(slot, 0, parameter));

  Tensor p = parameter;
  p.copy_(p * (1 - o.lr * o.weight_decay) - orthogonal(ahead, o) * adjusted_rate(o, p));
}

}  // namespace xtape::optim
