// SPDX-License-Identifier: BSD-3-Clause
#include "losses_classes.hpp"

#include <algorithm>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/ops/shape.hpp"
#include "../autograd/ops/softmax.hpp"
#include "../autograd/pointwise.hpp"
#include "loss_checks.hpp"

namespace xtape::nn {
namespace {

int class_dim(const Tensor& input) { return input.dim() > 1 ? 1 : 0; }

void check_weight(const char* name, const Tensor& weight, const Tensor& input) {
  if (!weight.defined()) return;
  const std::int64_t classes = input.sizes()[class_dim(input)];
  if (weight.shape() != Shape{classes}) {
    throw ShapeError(std::string(name) + ": expected weight [" + std::to_string(classes) +
                     "], got " + to_string(weight.sizes()));
  }
  if (!is_floating(weight.dtype())) {
    throw DTypeError(std::string(name) + ": expected a floating weight, got " +
                     weight.description());
  }
}

// The weight of each class, lying along the classes of x.
Tensor along_classes(const Tensor& weight, const Tensor& x) {
  Shape shape = Shape::filled(x.dim(), 1);
  shape[class_dim(x)] = weight.numel();
  return weight.to(x.dtype()).view(shape);
}

// What labels pick out: the elements of x there, and each position's weight, 0 where ignored.
struct Picked {
  Tensor values, weights, counts;
};

Picked pick(const Tensor& x, const Tensor& target, const Tensor& weight, std::int64_t ignored) {
  const int dim = class_dim(x);
  const Tensor counts = ne(target, ignored);
  const Tensor label = where(counts, target, scalar_tensor(0, int64));
  Picked p;
  // Not by the weight 0, which of an infinite value would make NaN.
  p.values = where(counts, squeeze(gather(x, dim, unsqueeze(label, dim)), dim), 0);
  p.weights = counts.to(x.dtype());
  p.counts = counts;
  if (weight.defined()) {
    const Tensor each = index_select(weight.to(x.dtype()), 0, label.reshape({label.numel()}));
    p.weights = p.weights * each.view(label.shape());
  }
  return p;
}

// The mean is over the weights: 0 / 0 where every position is ignored, as in PyTorch.
Tensor reduce_weighted(const char* name, const Tensor& losses, const Tensor& weights,
                       Reduction reduction) {
  if (reduction != Reduction::mean) return detail::reduce(name, losses, reduction);
  return sum(losses) / sum(weights);
}

Tensor weighted_cross_entropy(const Tensor& input, const Tensor& target,
                              const CrossEntropyOptions& o) {
  const Tensor logs = log_softmax(input, class_dim(input));
  const Picked at = pick(logs, target, o.weight, o.ignore_index);
  Tensor losses = -(at.weights * at.values);
  if (o.label_smoothing > 0) {
    const auto classes = static_cast<double>(o.weight.numel());
    const Tensor all = sum(logs * along_classes(o.weight, logs), {class_dim(input)});
    losses =
        losses * (1 - o.label_smoothing) - where(at.counts, all, 0) * (o.label_smoothing / classes);
  }
  return reduce_weighted("cross_entropy", losses, at.weights, o.reduction);
}

Tensor soft_cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& o) {
  detail::check_pair("cross_entropy", input, target);
  if (input.dim() == 0) throw ShapeError("cross_entropy: expected input [N, C, ...], got []");
  const int dim = class_dim(input);
  const auto classes = static_cast<double>(input.sizes()[dim]);
  Tensor wanted = target;
  if (o.label_smoothing > 0) {
    wanted = target * (1 - o.label_smoothing) + o.label_smoothing / classes;
  }
  if (o.weight.defined()) wanted = wanted * along_classes(o.weight, input);
  const Tensor losses = -sum(wanted * log_softmax(input, dim), {dim});
  return detail::reduce("cross_entropy", losses, o.reduction);
}

}  // namespace

XTAPE_DEFINE_PARTS(CrossEntropyLoss)
XTAPE_DEFINE_PARTS(NLLLoss)
XTAPE_DEFINE_PARTS(KLDivLoss)

Tensor cross_entropy(const Tensor& input, const Tensor& target,
                     const CrossEntropyOptions& options) {
  constexpr const char* kName = "cross_entropy";
  detail::check_option(kName, options.label_smoothing >= 0 && options.label_smoothing <= 1,
                       "label_smoothing", options.label_smoothing);
  if (input.defined() && input.dim() > 0) check_weight(kName, options.weight, input);
  if (input.defined() && target.defined() && is_floating(target.dtype()) &&
      target.dim() == input.dim()) {
    return soft_cross_entropy(input, target, options);
  }
  if (options.weight.defined()) {
    xtape::detail::check_labels(kName, input, target, options.ignore_index);
    return weighted_cross_entropy(input, target, options);
  }
  const Tensor losses =
      xtape::detail::cross_entropy(input, target, options.ignore_index, options.label_smoothing);
  if (options.reduction != Reduction::mean) {
    return detail::reduce(kName, losses, options.reduction);
  }
  const Tensor labels = target.contiguous();
  const auto* label = labels.data<std::int64_t>();
  const auto ignored = std::count(label, label + labels.numel(), options.ignore_index);
  return ignored == 0 ? mean(losses) : sum(losses) / (labels.numel() - ignored);
}

Tensor nll_loss(const Tensor& input, const Tensor& target, const NLLOptions& options) {
  xtape::detail::check_labels("nll_loss", input, target, options.ignore_index);
  check_weight("nll_loss", options.weight, input);
  const Picked at = pick(input, target, options.weight, options.ignore_index);
  return reduce_weighted("nll_loss", -(at.weights * at.values), at.weights, options.reduction);
}

Tensor kl_div(const Tensor& input, const Tensor& target, const KLDivOptions& options) {
  static constexpr auto of_probabilities =
      pointwise("kl_div", [](auto x, auto t) { return where(t == 0, 0, t * (log(t) - x)); });
  static constexpr auto of_logarithms =
      pointwise("kl_div", [](auto x, auto t) { return exp(t) * (t - x); });
  detail::check_pair("kl_div", input, target);
  const Tensor losses =
      options.log_target ? of_logarithms(input, target) : of_probabilities(input, target);
  if (options.reduction != Reduction::batchmean) {
    return detail::reduce("kl_div", losses, options.reduction);
  }
  if (losses.dim() == 0 || losses.numel() == 0) {
    throw ShapeError("kl_div: expected a batch [N, ...], got " + to_string(losses.sizes()));
  }
  return sum(losses) / losses.sizes()[0];
}

}  // namespace xtape::nn
