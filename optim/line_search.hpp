// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Minimising along a line; private to optim/.

#include "../autograd/tensor.hpp"

namespace xtape::optim::detail {

/// A point on the line: how far along it, the loss, its slope along the line, and the gradient.
struct LinePoint {
  double t = 0;
  double loss = 0;
  double slope = 0;
  Tensor gradient;
};

/// What is minimised.
class Line {
 public:
  /// The largest element of the direction: how far a step of 1 goes.
  double length = 0;
  int evaluations = 0;
  virtual LinePoint at(double t) = 0;

 protected:
  ~Line() = default;
};

/// A point that satisfies the strong Wolfe conditions (c1 = 1e-4, c2 = 0.9), or the best one found
/// in 25 evaluations: brackets it, then narrows the bracket by cubic interpolation. Starts at `t`.
/// Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6; safeguards as in PyTorch.
LinePoint strong_wolfe(Line& line, const LinePoint& start, double t, double tolerance_change);

}  // namespace xtape::optim::detail
