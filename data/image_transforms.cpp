// SPDX-License-Identifier: BSD-3-Clause
#include "image_transforms.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/grid_sample.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/joining.hpp"
#include "../autograd/ops/math.hpp"
#include "../autograd/ops/random.hpp"
#include "../autograd/ops/reductions.hpp"
#include "../autograd/ops/resampling.hpp"
#include "../autograd/ops/shape.hpp"
#include "../autograd/tape.hpp"

namespace xtape::data {
namespace {

// Uniform in [low, high).
double draw(double low, double high) {
  return low + (high - low) * rand({1}, float64).item<double>();
}

bool happens(double p) { return rand({1}, float64).item<double>() < p; }

std::int64_t draw_whole(std::int64_t below) { return randint(0, below, {1}).item<std::int64_t>(); }

void check_probability(const char* name, double p) {
  if (p >= 0 && p <= 1) return;
  throw ValueError(std::string(name) + ": expected a probability, got " + std::to_string(p));
}

void check_size(const char* name, std::int64_t height, std::int64_t width) {
  if (height >= 1 && width >= 1) return;
  throw ValueError(std::string(name) + ": expected a size of at least 1 x 1, got " +
                   std::to_string(height) + " x " + std::to_string(width));
}

void check_image(const char* name, const Tensor& image) {
  if (!image.defined() || image.dtype() != float32) {
    throw DTypeError(std::string(name) + ": expected a float32 image, got " + image.description());
  }
  if (image.dim() != 3 || image.numel() == 0) {
    throw ShapeError(std::string(name) + ": expected an image [channels, height, width], got " +
                     image.description());
  }
}

// height x width pixels from (top, left) on.
Tensor part_of(const char* name, const Tensor& image, std::int64_t height, std::int64_t width,
               bool anywhere) {
  const std::int64_t down = image.size(1) - height, across = image.size(2) - width;
  if (down < 0 || across < 0) {
    throw ShapeError(std::string(name) + ": no " + std::to_string(height) + " x " +
                     std::to_string(width) + " pixels in " + image.description());
  }
  const std::int64_t top = anywhere ? draw_whole(down + 1) : down / 2;
  const std::int64_t left = anywhere ? draw_whole(across + 1) : across / 2;
  return narrow(narrow(image, 1, top, height), 2, left, width);
}

// As the luma of ITU-R BT.601, of red, green and blue; [1, height, width].
Tensor grey(const Tensor& image) {
  if (image.size(0) != 3) return mean(image, {0}, true);
  const Tensor share = tensor({0.299, 0.587, 0.114}).reshape({3, 1, 1});
  return sum(image * share, {0}, true);
}

Tensor blend(const Tensor& image, const Tensor& other, double share) {
  return clamp(other + (image - other) * share, 0, 1);
}

// Turns the hue of one pixel: to hexcone coordinates (Smith, "Color gamut transform pairs",
// SIGGRAPH 1978) and back.
void turn_hue(float* red, float* green, float* blue, double turn) {
  const double r = *red, g = *green, b = *blue;
  const double value = std::max({r, g, b}), chroma = value - std::min({r, g, b});
  if (!(chroma > 0)) return;
  double sixth = value == r   ? (g - b) / chroma
                 : value == g ? (b - r) / chroma + 2
                              : (r - g) / chroma + 4;
  sixth += 6 * turn;
  const auto channel = [&](double offset) {
    const double k = std::fmod(offset + sixth + 12, 6);
    return static_cast<float>(value - chroma * std::clamp(std::min(k, 4 - k), 0.0, 1.0));
  };
  *red = channel(5);
  *green = channel(3);
  *blue = channel(1);
}

Tensor with_hue(const Tensor& image, double turn) {
  const Tensor result = image.contiguous().clone();
  const std::int64_t pixels = image.size(1) * image.size(2);
  auto* x = xtape::detail::fresh_data<float>(result);
  for (std::int64_t i = 0; i < pixels; ++i) {
    turn_hue(x + i, x + pixels + i, x + 2 * pixels + i, turn);
  }
  return result;
}

}  // namespace

ImageTransform::~ImageTransform() = default;

RandomHorizontalFlip::RandomHorizontalFlip(double p) : p_(p) {
  check_probability("RandomHorizontalFlip", p);
}

Tensor RandomHorizontalFlip::operator()(const Tensor& image) const {
  check_image("RandomHorizontalFlip", image);
  return happens(p_) ? flip(image, {2}) : image;
}

RandomVerticalFlip::RandomVerticalFlip(double p) : p_(p) {
  check_probability("RandomVerticalFlip", p);
}

Tensor RandomVerticalFlip::operator()(const Tensor& image) const {
  check_image("RandomVerticalFlip", image);
  return happens(p_) ? flip(image, {1}) : image;
}

RandomCrop::RandomCrop(std::int64_t height, std::int64_t width, const RandomCropOptions& options)
    : height_(height), width_(width), options_(options) {
  check_size("RandomCrop", height, width);
  if (options.padding < 0) {
    throw ValueError("RandomCrop: padding is at least 0, got " + std::to_string(options.padding));
  }
}

Tensor RandomCrop::operator()(const Tensor& image) const {
  check_image("RandomCrop", image);
  const std::int64_t p = options_.padding;
  const Tensor padded = p == 0 ? image : pad(image, {p, p, p, p}, options_.fill);
  return part_of("RandomCrop", padded, height_, width_, true);
}

CenterCrop::CenterCrop(std::int64_t height, std::int64_t width) : height_(height), width_(width) {
  check_size("CenterCrop", height, width);
}

Tensor CenterCrop::operator()(const Tensor& image) const {
  check_image("CenterCrop", image);
  return part_of("CenterCrop", image, height_, width_, false);
}

Resize::Resize(std::int64_t height, std::int64_t width) : height_(height), width_(width) {
  check_size("Resize", height, width);
}

Tensor Resize::operator()(const Tensor& image) const {
  check_image("Resize", image);
  return interpolate(image.unsqueeze(0),
                     {.size = {height_, width_}, .mode = InterpolateMode::bilinear})
      .squeeze(0);
}

RandomRotation::RandomRotation(double degrees, double fill) : degrees_(degrees), fill_(fill) {
  if (!(degrees >= 0 && degrees <= 180)) {
    throw ValueError("RandomRotation: expected 0 to 180 degrees, got " + std::to_string(degrees));
  }
}

Tensor RandomRotation::operator()(const Tensor& image) const {
  check_image("RandomRotation", image);
  const double angle = draw(-degrees_, degrees_) * std::numbers::pi / 180;
  const double c = std::cos(angle), s = std::sin(angle);
  const auto height = static_cast<double>(image.size(1));
  const auto width = static_cast<double>(image.size(2));
  // Coordinates of -1 to 1 on both axes, whatever the image's sides.
  const Tensor theta = tensor({{c, -s * height / width, 0}, {s * width / height, c, 0}});
  const Tensor grid = affine_grid(theta.unsqueeze(0), {1, 1, image.size(1), image.size(2)});
  return (grid_sample((image - fill_).unsqueeze(0), grid) + fill_).squeeze(0);
}

ColorJitter::ColorJitter(const ColorJitterOptions& options) : options_(options) {
  for (const double x : {options.brightness, options.contrast, options.saturation}) {
    if (!(x >= 0 && std::isfinite(x))) {
      throw ValueError("ColorJitter: expected options of at least 0, got " + std::to_string(x));
    }
  }
  if (!(options.hue >= 0 && options.hue <= 0.5)) {
    throw ValueError("ColorJitter: expected a hue of 0 to 0.5, got " + std::to_string(options.hue));
  }
}

Tensor ColorJitter::operator()(const Tensor& image) const {
  check_image("ColorJitter", image);
  const auto factor = [](double spread) { return draw(std::max(0.0, 1 - spread), 1 + spread); };
  const bool colour = image.size(0) == 3;
  Tensor result = image;
  const Tensor order = randperm(4);
  for (int i = 0; i < 4; ++i) {
    switch (order.data<std::int64_t>()[i]) {
      case 0:
        if (options_.brightness > 0) result = clamp(result * factor(options_.brightness), 0, 1);
        break;
      case 1:
        if (options_.contrast > 0) {
          result = blend(result, mean(grey(result)), factor(options_.contrast));
        }
        break;
      case 2:
        if (options_.saturation > 0 && colour) {
          result = blend(result, grey(result), factor(options_.saturation));
        }
        break;
      default:
        if (options_.hue > 0 && colour) {
          result = with_hue(result, draw(-options_.hue, options_.hue));
        }
    }
  }
  return result;
}

Normalize::Normalize(std::vector<double> mean, std::vector<double> std)
    : mean_(std::move(mean)), std_(std::move(std)) {
  if (mean_.empty() || mean_.size() != std_.size()) {
    throw ValueError("Normalize: expected as many means as deviations, got " +
                     std::to_string(mean_.size()) + " and " + std::to_string(std_.size()));
  }
  for (const double x : std_) {
    if (!(x > 0)) {
      throw ValueError("Normalize: expected positive deviations, got " + std::to_string(x));
    }
  }
}

Tensor Normalize::operator()(const Tensor& image) const {
  check_image("Normalize", image);
  const auto count = static_cast<std::int64_t>(mean_.size());
  if (count != 1 && count != image.size(0)) {
    throw ShapeError("Normalize: " + std::to_string(count) + " means for " + image.description());
  }
  const auto column = [&](const std::vector<double>& numbers) {
    return from_values(std::span<const double>(numbers), {count, 1, 1}).to(float32);
  };
  return (image - column(mean_)) / column(std_);
}

Tensor ImageTransforms::operator()(const Tensor& image) const {
  Tensor result = image;
  for (const auto& transform : list_) result = (*transform)(result);
  return result;
}

TransformedImages::TransformedImages(Shared<const Dataset> dataset, ImageTransforms transforms)
    : dataset_(std::move(dataset)), transforms_(std::move(transforms)) {
  if (!dataset_) throw ValueError("TransformedImages: there is no dataset");
}

std::int64_t TransformedImages::size() const { return dataset_->size(); }

Batch TransformedImages::get(std::int64_t index) const {
  const NoGrad no_grad;
  Batch sample = dataset_->get(index);
  if (sample.x.defined() && sample.x.dtype() == uint8) sample.x = sample.x.to(float32) / 255;
  check_image("TransformedImages", sample.x);
  sample.x = transforms_(sample.x);
  return sample;
}

}  // namespace xtape::data
