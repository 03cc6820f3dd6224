// SPDX-License-Identifier: BSD-3-Clause
#include "losses_binary.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/pointwise.hpp"
#include "../autograd/tape.hpp"
#include "loss_checks.hpp"

namespace xtape::nn {

using detail::check_option;
using detail::check_pair;
using detail::reduce;

namespace {

// The logarithm of a probability, limited from below as PyTorch has it.
constexpr auto limited_log = [](auto x) { return max(log(x), -100.0); };

void check_probabilities(const Tensor& input) {
  const Tensor x = input.contiguous();
  xtape::detail::dispatch_floating(x.dtype(), [&]<class T>(xtape::detail::Type<T>) {
    const T* values = x.data<T>();
    const T* end = values + x.numel();
    const auto* bad = std::find_if(values, end, [](T v) { return !(v >= 0 && v <= 1); });
    if (bad != end) {
      throw ValueError("binary_cross_entropy: expected probabilities in [0, 1], got " +
                       std::to_string(*bad) + "; for scores use binary_cross_entropy_with_logits");
    }
  });
}

// The gradient keeps (x - t) / (x (1 - x)) finite at 0 and 1, where the limited logarithm is flat.
constexpr auto bce_slope = [](auto g, auto x, auto t) {
  return g * (x - t) / max(x * (1 - x), 1e-12);
};
constexpr auto bce_target_slope = [](auto g, auto x) {
  return g * (limited_log(1 - x) - limited_log(x));
};

Tensor bce_elements(const Tensor& input, const Tensor& target) {
  static constexpr auto f = pointwise("binary_cross_entropy", [](auto x, auto t) {
    return -(t * limited_log(x) + (1 - t) * limited_log(1 - x));
  });
  static constexpr auto input_gradient = pointwise("binary_cross_entropy", bce_slope);
  static constexpr auto target_gradient = pointwise("binary_cross_entropy", bce_target_slope);
  Tensor y;
  {
    const NoGrad guard;
    y = f(input, target);
  }
  record("binary_cross_entropy", y, {input, target}, saves(input, target), [](Backward& t) {
    if (t.needs(0)) t.add(0, input_gradient(t.g(), t.saved(0), t.saved(1)));
    if (t.needs(1)) t.add(1, target_gradient(t.g(), t.saved(0)));
  });
  return y;
}

}  // namespace

XTAPE_DEFINE_PARTS(BCELoss)
XTAPE_DEFINE_PARTS(BCEWithLogitsLoss)
XTAPE_DEFINE_PARTS(SigmoidFocalLoss)
XTAPE_DEFINE_PARTS(DiceLoss)

Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, Reduction reduction) {
  check_pair("binary_cross_entropy", input, target);
  check_probabilities(input);
  return reduce("binary_cross_entropy", bce_elements(input, target), reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target,
                                        Reduction reduction) {
  // softplus(x) - t x, without the difference of two large numbers; an infinite x on the right side
  // costs nothing.
  static constexpr auto f = pointwise("binary_cross_entropy_with_logits", [](auto x, auto t) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const auto right = where(x == kInfinity && t == 1, 0, (1 - t) * x);
    const auto left = where(x == -kInfinity && t == 0, 0, -t * x);
    // Not -abs(x), whose slope at 0 is 0.
    return where(x > 0, right, left) + softplus(where(x > 0, -x, x));
  });
  check_pair("binary_cross_entropy_with_logits", input, target);
  return reduce("binary_cross_entropy_with_logits", f(input, target), reduction);
}

Tensor sigmoid_focal_loss(const Tensor& input, const Tensor& target, const FocalOptions& options) {
  constexpr const char* kName = "sigmoid_focal_loss";
  check_pair(kName, input, target);
  check_option(kName, options.alpha <= 1, "alpha", options.alpha);
  check_option(kName, options.gamma >= 0, "gamma", options.gamma);
  const auto focal = pointwise("sigmoid_focal_loss", [gamma = options.gamma](auto x, auto t) {
    const auto entropy = t * softplus(-x) + (1 - t) * softplus(x);
    const auto wrong = t * sigmoid(-x) + (1 - t) * sigmoid(x);  // 1 - p_t, without a difference
    return pow(wrong, gamma) * entropy;
  });
  Tensor losses = focal(input, target);
  if (options.alpha >= 0) {
    const Tensor t = target.to(input.dtype());
    losses = losses * (options.alpha * t + (1 - options.alpha) * (1 - t));
  }
  return reduce(kName, losses, options.reduction);
}

Tensor dice_loss(const Tensor& input, const Tensor& target, const DiceOptions& options) {
  check_pair("dice_loss", input, target);
  check_option("dice_loss", options.smooth >= 0, "smooth", options.smooth);
  if (input.dim() < 2) {
    throw ShapeError("dice_loss: expected input [N, ...], got " + to_string(input.sizes()));
  }
  const Tensor x = input.flatten(1), t = target.to(input.dtype()).flatten(1);
  const Tensor overlap = sum(x * t, {1}), both = sum(x, {1}) + sum(t, {1});
  const Tensor losses = 1 - (2 * overlap + options.smooth) / (both + options.smooth);
  return reduce("dice_loss", losses, options.reduction);
}

}  // namespace xtape::nn
