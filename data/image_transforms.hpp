// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>
#include <vector>

#include "../autograd/export.hpp"
#include "../autograd/owned.hpp"
#include "../autograd/tensor.hpp"
#include "dataset.hpp"

// Images changed at random each time they are looked at, so that a network sees more of them:
//   data::TransformedImages augmented(images, {data::RandomCrop(32, 32, {.padding = 4}),
//                                              data::RandomHorizontalFlip()});
// What happens to a sample depends on the loader's seed, the epoch and the sample's place in it
// alone, not on the workers. Names and meanings are torchvision's; a caller's mistake is a
// ValueError, an image that does not fit a ShapeError.
namespace xtape::data {

/// A change of one image: float32 [channels, height, width], 0 to 1. Random numbers come from this
/// thread's generator. Called from several threads at once.
class XTAPE_API ImageTransform {
 public:
  virtual ~ImageTransform();
  virtual Tensor operator()(const Tensor& image) const = 0;

 protected:
  ImageTransform() = default;
  ImageTransform(const ImageTransform&) = default;
  ImageTransform& operator=(const ImageTransform&) = default;
};

/// Left becomes right, with probability p.
class XTAPE_API RandomHorizontalFlip final : public ImageTransform {
 public:
  explicit RandomHorizontalFlip(double p = 0.5);
  Tensor operator()(const Tensor& image) const override;

 private:
  double p_;
};

/// Top becomes bottom, with probability p.
class XTAPE_API RandomVerticalFlip final : public ImageTransform {
 public:
  explicit RandomVerticalFlip(double p = 0.5);
  Tensor operator()(const Tensor& image) const override;

 private:
  double p_;
};

struct RandomCropOptions {
  std::int64_t padding = 0;  ///< pixels added on each side first
  double fill = 0;           ///< what they are
};

/// A part of this size from anywhere in the image.
class XTAPE_API RandomCrop final : public ImageTransform {
 public:
  RandomCrop(std::int64_t height, std::int64_t width, const RandomCropOptions& options = {});
  Tensor operator()(const Tensor& image) const override;

 private:
  std::int64_t height_, width_;
  RandomCropOptions options_;
};

/// The part of this size in the middle.
class XTAPE_API CenterCrop final : public ImageTransform {
 public:
  CenterCrop(std::int64_t height, std::int64_t width);
  Tensor operator()(const Tensor& image) const override;

 private:
  std::int64_t height_, width_;
};

/// The image at another resolution, bilinear.
class XTAPE_API Resize final : public ImageTransform {
 public:
  Resize(std::int64_t height, std::int64_t width);
  Tensor operator()(const Tensor& image) const override;

 private:
  std::int64_t height_, width_;
};

/// Turned about its middle by up to so many degrees either way, bilinear; `fill` comes in from
/// outside.
class XTAPE_API RandomRotation final : public ImageTransform {
 public:
  explicit RandomRotation(double degrees, double fill = 0);
  Tensor operator()(const Tensor& image) const override;

 private:
  double degrees_, fill_;
};

struct ColorJitterOptions {
  double brightness = 0;  ///< x by a factor in [1 - b, 1 + b], which is at least 0
  double contrast = 0;    ///< likewise the difference from the mean of the grey image
  double saturation = 0;  ///< likewise the difference from the grey image
  double hue = 0;         ///< turned by up to so much of the colour circle, at most 0.5
};

/// Colours changed in these four ways, in random order, each cut off to [0, 1]. Saturation and hue
/// change images of three channels only.
class XTAPE_API ColorJitter final : public ImageTransform {
 public:
  explicit ColorJitter(const ColorJitterOptions& options);
  Tensor operator()(const Tensor& image) const override;

 private:
  ColorJitterOptions options_;
};

/// (x - mean) / std, a number for each channel, or one for all.
class XTAPE_API Normalize final : public ImageTransform {
 public:
  Normalize(std::vector<double> mean, std::vector<double> std);
  Tensor operator()(const Tensor& image) const override;

 private:
  std::vector<double> mean_, std_;
};

/// Several, one after the other; none leaves the image as it is.
class XTAPE_API ImageTransforms final : public ImageTransform {
 public:
  template <std::derived_from<ImageTransform>... T>
  ImageTransforms(T... transforms) {
    (list_.push_back(Shared<T>::make(std::move(transforms))), ...);
  }
  Tensor operator()(const Tensor& image) const override;

 private:
  std::vector<Shared<const ImageTransform>> list_;
};

/// A dataset's samples with x transformed; uint8 images are made float32 from 0 to 1 first. Throws
/// DTypeError for images of other dtypes, ShapeError unless they are [channels, height, width].
class XTAPE_API TransformedImages : public Dataset {
 public:
  template <std::derived_from<Dataset> D>
  TransformedImages(D dataset, ImageTransforms transforms)
      : TransformedImages(Shared<const Dataset>(Shared<D>::make(std::move(dataset))),
                          std::move(transforms)) {}
  /// Shares the dataset.
  TransformedImages(Shared<const Dataset> dataset, ImageTransforms transforms);

  std::int64_t size() const override;
  Batch get(std::int64_t index) const override;

 private:
  Shared<const Dataset> dataset_;
  ImageTransforms transforms_;
};

}  // namespace xtape::data
