// SPDX-License-Identifier: BSD-3-Clause
#include "losses.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/ops/softmax.hpp"
#include "../autograd/pointwise.hpp"
#include "../autograd/tape.hpp"

namespace xtape::nn {
namespace {

void check_pair(const char* name, const Tensor& input, const Tensor& target) {
  for (const Tensor* x : {&input, &target}) {
    if (!x->defined()) throw ValueError(std::string(name) + ": a tensor is undefined");
  }
  if (!is_floating(input.dtype())) {
    throw DTypeError(std::string(name) + ": expected a floating input, got " + input.description());
  }
  if (input.shape() != target.shape()) {
    throw ShapeError(std::string(name) + ": shapes differ, input " + to_string(input.sizes()) +
                     " and target " + to_string(target.sizes()) + "; losses do not broadcast");
  }
}

Tensor reduce(const char* name, const Tensor& losses, Reduction reduction) {
  if (reduction == Reduction::none) return losses;
  if (reduction == Reduction::sum) return sum(losses);
  if (losses.numel() == 0) {
    throw ShapeError(std::string(name) + ": empty batch, input " + to_string(losses.sizes()));
  }
  return mean(losses);
}

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

XTAPE_DEFINE_PARTS(MSELoss)
XTAPE_DEFINE_PARTS(L1Loss)
XTAPE_DEFINE_PARTS(BCELoss)
XTAPE_DEFINE_PARTS(BCEWithLogitsLoss)
XTAPE_DEFINE_PARTS(CrossEntropyLoss)

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

Tensor cross_entropy(const Tensor& input, const Tensor& target,
                     const CrossEntropyOptions& options) {
  const Tensor losses =
      xtape::detail::cross_entropy(input, target, options.ignore_index, options.label_smoothing);
  if (options.reduction == Reduction::none) return losses;
  if (options.reduction == Reduction::sum) return sum(losses);
  const Tensor labels = target.contiguous();
  const auto* label = labels.data<std::int64_t>();
  const auto ignored = std::count(label, label + labels.numel(), options.ignore_index);
  return ignored == 0 ? mean(losses) : sum(losses) / (labels.numel() - ignored);
}

}  // namespace xtape::nn
