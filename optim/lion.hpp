// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

struct LionOptions {
  double lr = 1e-4;
  std::array<double, 2> betas{0.9, 0.99};
  double weight_decay = 0;
  bool maximize = false;
};

/// p -= lr (sign(beta1 m + (1 - beta1) g) + weight_decay p), then m = beta2 m + (1 - beta2) g.
/// Wants a rate some 3 to 10 times smaller than AdamW's. Chen et al., NeurIPS 2023.
class XTAPE_API Lion final : public OptimizerWith<LionOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit Lion(const std::vector<Tensor>& parameters, const LionOptions& options = {});
  explicit Lion(const std::vector<ParameterGroup<LionOptions>>& groups);

 private:
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
};

}  // namespace xtape::optim
