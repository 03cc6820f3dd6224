// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <utility>

#include "../autograd/export.hpp"
#include "../autograd/tensor.hpp"
#include "../data/image_transforms.hpp"
#include "../nn/module.hpp"

namespace xtape::optim {

/// A model's first layer, `Augmentation(RandomHorizontalFlip(), RandomRotation(10))`, for images
/// float32 [n, channels, height, width]: while it trains, each one is changed by itself, another
/// way each time; in evaluation mode all pass as they are. Random numbers come from this thread's
/// generator. It serves where the loader is another's, as in `cross_validate`, and where
/// augmentation is to be part of the model; `data::TransformedImages` does the same in a loader's
/// workers. Throws ShapeError, and what the transforms throw.
class XTAPE_API Augmentation final : public nn::Module {
 public:
  data::ImageTransforms transforms;
  XTAPE_DECLARE_PARTS()

  template <std::derived_from<data::ImageTransform>... T>
  explicit Augmentation(T... t) : transforms(std::move(t)...) {}
  Tensor forward(const Tensor& x) override;
};

}  // namespace xtape::optim
