// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0;
  bool maximize = false;
};

/// v the running mean of g^2 (after g += weight_decay p), a that of the squared steps d before:
/// d = sqrt((a + eps) / (v + eps)) g, p -= lr d. Zeiler, arXiv 1212.5701.
class XTAPE_API Adadelta final : public OptimizerWith<AdadeltaOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit Adadelta(const std::vector<Tensor>& parameters, const AdadeltaOptions& options = {});
  explicit Adadelta(const std::vector<ParameterGroup<AdadeltaOptions>>& groups);

 private:
  void check(const AdadeltaOptions& o) const override;
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
};

}  // namespace xtape::optim
