// SPDX-License-Identifier: BSD-3-Clause
#include "image_grid.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/ops/creation.hpp"
#include "png_writer.hpp"

namespace xtape::data {
namespace {

constexpr std::int64_t kMostPixels = 65535;  // a side

void check(const Tensor& images, const ImageGridOptions& o) {
  const std::string shape = images.defined() ? to_string(images.sizes()) : "undefined";
  if (!images.defined() || images.dim() < 2 || images.dim() > 4 || images.numel() == 0) {
    throw ShapeError("make_grid: expected pictures [n, channels, height, width], got " + shape);
  }
  const std::int64_t channels = images.dim() == 2 ? 1 : images.size(-3);
  if (channels != 1 && channels != 3) {
    throw ShapeError("make_grid: pictures have 1 or 3 channels, got " + shape);
  }
  if (!is_floating(images.dtype()) && images.dtype() != uint8) {
    throw DTypeError(std::string("make_grid: expected float32, float64 or uint8, got ") +
                     name(images.dtype()));
  }
  if (o.columns < 1 || o.padding < 0 || o.scale < 1 || !(o.pad_value >= 0 && o.pad_value <= 1)) {
    throw ValueError(
        "make_grid: columns and scale are at least 1, padding at least 0, pad_value from 0 to 1");
  }
}

// Pixels along one side of the grid.
std::int64_t side(std::int64_t pictures, std::int64_t pixels, const ImageGridOptions& o) {
  if (o.padding <= kMostPixels && o.scale <= kMostPixels && pixels <= kMostPixels &&
      pictures <= kMostPixels) {
    const std::int64_t all = pictures * (pixels * o.scale + o.padding) + o.padding;
    if (all <= kMostPixels) return all;
  }
  throw ValueError("make_grid: the result would be above " + std::to_string(kMostPixels) +
                   " pixels wide or high");
}

// One picture as bytes.
std::vector<std::uint8_t> as_bytes(const double* x, std::size_t count, bool are_bytes,
                                   bool normalize) {
  double low = 0, high = are_bytes ? 255 : 1;
  if (std::any_of(x, x + count, [](double v) { return std::isnan(v); })) {
    throw ValueError("make_grid: NaN");
  }
  if (normalize) {
    const auto [least, greatest] = std::minmax_element(x, x + count);
    low = *least;
    high = *greatest;
    if (!std::isfinite(high - low)) throw ValueError("make_grid: Inf cannot be normalized");
  }
  std::vector<std::uint8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double share = high > low ? std::clamp((x[i] - low) / (high - low), 0.0, 1.0) : 0;
    bytes[i] = static_cast<std::uint8_t>(std::lround(255 * share));
  }
  return bytes;
}

}  // namespace

Tensor make_grid(const Tensor& images, const ImageGridOptions& options) {
  check(images, options);
  const std::int64_t height = images.size(-2), width = images.size(-1);
  const std::int64_t channels = images.dim() == 2 ? 1 : images.size(-3);
  const std::int64_t count = images.dim() == 4 ? images.size(0) : 1;
  const std::int64_t columns = std::min(count, options.columns);
  const std::int64_t rows = (count + columns - 1) / columns;
  const std::int64_t grid_width = side(columns, width, options);
  const std::int64_t grid_height = side(rows, height, options);
  Tensor grid =
      full({channels, grid_height, grid_width}, std::round(255 * options.pad_value), uint8);
  auto* const to = xtape::detail::fresh_data<std::uint8_t>(grid);

  const Tensor dense = images.detach().to(float64).contiguous();
  const auto size = static_cast<std::size_t>(channels * height * width);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::vector<std::uint8_t> picture =
        as_bytes(dense.data<double>() + i * channels * height * width, size,
                 images.dtype() == uint8, options.normalize);
    const std::int64_t scale = options.scale;
    const std::int64_t top = options.padding + i / columns * (height * scale + options.padding);
    const std::int64_t left = options.padding + i % columns * (width * scale + options.padding);
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t y = 0; y < height * scale; ++y) {
        const std::uint8_t* from = picture.data() + (c * height + y / scale) * width;
        std::uint8_t* row = to + (c * grid_height + top + y) * grid_width + left;
        for (std::int64_t x = 0; x < width * scale; ++x) row[x] = from[x / scale];
      }
    }
  }
  return grid;
}

void save_image(const std::string& path, const Tensor& images, const ImageGridOptions& options) {
  detail::write_png("save_image", path, make_grid(images, options));
}

}  // namespace xtape::data
