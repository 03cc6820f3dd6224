// SPDX-License-Identifier: BSD-3-Clause
#include "losses_regression.hpp"

#include <numbers>

#include "../autograd/pointwise.hpp"
#include "loss_checks.hpp"

namespace xtape::nn {

using detail::check_option;
using detail::check_pair;
using detail::reduce;

XTAPE_DEFINE_PARTS(MSELoss)
XTAPE_DEFINE_PARTS(L1Loss)
XTAPE_DEFINE_PARTS(SmoothL1Loss)
XTAPE_DEFINE_PARTS(HuberLoss)
XTAPE_DEFINE_PARTS(LogCoshLoss)

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  static constexpr auto f = pointwise("mse_loss", [](auto x, auto t) { return square(x - t); });
  check_pair("mse_loss", input, target);
  return reduce("mse_loss", f(input, target), reduction);
}

Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  static constexpr auto f = pointwise("l1_loss", [](auto x, auto t) { return abs(x - t); });
  check_pair("l1_loss", input, target);
  return reduce("l1_loss", f(input, target), reduction);
}

Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, const SmoothL1Options& options) {
  check_pair("smooth_l1_loss", input, target);
  check_option("smooth_l1_loss", options.beta >= 0, "beta", options.beta);
  if (options.beta == 0) return l1_loss(input, target, options.reduction);
  const auto f = pointwise("smooth_l1_loss", [beta = options.beta](auto x, auto t) {
    const auto d = x - t;
    return where(abs(d) < beta, square(d) * (0.5 / beta), abs(d) - 0.5 * beta);
  });
  return reduce("smooth_l1_loss", f(input, target), options.reduction);
}

Tensor huber_loss(const Tensor& input, const Tensor& target, const HuberOptions& options) {
  check_pair("huber_loss", input, target);
  check_option("huber_loss", options.delta > 0, "delta", options.delta);
  const auto f = pointwise("huber_loss", [delta = options.delta](auto x, auto t) {
    const auto d = x - t;
    return where(abs(d) <= delta, square(d) * 0.5, delta * (abs(d) - 0.5 * delta));
  });
  return reduce("huber_loss", f(input, target), options.reduction);
}

Tensor log_cosh_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  // log(1 + 2 sinh(d / 2)^2) near 0, |d| - log 2 + log(1 + e^-2|d|) far out.
  static constexpr auto f = pointwise("log_cosh_loss", [](auto x, auto t) {
    const auto d = x - t;
    const auto near = where(abs(d) < 1, d, 0);
    const auto far = abs(d) + softplus(-2 * abs(d)) - std::numbers::ln2;
    return where(abs(d) < 1, log1p(2 * square(sinh(0.5 * near))), far);
  });
  check_pair("log_cosh_loss", input, target);
  return reduce("log_cosh_loss", f(input, target), reduction);
}

}  // namespace xtape::nn
