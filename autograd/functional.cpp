// SPDX-License-Identifier: BSD-3-Clause
#include "functional.hpp"

#include <string>

#include "error.hpp"
#include "ops/alias.hpp"
#include "ops/creation.hpp"
#include "ops/joining.hpp"
#include "ops/shape.hpp"
#include "sweep.hpp"
#include "tape.hpp"

namespace xtape::detail {
namespace {

using Tensors = std::vector<Tensor>;

// What f is called with: leaves of its own, or the caller's values with their history. None is one
// of the caller's tensors, which f may read as well, which may depend on one another and have
// hooks.
Tensors arguments(const Tensors& inputs, bool create_graph) {
  Tensors x;
  for (const Tensor& input : inputs) {
    const bool history = create_graph && input.requires_grad();
    x.push_back(history ? alias(input) : input.detach().requires_grad_());
  }
  return x;
}

void check_fits(const char* function, const char* what, const Tensors& v, const Tensors& like) {
  if (v.size() != like.size()) {
    throw ValueError(std::string(function) + ": expected " + std::to_string(like.size()) + " " +
                     what + ", got " + std::to_string(v.size()));
  }
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (v[i].defined() && v[i].shape() == like[i].shape() && v[i].dtype() == like[i].dtype()) {
      continue;
    }
    throw ShapeError(std::string(function) + ": expected " + what + " " + std::to_string(i) +
                     " to be " + like[i].description() + ", got " + v[i].description());
  }
}

Tensors zeros_of(const Tensors& like) {
  Tensors zeros;
  for (const Tensor& x : like) zeros.push_back(zeros_like(x));
  return zeros;
}

Tensors detached(Tensors tensors, bool keep_history) {
  if (keep_history) return tensors;
  for (Tensor& t : tensors) t = t.detach();
  return tensors;
}

// Gradients of those outputs that have a history; 0 where there is no path.
Tensors gradients(const Tensors& ys, const Tensors& xs, const Tensors& seeds, bool create_graph,
                  bool retain_graph = false) {
  Tensors outputs, v;
  for (std::size_t i = 0; i < ys.size(); ++i) {
    if (!ys[i].requires_grad()) continue;
    outputs.push_back(ys[i]);
    if (!seeds.empty()) v.push_back(seeds[i]);
  }
  if (outputs.empty()) return zeros_of(xs);
  Tensors found = grad(outputs, xs,
                       {.grad_outputs = v,
                        .retain_graph = retain_graph,
                        .create_graph = create_graph,
                        .allow_unused = true});
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (!found[i].defined()) found[i] = zeros_like(xs[i]);
  }
  return found;
}

// Of one output with respect to all inputs.
Tensors jacobian_of(const Tensor& y, const Tensors& xs, bool create_graph) {
  std::vector<Tensors> rows(xs.size());
  for (std::int64_t k = 0; k < y.numel(); ++k) {
    Tensor seed = zeros({y.numel()}, y.dtype());
    {
      const NoGrad no_grad;
      seed[k].fill_(1);
    }
    const Tensors row = gradients({y}, xs, {seed.reshape(y.shape())}, create_graph, true);
    for (std::size_t i = 0; i < xs.size(); ++i) rows[i].push_back(row[i]);
  }
  Tensors found;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    Shape shape = y.shape();
    for (const std::int64_t size : xs[i].sizes()) shape.push_back(size);
    found.push_back(rows[i].empty() ? zeros(shape, xs[i].dtype())
                                    : stack(rows[i], 0).reshape(shape));
  }
  return found;
}

Tensor scalar_result(const char* function, const Tensors& ys) {
  const Tensor y = only(function, ys);
  if (y.numel() == 1) return y;
  throw GradError(std::string(function) + ": expected a function with a scalar result, got shape " +
                  to_string(y.sizes()));
}

}  // namespace

Tensor only(const char* function, const std::vector<Tensor>& tensors) {
  if (tensors.size() == 1) return tensors[0];
  throw ValueError(std::string(function) + ": expected a function with one result, got " +
                   std::to_string(tensors.size()));
}

TensorsAndDerivatives run_vjp(TensorFunction f, const Tensors& inputs, const Tensors& v,
                              const FunctionalOptions& options) {
  const EnableGrad recording;
  const Tensors xs = arguments(inputs, options.create_graph);
  const Tensors ys = f.call(f.object, xs);
  if (!v.empty()) check_fits("vjp", "v", v, ys);
  Tensors gs = gradients(ys, xs, v, options.create_graph);
  return {detached(ys, options.create_graph), std::move(gs)};
}

TensorsAndDerivatives run_jvp(TensorFunction f, const Tensors& inputs, const Tensors& v,
                              const FunctionalOptions& options) {
  const EnableGrad recording;
  const Tensors xs = arguments(inputs, options.create_graph);
  check_fits("jvp", "v", v, xs);
  const Tensors ys = f.call(f.object, xs);
  // u -> u^T J is linear: its own vector-Jacobian product with v is J v, whatever u is.
  Tensors us = zeros_of(ys);
  for (Tensor& u : us) u.requires_grad_();
  const Tensors products = gradients(ys, xs, us, true);
  Tensors tangents = gradients(products, us, v, options.create_graph);
  return {detached(ys, options.create_graph), std::move(tangents)};
}

TensorsAndDerivatives run_hvp(TensorFunction f, const Tensors& inputs, const Tensors& v,
                              const FunctionalOptions& options) {
  const EnableGrad recording;
  const Tensors xs = arguments(inputs, options.create_graph);
  check_fits("hvp", "v", v, xs);
  const Tensor y = scalar_result("hvp", f.call(f.object, xs));
  const Tensors slopes = gradients({y}, xs, {}, true);
  Tensors products = gradients(slopes, xs, v, options.create_graph);
  return {detached({y}, options.create_graph), std::move(products)};
}

std::vector<Tensors> run_jacobian(TensorFunction f, const Tensors& inputs,
                                  const FunctionalOptions& options) {
  const EnableGrad recording;
  const Tensors xs = arguments(inputs, options.create_graph);
  std::vector<Tensors> rows;
  for (const Tensor& y : f.call(f.object, xs)) {
    rows.push_back(jacobian_of(y, xs, options.create_graph));
  }
  return rows;
}

std::vector<Tensors> run_hessian(TensorFunction f, const Tensors& inputs,
                                 const FunctionalOptions& options) {
  const EnableGrad recording;
  const Tensors xs = arguments(inputs, options.create_graph);
  const Tensor y = scalar_result("hessian", f.call(f.object, xs));
  std::vector<Tensors> rows;
  for (const Tensor& slope : gradients({y}, xs, {}, true)) {
    rows.push_back(jacobian_of(slope, xs, options.create_graph));
  }
  return rows;
}

}  // namespace xtape::detail
