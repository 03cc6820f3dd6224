// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../export.hpp"
#include "../tensor.hpp"

namespace xtape {

/// e^x / sum e^x along `dim`, without overflow; NaN for a row of -inf alone. Floating tensors only
/// (DTypeError). Gradient: y (g - sum g y).
XTAPE_API Tensor softmax(const Tensor& x, std::int64_t dim);
/// log softmax(x), exact where softmax is about 0. Gradient: g - e^y sum g.
XTAPE_API Tensor log_softmax(const Tensor& x, std::int64_t dim);
/// softmax(-x)
XTAPE_API Tensor softmin(const Tensor& x, std::int64_t dim);
/// The same of x.to(dtype).
inline Tensor softmax(const Tensor& x, std::int64_t dim, DType dtype) {
  return softmax(x.to(dtype), dim);
}
inline Tensor log_softmax(const Tensor& x, std::int64_t dim, DType dtype) {
  return log_softmax(x.to(dtype), dim);
}
inline Tensor softmin(const Tensor& x, std::int64_t dim, DType dtype) {
  return softmin(x.to(dtype), dim);
}

/// A sample of the relaxed categorical distribution: softmax((logits + Gumbel noise) / tau); with
/// `hard` its one-hot form, with the gradient of the soft one. Throws ValueError unless tau > 0.
/// Jang, Gu & Poole; Maddison, Mnih & Teh, ICLR 2017.
XTAPE_API Tensor gumbel_softmax(const Tensor& logits, double tau = 1, bool hard = false,
                                std::int64_t dim = -1);

namespace detail {

inline constexpr std::int64_t kIgnoreIndex = -100;

/// Throws DTypeError, ShapeError and IndexError unless `target` are int64 labels [N, ...] of the
/// classes of `input` [N, C, ...] (or [C]).
void check_labels(const char* operation, const Tensor& input, const Tensor& target,
                  std::int64_t ignore_index);

/// -log softmax(input) at the class that `target` names, for each position: input [N, C, ...] (or
/// [C]), target int64 [N, ...]; not reduced. Positions whose target is `ignore_index` give 0. With
/// `label_smoothing` that share of the target is spread evenly over all classes. One pass forward,
/// one backward. Throws ShapeError on unequal shapes and on an empty batch, DTypeError, IndexError
/// on a label out of range, ValueError on a smoothing outside [0, 1].
XTAPE_API Tensor cross_entropy(const Tensor& input, const Tensor& target,
                               std::int64_t ignore_index = kIgnoreIndex,
                               double label_smoothing = 0);

}  // namespace detail
}  // namespace xtape
