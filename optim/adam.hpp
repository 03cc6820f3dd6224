// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include "../autograd/export.hpp"
#include "optimizer.hpp"

namespace xtape::optim {

struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;
  bool maximize = false;
};

/// Running means m of g and v of g^2 (after g += weight_decay p), without their bias towards 0:
/// p -= lr m' / (sqrt(v') + eps); with amsgrad the largest v so far. Kingma and Ba, ICLR 2015;
/// Reddi et al., ICLR 2018.
class XTAPE_API Adam final : public OptimizerWith<AdamOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit Adam(const std::vector<Tensor>& parameters, const AdamOptions& options = {});
  explicit Adam(const std::vector<ParameterGroup<AdamOptions>>& groups);

 private:
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
};

struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;
  bool amsgrad = false;
  bool maximize = false;
};

/// Adam whose weight decay stands apart from the gradient: p *= 1 - lr weight_decay, then Adam's
/// step. Loshchilov and Hutter, ICLR 2019.
class XTAPE_API AdamW final : public OptimizerWith<AdamWOptions> {
 public:
  /// Throws ValueError for options out of range, and as Optimizer does for parameters.
  explicit AdamW(const std::vector<Tensor>& parameters, const AdamWOptions& options = {});
  explicit AdamW(const std::vector<ParameterGroup<AdamWOptions>>& groups);

 private:
  void update(detail::Slot& slot, const Tensor& parameter, const Tensor& gradient,
              std::size_t group) override;
};

}  // namespace xtape::optim
