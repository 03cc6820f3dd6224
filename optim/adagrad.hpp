// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;
  double weight_decay = 0;
  double initial_accumulator_value = 0;
  double eps = 1e-10;
  bool maximize = false;
};

/// s the sum of all g^2 (after g += weight_decay p): p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s)
/// + eps) at step t. Duchi et al., JMLR 2011.
class XTAPE_API Adagrad final : public OptimizerWith<AdagradOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit Adagrad(const std::vector<Tensor>& parameters, const AdagradOptions& options = {});
  explicit Adagrad(const std::vector<ParameterGroup<AdagradOptions>>& groups);

 private:
  void check(const AdagradOptions& o) const override;
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
};

}  // namespace xtape::optim
