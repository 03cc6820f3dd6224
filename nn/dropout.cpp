// SPDX-License-Identifier: BSD-3-Clause
#include "dropout.hpp"

#include <cmath>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/dropout.hpp"
#include "../autograd/ops/random.hpp"

namespace xtape::nn {
namespace {

double checked(const char* name, double p) {
  if (p >= 0 && p <= 1) return p;
  throw ValueError(std::string(name) + ": expected p in [0, 1], got " + std::to_string(p));
}

// One draw for all elements of a channel.
Tensor drop_channels(const Tensor& x, double p, bool training, int least, int most) {
  if (!x.defined() || x.dim() < least || x.dim() > most) {
    throw ShapeError("expected input [N, C, ...] of " + std::to_string(least) + " to " +
                     std::to_string(most) + " dimensions, got " +
                     (x.defined() ? to_string(x.sizes()) : "undefined"));
  }
  if (!training) return x;
  Shape channels = Shape::filled(x.dim(), 1);
  for (int i = 0; i < 2; ++i) channels[i] = x.sizes()[i];
  return x * dropout(ones(channels, x.dtype()), p, true);
}

}  // namespace

XTAPE_DEFINE_PARTS(Dropout)
XTAPE_DEFINE_PARTS(Dropout1d)
XTAPE_DEFINE_PARTS(Dropout2d)
XTAPE_DEFINE_PARTS(AlphaDropout)

Dropout::Dropout(double probability) : p(checked("Dropout", probability)) {}
Tensor Dropout::forward(const Tensor& x) { return dropout(x, p, is_training()); }

Dropout1d::Dropout1d(double probability) : p(checked("Dropout1d", probability)) {}
Tensor Dropout1d::forward(const Tensor& x) { return drop_channels(x, p, is_training(), 2, 3); }

Dropout2d::Dropout2d(double probability) : p(checked("Dropout2d", probability)) {}
Tensor Dropout2d::forward(const Tensor& x) { return drop_channels(x, p, is_training(), 4, 4); }

AlphaDropout::AlphaDropout(double probability) : p(checked("AlphaDropout", probability)) {}

Tensor AlphaDropout::forward(const Tensor& x) {
  if (!is_training() || p == 0) return x;
  if (p == 1) return x * 0;
  constexpr double kLowest = -1.7580993408473766;  // of SELU, -scale alpha
  const double scale = 1 / std::sqrt((1 - p) * (1 + p * kLowest * kLowest));
  const Tensor kept = bernoulli(full(x.shape(), 1 - p, x.dtype()));
  return x * (kept * scale) + ((1 - kept) * (kLowest * scale) - scale * kLowest * p);
}

}  // namespace xtape::nn
