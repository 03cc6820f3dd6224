// SPDX-License-Identifier: BSD-3-Clause
#include "dropout.hpp"

#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/dropout.hpp"

namespace xtape::nn {

XTAPE_DEFINE_PARTS(Dropout)

Dropout::Dropout(double probability) : p(probability) {
  if (!(p >= 0 && p <= 1)) {
    throw ValueError("Dropout: expected p in [0, 1], got " + std::to_string(p));
  }
}

Tensor Dropout::forward(const Tensor& x) { return dropout(x, p, is_training()); }

}  // namespace xtape::nn
