// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

struct AdamaxOptions {
  double lr = 2e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool maximize = false;
};

/// Adam by the largest gradient: m the running mean of g (after g += weight_decay p), u = max(beta2
/// u, |g| + eps), p -= lr m' / u. Kingma and Ba, ICLR 2015, section 7.1.
class XTAPE_API Adamax final : public OptimizerWith<AdamaxOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit Adamax(const std::vector<Tensor>& parameters, const AdamaxOptions& options = {});
  explicit Adamax(const std::vector<ParameterGroup<AdamaxOptions>>& groups);

 private:
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
};

}  // namespace xtape::optim
