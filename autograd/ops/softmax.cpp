// SPDX-License-Identifier: BSD-3-Clause
#include "softmax.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "../error.hpp"
#include "../kernels/softmax.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "layout.hpp"
#include "math.hpp"
#include "random.hpp"
#include "reductions.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

using kernels::Slices;

void check_input(const char* operation, const Tensor& x) {
  detail::check_defined(operation, x);
  if (!is_floating(x.dtype())) {
    throw DTypeError(std::string(operation) + ": expected a floating dtype, got " +
                     x.description());
  }
}

// Dense memory in any order of dimensions, seen around one of them.
Slices slices_of(const Tensor& x, int dim) {
  if (x.dim() == 0) return {1, 1, 1};
  const std::int64_t count = x.sizes()[dim];
  if (x.numel() == 0) return {0, count, 1};
  const std::int64_t inner = count == 1 ? 1 : x.strides()[dim];
  return {x.numel() / (count * inner), count, inner};
}

Tensor fused_backward(const Tensor& g, const Tensor& y, int dim, bool logarithm) {
  const Tensor from = detail::in_layout(g, y);
  Tensor gradient = detail::empty_like(y, y.dtype());
  kernels::softmax_backward(slices_of(y, dim), y.dtype(), logarithm, gradient.value()->data,
                            from.value()->data, y.value()->data);
  return gradient;
}

Tensor sum_along(const Tensor& x, int dim) { return x.dim() == 0 ? x : sum(x, Shape{dim}, true); }

Tensor forward(const Tensor& x, int dim, bool logarithm) {
  const Tensor from = detail::dense(x);
  Tensor y = detail::empty_like(from, x.dtype());
  kernels::softmax(slices_of(from, dim), x.dtype(), logarithm, y.value()->data, from.value()->data);
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x, std::int64_t dim_from_user) {
  check_input("softmax", x);
  const int dim = detail::wrap_dim("softmax", dim_from_user, x.dim());
  Tensor y = forward(x, dim, false);
  record("softmax", y, {x}, saves(y), [dim](Backward& t) {
    const Tensor output = t.saved(0);
    if (!t.create_graph()) return t.add(0, fused_backward(t.g(), output, dim, false));
    t.add(0, output * (t.g() - sum_along(t.g() * output, dim)));
  });
  return y;
}

Tensor log_softmax(const Tensor& x, std::int64_t dim_from_user) {
  check_input("log_softmax", x);
  const int dim = detail::wrap_dim("log_softmax", dim_from_user, x.dim());
  Tensor y = forward(x, dim, true);
  record("log_softmax", y, {x}, saves(y), [dim](Backward& t) {
    const Tensor output = t.saved(0);
    if (!t.create_graph()) return t.add(0, fused_backward(t.g(), output, dim, true));
    t.add(0, t.g() - exp(output) * sum_along(t.g(), dim));
  });
  return y;
}

Tensor softmin(const Tensor& x, std::int64_t dim) {
  check_input("softmin", x);
  return softmax(-x, dim);
}

namespace {

// -log(E) for E exponential, i.e. -log(-log(1 - u)); a u of 0 counts as the least number above.
Tensor gumbel_noise(const Tensor& like) {
  const NoGrad no_grad;
  const Tensor u = rand(like.shape(), like.dtype());
  return -log(clamp_min(-log1p(-u), std::numeric_limits<float>::min()));
}

}  // namespace

Tensor gumbel_softmax(const Tensor& logits, double tau, bool hard, std::int64_t dim) {
  check_input("gumbel_softmax", logits);
  if (!(tau > 0)) {
    throw ValueError("gumbel_softmax: expected tau > 0, got " + std::to_string(tau));
  }
  const Tensor y = softmax((logits + gumbel_noise(logits)) / tau, dim);
  if (!hard) return y;
  const Tensor at = argmax(y, dim, true);
  const Tensor choice = scatter_add(zeros_like(y), dim, at, ones(at.shape(), y.dtype()));
  return choice - y.detach() + y;
}

namespace detail {

void check_labels(const char* operation, const Tensor& input, const Tensor& target,
                  std::int64_t ignore_index) {
  check_input(operation, input);
  check_defined(operation, target);
  if (target.dtype() != int64) {
    throw DTypeError(std::string(operation) + ": expected int64 class labels, got " +
                     target.description());
  }
  const int dim = input.dim() > 1 ? 1 : 0;
  bool fits = input.dim() > 0 && target.dim() == input.dim() - 1;
  for (int i = 0; fits && i < target.dim(); ++i) {
    fits = target.sizes()[i] == input.sizes()[i < dim ? i : i + 1];
  }
  if (!fits) {
    throw ShapeError(std::string(operation) +
                     ": expected input [N, C, ...] and target [N, ...], got " +
                     to_string(input.sizes()) + " and " + to_string(target.sizes()));
  }
  if (target.numel() == 0) {
    throw ShapeError(std::string(operation) + ": empty batch, input " + to_string(input.sizes()));
  }
  const std::int64_t classes = input.sizes()[dim];
  if (classes == 0) {
    throw ShapeError(std::string(operation) + ": expected at least 1 class, got input " +
                     to_string(input.sizes()));
  }
  const Tensor labels = target.contiguous();
  const std::int64_t* label = labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < target.numel(); ++i) {
    if ((label[i] >= 0 && label[i] < classes) || label[i] == ignore_index) continue;
    throw IndexError(std::string(operation) + ": label " + std::to_string(label[i]) +
                     " is out of range for " + std::to_string(classes) + " classes");
  }
}

namespace {

void check_smoothing(double label_smoothing) {
  if (label_smoothing >= 0 && label_smoothing <= 1) return;
  throw ValueError("cross_entropy: expected label_smoothing in [0, 1], got " +
                   std::to_string(label_smoothing));
}

// Classes last in memory are rows; else they lie apart, as in row-major [N, C, ...].
Slices class_slices(const Tensor& x, int dim) {
  if (x.strides()[dim] == 1 || x.sizes()[dim] == 1) {
    return {x.numel() / x.sizes()[dim], x.sizes()[dim], 1};
  }
  return slices_of(x, dim);
}

// Positions are counted in row-major order: fine for row-major memory, and for classes last.
Tensor with_ordered_positions(const Tensor& x, int dim) {
  if (x.is_contiguous()) return x;
  Shape order;
  for (int i = 0; i < x.dim(); ++i) {
    if (i != dim) order.push_back(i);
  }
  order.push_back(dim);
  return permute(x.detach(), order).is_contiguous() ? x : copy_contiguous(x);
}

// The gradient in recorded operations.
Tensor composed_gradient(const Tensor& g, const Tensor& x, const Tensor& target, int dim,
                         std::int64_t ignore_index, double smoothing) {
  const std::int64_t classes = x.sizes()[dim];
  const Tensor counts = ne(target, ignore_index);
  const Tensor label = where(counts, target, scalar_tensor(0, int64));
  const Tensor hot = movedim(one_hot(label, classes).to(x.dtype()), -1, dim);
  const Tensor wanted = hot * (1 - smoothing) + smoothing / static_cast<double>(classes);
  const Tensor factor = g * counts.to(x.dtype());
  return (softmax(x, dim) - wanted) * unsqueeze(factor, dim);
}

}  // namespace

Tensor cross_entropy(const Tensor& input, const Tensor& target, std::int64_t ignore_index,
                     double label_smoothing) {
  const Tensor labels = target.defined() && !target.is_contiguous() ? target.contiguous() : target;
  const int dim = input.defined() && input.dim() > 1 ? 1 : 0;
  check_labels("cross_entropy", input, labels, ignore_index);
  check_smoothing(label_smoothing);
  const Tensor x = with_ordered_positions(input, dim);
  Tensor y = empty(x.dtype(), labels.sizes());
  Tensor largest = empty(x.dtype(), labels.sizes()), log_sum = empty(x.dtype(), labels.sizes());
  kernels::cross_entropy(
      class_slices(x, dim), x.dtype(), {labels.data<std::int64_t>(), ignore_index, label_smoothing},
      y.value()->data, largest.value()->data, log_sum.value()->data, x.value()->data);
  record("cross_entropy", y, {input}, saves(input, labels, largest, log_sum),
         [dim, ignore_index, label_smoothing](Backward& t) {
           const Tensor in = t.take_saved(0), classes = t.take_saved(1);
           if (t.create_graph()) {
             return t.add(
                 0, composed_gradient(t.g(), in, classes, dim, ignore_index, label_smoothing));
           }
           const Tensor from = with_ordered_positions(in, dim);
           const Tensor g = t.g().is_contiguous() ? t.g() : copy_contiguous(t.g());
           const Tensor top = t.take_saved(2), sum = t.take_saved(3);
           Tensor gradient = empty_like(from, from.dtype());
           kernels::cross_entropy_backward(
               class_slices(from, dim), from.dtype(),
               {classes.data<std::int64_t>(), ignore_index, label_smoothing},
               gradient.value()->data, g.value()->data, top.value()->data, sum.value()->data,
               from.value()->data);
           t.add(0, std::move(gradient));
         });
  return y;
}

}  // namespace detail
}  // namespace xtape
