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

/// As Dropout, but for whole channels: of x [N, C] or [N, C, L]; [C, L] is taken as [N, C].
class XTAPE_API Dropout1d : public Module {
 public:
  double p;
  XTAPE_DECLARE_PARTS()

  explicit Dropout1d(double p = 0.5);
  Tensor forward(const Tensor& x) override;
};

/// As Dropout, but for whole channels of x [N, C, H, W]. Tompson et al., CVPR 2015.
class XTAPE_API Dropout2d : public Module {
 public:
  double p;
  XTAPE_DECLARE_PARTS()

  explicit Dropout2d(double p = 0.5);
  Tensor forward(const Tensor& x) override;
};

/// Dropout for SELU: what is dropped becomes its value at minus infinity, then all is scaled and
/// shifted so that mean and variance stay. Klambauer et al., NIPS 2017.
class XTAPE_API AlphaDropout : public Module {
 public:
  double p;
  XTAPE_DECLARE_PARTS()

  explicit AlphaDropout(double p = 0.5);
  Tensor forward(const Tensor& x) override;
};

}  // namespace xtape::nn
