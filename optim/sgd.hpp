// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  bool maximize = false;
};

/// Gradient descent with momentum m, as PyTorch defines it: g += weight_decay p; at the first step
/// m = g, later m = momentum m + (1 - dampening) g; p -= lr m, with Nesterov's p -= lr (g +
/// momentum m). Sutskever et al., ICML 2013.
class XTAPE_API SGD final : public OptimizerWith<SGDOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit SGD(const std::vector<Tensor>& parameters, const SGDOptions& options = {});
  explicit SGD(const std::vector<ParameterGroup<SGDOptions>>& groups);

 private:
  void check(const SGDOptions& o) const override;
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
  bool update_rows(const Tensor& parameter, std::size_t group) override;
};

}  // namespace xtape::optim
