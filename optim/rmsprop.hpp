// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;
  bool maximize = false;
};

/// v the running mean of g^2 (after g += weight_decay p), less the square of that of g where
/// centered: p -= lr g / (sqrt(v) + eps), or with momentum m = momentum m + g / (sqrt(v) + eps),
/// p -= lr m. Tieleman and Hinton, 2012; Graves, arXiv 1308.0850.
class XTAPE_API RMSprop final : public OptimizerWith<RMSpropOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit RMSprop(const std::vector<Tensor>& parameters, const RMSpropOptions& options = {});
  explicit RMSprop(const std::vector<ParameterGroup<RMSpropOptions>>& groups);

 private:
  void check(const RMSpropOptions& o) const override;
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
};

}  // namespace xtape::optim
