// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../autograd/export.hpp"
#include "module.hpp"

namespace xtape::nn {

/// In training mode sets each element to 0 with probability p and scales the others by 1 / (1 - p);
/// in eval mode x itself. Srivastava et al., JMLR 15, 2014.
class XTAPE_API Dropout : public Module {
 public:
  double p;
  XTAPE_DECLARE_PARTS()

  /// Throws ValueError for p outside [0, 1].
  explicit Dropout(double p = 0.5);
  Tensor forward(const Tensor& x) override;
};

}  // namespace xtape::nn
