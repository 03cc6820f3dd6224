// SPDX-License-Identifier: BSD-3-Clause
#include "losses_likelihood.hpp"

#include <cmath>
#include <numbers>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/pointwise.hpp"
#include "loss_checks.hpp"

namespace xtape::nn {

using detail::check_option;

namespace {

// Of the input's shape, at least eps; the gradient goes to the variance as given.
Tensor usable_variance(const Tensor& var, const Tensor& input, double eps) {
  constexpr const char* kName = "gaussian_nll_loss";
  detail::check_input(kName, var);
  Shape shared = input.shape();
  if (!shared.empty()) shared[shared.rank() - 1] = 1;
  if (var.shape() != input.shape() && var.shape() != shared) {
    throw ShapeError(std::string(kName) + ": expected a variance of shape " +
                     to_string(input.sizes()) + " or " + to_string(shared) + ", got " +
                     to_string(var.sizes()));
  }
  Tensor v = var;
  if (var.numel() > 0) {
    const double smallest = amin(var.detach()).item<double>();
    if (smallest < 0) {
      throw ValueError(std::string(kName) + ": expected variances of at least 0, got " +
                       std::to_string(smallest));
    }
    if (smallest < eps) v = var + (maximum(var.detach(), zeros_like(var) + eps) - var.detach());
  }
  return v.expand(input.shape());
}

}  // namespace

XTAPE_DEFINE_PARTS(GaussianNLLLoss)
XTAPE_DEFINE_PARTS(PoissonNLLLoss)

Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var,
                         const GaussianNLLOptions& options) {
  static constexpr auto f = pointwise("gaussian_nll_loss", [](auto x, auto t, auto v) {
    return 0.5 * (log(v) + square(x - t) / v);
  });
  detail::check_pair("gaussian_nll_loss", input, target);
  check_option("gaussian_nll_loss", options.eps > 0, "eps", options.eps);
  Tensor losses = f(input, target, usable_variance(var, input, options.eps));
  if (options.full) losses = losses + 0.5 * std::log(2 * std::numbers::pi);
  return detail::reduce("gaussian_nll_loss", losses, options.reduction);
}

Tensor poisson_nll_loss(const Tensor& input, const Tensor& target,
                        const PoissonNLLOptions& options) {
  static constexpr auto of_logarithm =
      pointwise("poisson_nll_loss", [](auto x, auto t) { return exp(x) - t * x; });
  static constexpr auto stirling = pointwise("poisson_nll_loss", [](auto t) {
    const auto large = where(t > 1, t, 1);
    const auto terms = large * log(large) - large + 0.5 * log(2 * std::numbers::pi * large);
    return where(t > 1, terms, 0);
  });
  detail::check_pair("poisson_nll_loss", input, target);
  check_option("poisson_nll_loss", options.eps >= 0, "eps", options.eps);
  const auto of_rate = pointwise(
      "poisson_nll_loss", [eps = options.eps](auto x, auto t) { return x - t * log(x + eps); });
  Tensor losses = options.log_input ? of_logarithm(input, target) : of_rate(input, target);
  if (options.full) losses = losses + stirling(target);
  return detail::reduce("poisson_nll_loss", losses, options.reduction);
}

}  // namespace xtape::nn
