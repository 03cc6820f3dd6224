// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

struct NAdamOptions {
  double lr = 2e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;
  bool decoupled_weight_decay = false;  ///< as AdamW has it
  bool maximize = false;
};

/// Adam with Nesterov's momentum: with mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2),
/// p -= lr ((1 - mu_t) g / (1 - mu_1...mu_t) + mu_t+1 m / (1 - mu_1...mu_t+1)) / (sqrt(v') + eps).
/// Dozat, ICLR workshop 2016.
class XTAPE_API NAdam final : public OptimizerWith<NAdamOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit NAdam(const std::vector<Tensor>& parameters, const NAdamOptions& options = {});
  explicit NAdam(const std::vector<ParameterGroup<NAdamOptions>>& groups);

 private:
  void check(const NAdamOptions& o) const override;
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
};

}  // namespace xtape::optim
