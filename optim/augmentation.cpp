// SPDX-License-Identifier: BSD-3-Clause
#include "augmentation.hpp"

#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/ops/joining.hpp"

namespace xtape::optim {

XTAPE_DEFINE_PARTS(Augmentation)

Tensor Augmentation::forward(const Tensor& x) {
  if (!x.defined() || x.dim() != 4 || x.size(0) == 0) {
    throw ShapeError("expected images [n, channels, height, width], got " +
                     (x.defined() ? x.description() : "undefined"));
  }
  if (!is_training()) return x;
  std::vector<Tensor> images = unbind(x);
  for (Tensor& image : images) image = transforms(image);
  return stack(images);
}

}  // namespace xtape::optim
