// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

struct RAdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled_weight_decay = false;  ///< as AdamW has it
  bool maximize = false;
};

/// Adam whose steps are scaled by how much the running mean of g^2 can be trusted, and are those of
/// momentum alone while it cannot (the first five or so). Liu et al., ICLR 2020.
class XTAPE_API RAdam final : public OptimizerWith<RAdamOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit RAdam(const std::vector<Tensor>& parameters, const RAdamOptions& options = {});
  explicit RAdam(const std::vector<ParameterGroup<RAdamOptions>>& groups);

 private:
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
};

}  // namespace xtape::optim
