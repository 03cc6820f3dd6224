// SPDX-License-Identifier: BSD-3-Clause
#include "resampling.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "../error.hpp"
#include "../kernels/adaptive_pooling.hpp"
#include "arithmetic.hpp"
#include "cubic.hpp"
#include "shape.hpp"
#include "taps.hpp"

namespace xtape {
namespace {

using detail::TapTable;
using Mode = InterpolateMode;

// One direction: `size` elements become `count`; `step` elements lie between two outputs.
struct Direction {
  std::int64_t size, count;
  double step;
  bool align_corners;

  double place(std::int64_t i) const noexcept {
    const auto at = static_cast<double>(i);
    return align_corners ? at * step : (at + 0.5) * step - 0.5;
  }
  std::int64_t clamped(std::int64_t i) const noexcept {
    return std::clamp<std::int64_t>(i, 0, size - 1);
  }
};

// In single precision, as PyTorch: an output between two elements must choose the same one.
void nearest(TapTable& taps, const Direction& d, std::int64_t i, bool exact) {
  const auto step = static_cast<float>(d.step);
  const float at = static_cast<float>(i) + (exact ? 0.5f : 0.0f);
  taps.add(std::min(static_cast<std::int64_t>(std::floor(at * step)), d.size - 1), 1);
}

void linear(TapTable& taps, const Direction& d, std::int64_t i) {
  const double at = std::max(d.place(i), 0.0);
  const std::int64_t low = d.clamped(static_cast<std::int64_t>(at));
  const double weight = at - static_cast<double>(low);
  if (low == d.size - 1 || weight == 0) return taps.add(low, 1);
  taps.add(low, 1 - weight);
  taps.add(low + 1, weight);
}

void cubic(TapTable& taps, const Direction& d, std::int64_t i) {
  const double at = d.place(i), low = std::floor(at);
  const auto first = static_cast<std::int64_t>(low) - 1;
  const auto weights = detail::cubic_weights(at - low);
  for (std::size_t k = 0; k < 4; ++k) {
    taps.add(d.clamped(first + static_cast<std::int64_t>(k)), weights[k]);
  }
}

// The linear or cubic as wide as the step, so that what lies between two outputs has its share;
// what reaches over the edge is left out, and the rest divided by its sum.
void widened(TapTable& taps, const Direction& d, std::int64_t i, bool is_cubic) {
  const auto share = [is_cubic](double distance) {
    if (!is_cubic) return std::max(0.0, 1 - distance);
    return distance < 1   ? detail::cubic_near(distance, -0.5)
           : distance < 2 ? detail::cubic_far(distance, -0.5)
                          : 0;
  };
  const double width = std::max(d.step, 1.0), reach = (is_cubic ? 2 : 1) * width;
  const double middle = (static_cast<double>(i) + 0.5) * d.step;
  const auto first = static_cast<std::int64_t>(std::max(middle - reach + 0.5, 0.0));
  const auto end = std::min(static_cast<std::int64_t>(middle + reach + 0.5), d.size);
  const auto at = [&](std::int64_t k) {
    return share(std::abs(static_cast<double>(k) + 0.5 - middle) / width);
  };
  double sum = 0;
  for (std::int64_t k = first; k < end; ++k) sum += at(k);
  for (std::int64_t k = first; k < end; ++k) {
    if (const double weight = at(k); weight != 0) taps.add(k, weight / sum);
  }
}

void even(TapTable& taps, const Direction& d, std::int64_t i) {
  const kernels::EvenWindow window(i, d.count, d.size);
  const double weight = 1 / static_cast<double>(window.end - window.begin);
  for (std::int64_t k = window.begin; k < window.end; ++k) taps.add(k, weight);
}

Tensor along(const Tensor& x, int dim, const Direction& d, Mode mode, bool antialias) {
  const bool keeps = d.size == d.count && (mode == Mode::area || d.step == 1 || d.count == 1);
  if (keeps) return x;
  TapTable taps;
  for (std::int64_t i = 0; i < d.count; ++i) {
    if (antialias) {
      widened(taps, d, i, mode == Mode::bicubic);
    } else if (mode == Mode::nearest || mode == Mode::nearest_exact) {
      nearest(taps, d, i, mode == Mode::nearest_exact);
    } else if (mode == Mode::area) {
      even(taps, d, i);
    } else if (mode == Mode::bicubic) {
      cubic(taps, d, i);
    } else {
      linear(taps, d, i);
    }
    taps.end_row();
  }
  return taps.apply(x, dim);
}

void check_input(const Tensor& x, Mode mode) {
  detail::check_defined("interpolate", x);
  if (!is_floating(x.dtype())) {
    throw DTypeError("interpolate: expected a floating tensor, got " + x.description());
  }
  const int rank = mode == Mode::linear                              ? 3
                   : mode == Mode::bilinear || mode == Mode::bicubic ? 4
                   : mode == Mode::trilinear                         ? 5
                                                                     : 0;
  const char* expected = rank == 3   ? "[N, C, L]"
                         : rank == 4 ? "[N, C, H, W]"
                         : rank == 5 ? "[N, C, D, H, W]"
                                     : "[N, C, L], [N, C, H, W] or [N, C, D, H, W]";
  if (rank == 0 ? x.dim() < 3 || x.dim() > 5 : x.dim() != rank) {
    throw ShapeError(std::string("interpolate: expected input ") + expected +
                     " for this mode, got shape " + to_string(x.sizes()));
  }
  for (int i = 2; i < x.dim(); ++i) {
    if (x.size(i) < 1) {
      throw ShapeError("interpolate: nothing to take from shape " + to_string(x.sizes()));
    }
  }
}

bool may_align(Mode mode) {
  return mode != Mode::nearest && mode != Mode::nearest_exact && mode != Mode::area;
}

void check_options(int directions, const InterpolateOptions& o) {
  const int sizes = o.size.rank(), factors = o.scale_factor.count;
  if ((sizes == 0) == (factors == 0)) {
    throw ValueError("interpolate: expected either a size or a scale factor");
  }
  const int given = std::max(sizes, factors);
  if (given != 1 && given != directions) {
    throw ValueError("interpolate: expected one number or " + std::to_string(directions) +
                     ", got " + std::to_string(given));
  }
  if (o.align_corners && !may_align(o.mode)) {
    throw ValueError("interpolate: corners are aligned in linear and cubic modes only");
  }
  if (o.antialias && o.mode != Mode::bilinear && o.mode != Mode::bicubic) {
    throw ValueError("interpolate: antialias is of the modes bilinear and bicubic only");
  }
}

Direction direction(const Tensor& x, int i, const InterpolateOptions& o) {
  const std::int64_t size = x.size(2 + i);
  const bool by_factor = o.scale_factor.count > 0;
  const double factor = o.scale_factor.factors[o.scale_factor.count == 1 ? 0 : i];
  const double wanted = by_factor ? std::floor(static_cast<double>(size) * factor)
                                  : static_cast<double>(o.size[o.size.rank() == 1 ? 0 : i]);
  if (!(wanted >= 1) || wanted > 1e15) {
    throw ValueError("interpolate: the output of shape " + to_string(x.sizes()) +
                     " would have no elements, or too many");
  }
  const auto count = static_cast<std::int64_t>(wanted);
  if (o.align_corners) {
    const double gaps = static_cast<double>(count - 1);
    return {size, count, count > 1 ? static_cast<double>(size - 1) / gaps : 0, true};
  }
  const bool inverse = by_factor && !o.recompute_scale_factor;
  return {size, count,
          inverse ? 1 / factor : static_cast<double>(size) / static_cast<double>(count), false};
}

std::int64_t checked_factor(const char* operation, const Tensor& x, std::int64_t factor) {
  detail::check_defined(operation, x);
  if (factor < 1 || factor > 1 << 15) {
    throw ValueError(std::string(operation) + ": the factor is at least 1, got " +
                     std::to_string(factor));
  }
  if (x.dim() < 3) {
    throw ShapeError(std::string(operation) + ": expected input [..., C, H, W], got shape " +
                     to_string(x.sizes()));
  }
  return factor;
}

Shape with_last(const Tensor& x, std::initializer_list<std::int64_t> last) {
  Shape shape(x.sizes().first(static_cast<std::size_t>(x.dim() - 3)));
  for (const std::int64_t n : last) shape.push_back(n);
  return shape;
}

}  // namespace

Tensor interpolate(const Tensor& x, const InterpolateOptions& o) {
  check_input(x, o.mode);
  const int directions = x.dim() - 2;
  check_options(directions, o);
  for (int i = 0; i < directions; ++i) direction(x, i, o);  // all are checked before the first
  // The last one, whose numbers are summed one by one, before the picture grows.
  Tensor y = x;
  for (int i = directions - 1; i >= 0; --i) {
    y = along(y, 2 + i, direction(x, i, o), o.mode, o.antialias);
  }
  return y;
}

Tensor pixel_shuffle(const Tensor& x, std::int64_t upscale_factor) {
  const std::int64_t r = checked_factor("pixel_shuffle", x, upscale_factor);
  const std::int64_t channels = x.size(-3), height = x.size(-2), width = x.size(-1);
  if (channels % (r * r) != 0) {
    throw ShapeError("pixel_shuffle: " + std::to_string(channels) +
                     " channels do not divide into squares of " + std::to_string(r * r));
  }
  const std::int64_t c = channels / (r * r);
  const Tensor parts = x.reshape(with_last(x, {c, r, r, height, width}));
  // [..., c, i, j, h, w] to [..., c, h, i, w, j]
  const Tensor squares = movedim(parts, {-4, -3}, {-3, -1});
  return squares.reshape(with_last(x, {c, height * r, width * r}));
}

Tensor pixel_unshuffle(const Tensor& x, std::int64_t downscale_factor) {
  const std::int64_t r = checked_factor("pixel_unshuffle", x, downscale_factor);
  const std::int64_t c = x.size(-3), height = x.size(-2), width = x.size(-1);
  if (height % r != 0 || width % r != 0) {
    throw ShapeError("pixel_unshuffle: squares of " + std::to_string(r) +
                     " do not fill the shape " + to_string(x.sizes()));
  }
  const Tensor squares = x.reshape(with_last(x, {c, height / r, r, width / r, r}));
  const Tensor parts = movedim(squares, {-3, -1}, {-4, -3});
  return parts.reshape(with_last(x, {c * r * r, height / r, width / r}));
}

}  // namespace xtape
