// SPDX-License-Identifier: BSD-3-Clause
#include "losses_pairs.hpp"

#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/pointwise.hpp"
#include "loss_checks.hpp"

namespace xtape::nn {

using detail::check_pair;
using detail::check_signs;
using detail::reduce;

namespace {

// max(x, 0) with slope 1 at 0, as PyTorch's clamp_min has it.
constexpr auto from_zero = [](auto x) { return where(x < 0, 0, x); };

Tensor distance(const Tensor& a, const Tensor& b, const TripletMarginOptions& o) {
  return norm(a - b + o.eps, o.p, {-1});
}

}  // namespace

XTAPE_DEFINE_PARTS(CosineEmbeddingLoss)
XTAPE_DEFINE_PARTS(MarginRankingLoss)
XTAPE_DEFINE_PARTS(HingeEmbeddingLoss)
XTAPE_DEFINE_PARTS(TripletMarginLoss)

Tensor cosine_embedding_loss(const Tensor& input1, const Tensor& input2, const Tensor& target,
                             const MarginOptions& options) {
  constexpr const char* kName = "cosine_embedding_loss";
  constexpr double kEps = 1e-12;  // PyTorch's
  const auto losses_of =
      pointwise("cosine_embedding_loss", [margin = options.margin](auto cosine, auto t) {
        return where(t > 0, 1 - cosine, from_zero(cosine - margin));
      });
  check_pair(kName, input1, input2);
  xtape::detail::check_defined(kName, target);
  const bool fits = (input1.dim() == 1 && target.dim() == 0) ||
                    (input1.dim() == 2 && target.shape() == Shape{input1.sizes()[0]});
  if (!fits) {
    throw ShapeError(std::string(kName) +
                     ": expected inputs [N, D] and target [N], or [D] and [], got " +
                     to_string(input1.sizes()) + " and " + to_string(target.sizes()));
  }
  check_signs(kName, target);
  const auto square_norm = [](const Tensor& x) { return sum(square(x), {-1}) + kEps; };
  const Tensor cosine =
      sum(input1 * input2, {-1}) / sqrt(square_norm(input1) * square_norm(input2));
  return reduce(kName, losses_of(cosine, target), options.reduction);
}

Tensor margin_ranking_loss(const Tensor& input1, const Tensor& input2, const Tensor& target,
                           const MarginOptions& options) {
  constexpr const char* kName = "margin_ranking_loss";
  const auto f =
      pointwise("margin_ranking_loss", [margin = options.margin](auto a, auto b, auto t) {
        return from_zero(margin - t * (a - b));
      });
  check_pair(kName, input1, input2);
  check_pair(kName, input1, target);
  check_signs(kName, target);
  return reduce(kName, f(input1, input2, target), options.reduction);
}

Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target,
                            const HingeEmbeddingOptions& options) {
  constexpr const char* kName = "hinge_embedding_loss";
  const auto f = pointwise("hinge_embedding_loss", [margin = options.margin](auto x, auto t) {
    return where(t > 0, x, from_zero(margin - x));
  });
  check_pair(kName, input, target);
  check_signs(kName, target);
  return reduce(kName, f(input, target), options.reduction);
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginOptions& options) {
  constexpr const char* kName = "triplet_margin_loss";
  const auto f = pointwise("triplet_margin_loss", [margin = options.margin](auto near, auto far) {
    return from_zero(margin + near - far);
  });
  check_pair(kName, anchor, positive);
  check_pair(kName, anchor, negative);
  detail::check_option(kName, options.p > 0, "p", options.p);
  if (anchor.dim() == 0) throw ShapeError(std::string(kName) + ": expected [..., D], got []");
  const Tensor near = distance(anchor, positive, options);
  Tensor far = distance(anchor, negative, options);
  if (options.swap) far = minimum(far, distance(positive, negative, options));
  return reduce(kName, f(near, far), options.reduction);
}

}  // namespace xtape::nn
