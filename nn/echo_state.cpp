// SPDX-License-Identifier: BSD-3-Clause
#include "echo_state.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/joining.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/matmul.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/ops/shape.hpp"
#include "../autograd/tape.hpp"
#include "ridge.hpp"

namespace xtape::nn {
namespace {

std::string shape_text(const Tensor& x) { return x.defined() ? to_string(x.sizes()) : "undefined"; }

double length(const Tensor& v) { return norm(v).item<double>(); }

// The matrix of A on the Krylov space of `v`, [m, m] with m at most 100. Arnoldi, 1951.
template <class Product>
Tensor arnoldi(Tensor v, Product product) {
  const std::int64_t most = std::min<std::int64_t>(v.numel(), 100);
  std::vector<Tensor> basis{v / length(v)};
  std::vector<double> h(static_cast<std::size_t>(most * most));
  const auto at = [&](std::int64_t i, std::int64_t j) -> double& {
    return h[static_cast<std::size_t>(i * most + j)];
  };
  std::int64_t m = 0;
  while (m < most) {
    Tensor w = product(basis.back());
    const double before = length(w);
    const Tensor q = stack(basis);
    for (int pass = 0; pass < 2; ++pass) {  // the second one removes what rounding left
      const Tensor share = mv(q, w);
      for (std::int64_t i = 0; i <= m; ++i) at(i, m) += share.data<double>()[i];
      w = w - mv(q.t(), share);
    }
    const double rest = length(w);
    if (++m == most || !(rest > 1e-13 * before)) break;  // A leads no further
    at(m, m - 1) = rest;
    basis.push_back(w / rest);
  }
  const Tensor all = from_values<double>(h, {most, most});
  return narrow(narrow(all, 0, 0, m), 1, 0, m);
}

// |A^k|^(1/k) for k = 2^40, by squaring; Gelfand's formula.
double radius_by_squaring(Tensor a) {
  double log_radius = 0, share = 1;
  for (int i = 0; i < 40; ++i, share /= 2) {
    const double size = length(a);
    if (size == 0) return 0;
    log_radius += share * std::log(size);
    a = a / size;
    a = matmul(a, a);
  }
  return std::exp(log_radius);
}

// `product(v)` is A v in float64.
template <class Product>
double spectral_radius_of(std::int64_t n, Product product) {
  Tensor v = randn({n}, float64);
  for (int i = 0; n > 100 && i < 300; ++i) {
    const Tensor next = product(v);
    const double size = length(next);
    if (size == 0) return 0;
    v = next / size;
  }
  return radius_by_squaring(arnoldi(v, product));
}

// W_hh h for h [batch, units]
Tensor sparse_product(const Tensor& weight, const Tensor& index, const Tensor& h) {
  const Tensor heard = index_select(h, 1, index.flatten());
  return sum(unflatten(heard, 1, weight.shape()) * weight, {2});
}

void check(std::int64_t input_size, std::int64_t units, const ReservoirOptions& o) {
  if (input_size < 1 || units < 1) {
    throw ValueError("Reservoir: expected at least 1 input and unit, got " +
                     std::to_string(input_size) + " and " + std::to_string(units));
  }
  const auto require = [](bool good, const char* what, double got) {
    if (!good) {
      throw ValueError(std::string("Reservoir: expected ") + what + ", got " + std::to_string(got));
    }
  };
  require(o.spectral_radius >= 0 && std::isfinite(o.spectral_radius),
          "a spectral_radius of at least 0", o.spectral_radius);
  require(o.leak > 0 && o.leak <= 1, "a leak in (0, 1]", o.leak);
  require(o.input_scaling >= 0 && std::isfinite(o.input_scaling), "an input_scaling of at least 0",
          o.input_scaling);
  require(o.connections >= 1, "at least 1 of connections", static_cast<double>(o.connections));
}

}  // namespace

double spectral_radius(const Tensor& matrix) {
  if (!matrix.defined() || matrix.dim() != 2 || matrix.sizes()[0] != matrix.sizes()[1] ||
      matrix.numel() == 0) {
    throw ShapeError("spectral_radius: expected a square matrix, got " + shape_text(matrix));
  }
  const NoGrad guard;
  const Tensor a = matrix.to(float64);
  if (!std::isfinite(length(a))) throw ValueError("spectral_radius: the matrix holds Inf or NaN");
  return spectral_radius_of(a.sizes()[0], [&](const Tensor& v) { return mv(a, v); });
}

XTAPE_DEFINE_PARTS(Reservoir, weight_ih, bias_ih, weight_hh, index_hh)

Reservoir::Reservoir(std::int64_t input_size, std::int64_t units, const ReservoirOptions& options)
    : leak_(options.leak) {
  check(input_size, units, options);
  const double scale = options.input_scaling;
  weight_ih = Buffer(uniform(-scale, scale, {units, input_size}, options.dtype));
  bias_ih = Buffer(uniform(-scale, scale, {units}, options.dtype));
  const std::int64_t heard = std::min(options.connections, units);
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < units; ++i) rows.push_back(narrow(randperm(units), 0, 0, heard));
  index_hh = Buffer(stack(rows));
  const Tensor drawn = uniform(-1, 1, {units, heard}, float64);
  const double radius = spectral_radius_of(units, [&](const Tensor& v) {
    return sparse_product(drawn, index_hh, v.unsqueeze(0)).squeeze(0);
  });
  weight_hh = Buffer((drawn * (options.spectral_radius / radius)).to(options.dtype));
}

RNNResult Reservoir::forward(const Tensor& x, const Tensor& state) {
  if (!x.defined() || (x.dim() != 2 && x.dim() != 3) || x.sizes()[0] == 0 ||
      x.sizes().back() != input_size()) {
    throw ShapeError("expected [steps, batch, " + std::to_string(input_size()) + "] or [steps, " +
                     std::to_string(input_size()) + "], got " + shape_text(x));
  }
  const bool batched = x.dim() == 3;
  const Shape expected = batched ? Shape{x.sizes()[1], units()} : Shape{units()};
  if (state.defined() && state.shape() != expected) {
    throw ShapeError("expected a state of shape " + to_string(expected) + ", got " +
                     shape_text(state));
  }
  const Tensor driven = linear(batched ? x : x.unsqueeze(1), weight_ih, bias_ih);
  Tensor h = state.defined() ? state : zeros(expected, x.dtype());
  if (!batched) h = h.unsqueeze(0);
  std::vector<Tensor> states;
  for (std::int64_t t = 0; t < x.sizes()[0]; ++t) {
    const Tensor next = tanh(select(driven, 0, t) + sparse_product(weight_hh, index_hh, h));
    h = leak_ == 1 ? next : (1 - leak_) * h + leak_ * next;
    states.push_back(h);
  }
  const Tensor all = stack(states);
  return batched ? RNNResult{all, h} : RNNResult{all.squeeze(1), h.squeeze(0)};
}

Tensor Reservoir::dense_weight_hh() const {
  return scatter_add(zeros({units(), units()}, weight_hh.dtype()), 1, index_hh, weight_hh);
}

XTAPE_DEFINE_PARTS(EchoStateNetwork, reservoir, readout)

EchoStateNetwork::EchoStateNetwork(std::int64_t input_size, std::int64_t units,
                                   std::int64_t output_size, const ReservoirOptions& options)
    : reservoir(input_size, units, options),
      readout(input_size + units, output_size, {.dtype = options.dtype}) {}

RNNResult EchoStateNetwork::forward(const Tensor& x, const Tensor& state) {
  const RNNResult r = reservoir(x, state);
  return {readout(cat({x, r.output}, -1)), r.state};
}

Tensor EchoStateNetwork::fit(const Tensor& x, const Tensor& y, const EchoStateFitOptions& options) {
  const NoGrad guard;
  const RNNResult r = reservoir(x, Tensor());
  Shape expected = x.shape();
  expected[expected.size() - 1] = readout.out_features();
  if (!y.defined() || y.shape() != expected) {
    throw ShapeError("EchoStateNetwork::fit: expected y " + to_string(expected) + ", got " +
                     shape_text(y));
  }
  const std::int64_t steps = x.sizes()[0] - options.washout;
  if (options.washout < 0 || steps < 1) {
    throw ValueError("EchoStateNetwork::fit: expected a washout from 0 to less than the " +
                     std::to_string(x.sizes()[0]) + " steps, got " +
                     std::to_string(options.washout));
  }
  const auto learned = [&](const Tensor& all) {
    return narrow(all, 0, options.washout, steps).reshape({-1, all.sizes().back()});
  };
  const RidgeFit best =
      ridge_regression(learned(cat({x, r.output}, -1)), learned(y), options.ridge);
  readout.weight.copy_(best.weight);
  readout.bias.copy_(best.bias);
  return r.state;
}

RNNResult EchoStateNetwork::free_run(const Tensor& x, const Tensor& state, std::int64_t steps) {
  if (readout.out_features() != reservoir.input_size()) {
    throw ShapeError("EchoStateNetwork::free_run: expected as many outputs as inputs, got " +
                     std::to_string(readout.out_features()) + " and " +
                     std::to_string(reservoir.input_size()));
  }
  if (steps < 1) {
    throw ValueError("EchoStateNetwork::free_run: expected at least 1 step, got " +
                     std::to_string(steps));
  }
  if (!x.defined() || x.dim() == 0 || x.dim() > 2) {
    throw ShapeError("EchoStateNetwork::free_run: expected x [batch, in] or [in], got " +
                     shape_text(x));
  }
  RNNResult r{x.unsqueeze(0), state};
  std::vector<Tensor> outputs;
  for (std::int64_t t = 0; t < steps; ++t) {
    r = forward(r.output, r.state);
    outputs.push_back(r.output);
  }
  return {cat(outputs), r.state};
}

}  // namespace xtape::nn
