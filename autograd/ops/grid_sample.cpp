// SPDX-License-Identifier: BSD-3-Clause
#include "grid_sample.hpp"

#include <array>
#include <cstddef>
#include <string>

#include "../autocast.hpp"
#include "../error.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "cubic.hpp"
#include "indexing.hpp"
#include "joining.hpp"
#include "logic.hpp"
#include "math.hpp"
#include "matmul.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

// Places beyond [0, size - 1] are stopped there, and get no gradient.
Tensor stopped(const Tensor& place, std::int64_t size) {
  const double last = static_cast<double>(size - 1);
  return where((place > 0) & (place < last), place, clamp(place.detach(), 0, last));
}

// Mirrored, again and again, at `low` and `high`.
Tensor mirrored(const Tensor& place, double low, double high) {
  const double span = high - low;
  if (span <= 0) return zeros_like(place);
  const Tensor distance = abs(place - low), rest = fmod(distance, span);
  const Tensor flips = floor(distance.detach() / span);
  return where(fmod(flips, 2) == 0, rest + low, (span + low) - rest);
}

// From [-1, 1] to elements, counted from 0.
Tensor to_places(const Tensor& grid, std::int64_t size, const GridSampleOptions& o) {
  const double n = static_cast<double>(size);
  return o.align_corners ? (grid + 1) * ((n - 1) / 2) : ((grid + 1) * n - 1) / 2;
}

// Where a place outside is taken from; with zeros around, it stays.
Tensor padded(const Tensor& place, std::int64_t size, const GridSampleOptions& o) {
  const double n = static_cast<double>(size);
  if (o.padding_mode == GridPadding::zeros) return place;
  if (o.padding_mode == GridPadding::border) return stopped(place, size);
  return stopped(o.align_corners ? mirrored(place, 0, n - 1) : mirrored(place, -0.5, n - 0.5),
                 size);
}

// Whole places as positions in a picture with a ring of zeros around it: all outside is on the
// ring.
Tensor to_positions(const Tensor& whole, std::int64_t size) {
  const double last = static_cast<double>(size);
  return clamp(nan_to_num(whole.detach(), -1, last, -1), -1, last).to(int64) + 1;
}

void check(const Tensor& x, const Tensor& grid) {
  detail::check_defined("grid_sample", x);
  detail::check_defined("grid_sample", grid);
  if (!is_floating(x.dtype()) || x.dtype() != grid.dtype()) {
    throw DTypeError(std::string("grid_sample: expected one floating dtype, got input ") +
                     name(x.dtype()) + ", grid " + name(grid.dtype()));
  }
  if (x.dim() != 4 || grid.dim() != 4 || grid.size(3) != 2 || grid.size(0) != x.size(0)) {
    throw ShapeError("grid_sample: expected input [N, C, H, W] and grid [N, OH, OW, 2], got " +
                     to_string(x.sizes()) + " and " + to_string(grid.sizes()));
  }
  if (x.size(2) < 1 || x.size(3) < 1) {
    throw ShapeError("grid_sample: nothing to take from shape " + to_string(x.sizes()));
  }
}

// Pictures with a ring of zeros around them, and places in them.
struct Sampler {
  const GridSampleOptions& o;
  std::int64_t height, width;
  Tensor pictures;      // [N, C, (H + 2) (W + 2)]
  Tensor across, down;  // [N, P]

  Sampler(const Tensor& x, const Tensor& places, const GridSampleOptions& options)
      : o(options),
        height(x.size(2)),
        width(x.size(3)),
        pictures(flatten(pad(x, {1, 1, 1, 1}), 2, 3)),
        across(to_places(select(places, 2, 0), width, o)),
        down(to_places(select(places, 2, 1), height, o)) {}

  // The elements at positions [N, P]: [N, C, P].
  Tensor elements(const Tensor& rows, const Tensor& columns) const {
    const Tensor at = unsqueeze(rows * (width + 2) + columns, 1);
    return gather(pictures, 2, expand(at, {at.size(0), pictures.size(1), at.size(2)}));
  }

  Tensor nearest() const {
    const Tensor x = round(padded(across, width, o)), y = round(padded(down, height, o));
    return elements(to_positions(y, height), to_positions(x, width));
  }

  Tensor bilinear() const {
    const Tensor x = padded(across, width, o), y = padded(down, height, o);
    const Tensor left = floor(x.detach()), top = floor(y.detach());
    const Tensor x1 = x - left, y1 = y - top, x0 = 1 - x1, y0 = 1 - y1;
    const Tensor column0 = to_positions(left, width), column1 = to_positions(left + 1, width);
    const Tensor row0 = to_positions(top, height), row1 = to_positions(top + 1, height);
    const auto corner = [&](const Tensor& rows, const Tensor& columns, const Tensor& weight) {
      return elements(rows, columns) * unsqueeze(weight, 1);
    };
    return corner(row0, column0, y0 * x0) + corner(row0, column1, y0 * x1) +
           corner(row1, column0, y1 * x0) + corner(row1, column1, y1 * x1);
  }

  // The padding is for each of the 16 elements here, not for the place among them.
  Tensor bicubic() const {
    const Tensor left = floor(across.detach()), top = floor(down.detach());
    const auto columns = four_around(left, width), rows = four_around(top, height);
    const auto x = detail::cubic_weights(across - left), y = detail::cubic_weights(down - top);
    Tensor sum;
    for (std::size_t i = 0; i < 4; ++i) {
      Tensor line = elements(rows[i], columns[0]) * unsqueeze(x[0], 1);
      for (std::size_t j = 1; j < 4; ++j) {
        line = line + elements(rows[i], columns[j]) * unsqueeze(x[j], 1);
      }
      line = line * unsqueeze(y[i], 1);
      sum = i == 0 ? line : sum + line;
    }
    return sum;
  }

  std::array<Tensor, 4> four_around(const Tensor& second, std::int64_t size) const {
    const auto at = [&](int k) { return to_positions(padded(second + k, size, o), size); };
    return {at(-1), at(0), at(1), at(2)};
  }
};

// Middles of `count` elements on [-1, 1].
Tensor middles(std::int64_t count, bool align_corners, DType dtype) {
  if (count == 1) return zeros({1}, dtype);
  const double end = align_corners ? 1 : 1 - 1 / static_cast<double>(count);
  return linspace(-end, end, count, dtype);
}

}  // namespace

Tensor grid_sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& o) {
  check(x, grid);
  const Sampler sampler(x, flatten(grid, 1, 2), o);
  const Tensor y = o.mode == GridSampleMode::nearest    ? sampler.nearest()
                   : o.mode == GridSampleMode::bilinear ? sampler.bilinear()
                                                        : sampler.bicubic();
  return y.reshape({x.size(0), x.size(1), grid.size(1), grid.size(2)});
}

Tensor affine_grid(const Tensor& theta, const Shape& size, bool align_corners) {
  detail::check_defined("affine_grid", theta);
  if (!is_floating(theta.dtype())) {
    throw DTypeError("affine_grid: expected a floating tensor, got " + theta.description());
  }
  if (size.rank() != 4 || size[2] < 1 || size[3] < 1 || theta.shape() != Shape{size[0], 2, 3}) {
    throw ShapeError("affine_grid: expected theta [N, 2, 3] and size [N, C, H, W], got " +
                     to_string(theta.sizes()) + " and " + to_string(size));
  }
  const std::int64_t height = size[2], width = size[3];
  const Tensor across = middles(width, align_corners, theta.dtype());
  const Tensor down = middles(height, align_corners, theta.dtype());
  const Tensor places =
      stack({expand(across, {height, width}), expand(unsqueeze(down, 1), {height, width}),
             ones({height, width}, theta.dtype())},
            2);
  const Autocast off(false);  // places in a picture need more digits
  const Tensor grid = matmul(places.reshape({1, height * width, 3}), transpose(theta, 1, 2));
  return grid.reshape({size[0], height, width, 2});
}

}  // namespace xtape
