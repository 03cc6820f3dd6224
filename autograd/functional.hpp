// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <utility>
#include <vector>

#include "export.hpp"
#include "tensor.hpp"
#include "tensor_function.hpp"

// Derivatives of functions. Each comes in two forms: for a function of one tensor that returns one,
// and for one of several. With `create_graph` the results are recorded, from the inputs on;
// without, the inputs are taken as constants and the results have no history. Where an output does
// not depend on an input, the derivative is 0. All throw GradError and ShapeError as `grad` does.
namespace xtape {

/// How the functions of this file differentiate.
struct FunctionalOptions {
  bool create_graph = false;  ///< record the results, so that they can be differentiated again
};

/// Several tensors: what a function returned, and the derivative in question.
using TensorsAndDerivatives = std::pair<std::vector<Tensor>, std::vector<Tensor>>;

namespace detail {
XTAPE_API TensorsAndDerivatives run_vjp(TensorFunction f, const std::vector<Tensor>& inputs,
                                        const std::vector<Tensor>& v,
                                        const FunctionalOptions& options);
XTAPE_API TensorsAndDerivatives run_jvp(TensorFunction f, const std::vector<Tensor>& inputs,
                                        const std::vector<Tensor>& v,
                                        const FunctionalOptions& options);
XTAPE_API TensorsAndDerivatives run_hvp(TensorFunction f, const std::vector<Tensor>& inputs,
                                        const std::vector<Tensor>& v,
                                        const FunctionalOptions& options);
XTAPE_API std::vector<std::vector<Tensor>> run_jacobian(TensorFunction f,
                                                        const std::vector<Tensor>& inputs,
                                                        const FunctionalOptions& options);
XTAPE_API std::vector<std::vector<Tensor>> run_hessian(TensorFunction f,
                                                       const std::vector<Tensor>& inputs,
                                                       const FunctionalOptions& options);
/// The only tensor of a list; throws ValueError where there are several.
XTAPE_API Tensor only(const char* function, const std::vector<Tensor>& tensors);
}  // namespace detail

/// Vector-Jacobian product: f(inputs) and sum over the outputs y of v^T dy/dx for each input x.
/// One reverse sweep. `v` has one tensor of the shape of each output; it may be left out for a
/// scalar.
template <class F>
TensorsAndDerivatives vjp(F&& f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
                          const FunctionalOptions& options = {}) {
  return detail::run_vjp(detail::tensor_function(f), inputs, v, options);
}
template <class F>
std::pair<Tensor, Tensor> vjp(F&& f, const Tensor& x, const Tensor& v = {},
                              const FunctionalOptions& options = {}) {
  std::vector<Tensor> seeds;
  if (v.defined()) seeds.push_back(v);
  const auto [ys, gs] = detail::run_vjp(detail::tensor_function_of<1>(f), {x}, seeds, options);
  return {detail::only("vjp", ys), gs[0]};
}

/// Jacobian-vector product: f(inputs) and sum over the inputs x of dy/dx v for each output y: the
/// derivative along v. Two reverse sweeps, the second through the first. `v` has one tensor of the
/// shape of each input.
template <class F>
TensorsAndDerivatives jvp(F&& f, const std::vector<Tensor>& inputs, const std::vector<Tensor>& v,
                          const FunctionalOptions& options = {}) {
  return detail::run_jvp(detail::tensor_function(f), inputs, v, options);
}
template <class F>
std::pair<Tensor, Tensor> jvp(F&& f, const Tensor& x, const Tensor& v,
                              const FunctionalOptions& options = {}) {
  const auto [ys, ts] = detail::run_jvp(detail::tensor_function_of<1>(f), {x}, {v}, options);
  return {detail::only("jvp", ys), ts[0]};
}

/// Hessian-vector product of a scalar function: f(inputs) and the product of its Hessian with v,
/// one tensor for each input. Never forms the Hessian.
template <class F>
std::pair<Tensor, std::vector<Tensor>> hvp(F&& f, const std::vector<Tensor>& inputs,
                                           const std::vector<Tensor>& v,
                                           const FunctionalOptions& options = {}) {
  auto [ys, products] = detail::run_hvp(detail::tensor_function(f), inputs, v, options);
  return {std::move(ys[0]), std::move(products)};
}
template <class F>
std::pair<Tensor, Tensor> hvp(F&& f, const Tensor& x, const Tensor& v,
                              const FunctionalOptions& options = {}) {
  const auto [ys, products] = detail::run_hvp(detail::tensor_function_of<1>(f), {x}, {v}, options);
  return {ys[0], products[0]};
}

/// All derivatives of each output with respect to each input: [output][input], of the output's
/// shape followed by the input's. One reverse sweep for each element of the outputs.
template <class F>
std::vector<std::vector<Tensor>> jacobian(F&& f, const std::vector<Tensor>& inputs,
                                          const FunctionalOptions& options = {}) {
  return detail::run_jacobian(detail::tensor_function(f), inputs, options);
}
template <class F>
Tensor jacobian(F&& f, const Tensor& x, const FunctionalOptions& options = {}) {
  const auto rows = detail::run_jacobian(detail::tensor_function_of<1>(f), {x}, options);
  if (rows.size() == 1) return rows[0][0];
  return detail::only("jacobian", std::vector<Tensor>(rows.size()));
}

/// Second derivatives of a scalar function: [i][j] of the shape of input i followed by that of
/// input j. One reverse sweep for each element of the inputs, through the gradient's graph.
template <class F>
std::vector<std::vector<Tensor>> hessian(F&& f, const std::vector<Tensor>& inputs,
                                         const FunctionalOptions& options = {}) {
  return detail::run_hessian(detail::tensor_function(f), inputs, options);
}
template <class F>
Tensor hessian(F&& f, const Tensor& x, const FunctionalOptions& options = {}) {
  return detail::run_hessian(detail::tensor_function_of<1>(f), {x}, options)[0][0];
}

}  // namespace xtape
