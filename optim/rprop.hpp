// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

struct RpropOptions {
  double lr = 1e-2;                            ///< the first step size
  std::array<double, 2> etas{0.5, 1.2};        ///< what a step size shrinks and grows by
  std::array<double, 2> step_sizes{1e-6, 50};  ///< the smallest and the largest
  bool maximize = false;
};

/// Steps of a size of each element's own, against the sign of g: it grows while the sign stays, and
/// shrinks where it changed, with no step then. For whole batches. Riedmiller and Braun, 1993.
class XTAPE_API Rprop final : public OptimizerWith<RpropOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit Rprop(const std::vector<Tensor>& parameters, const RpropOptions& options = {});
  explicit Rprop(const std::vector<ParameterGroup<RpropOptions>>& groups);

 private:
  void check(const RpropOptions& o) const override;
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
};

}  // namespace xtape::optim
