// SPDX-License-Identifier: BSD-3-Clause
#include "position.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "../autograd/error.hpp"
#include "../autograd/ops/arithmetic.hpp"
#include "../autograd/ops/creation.hpp"
#include "../autograd/ops/indexing.hpp"
#include "../autograd/ops/joining.hpp"
#include "../autograd/ops/shape.hpp"

namespace xtape::nn {
namespace {

double angle(std::int64_t position, std::int64_t pair, std::int64_t dim, double base) {
  const double share = 2 * static_cast<double>(pair) / static_cast<double>(dim);
  return static_cast<double>(position) / std::pow(base, share);
}

// f(angle) for [length, dim / 2]
template <class F>
Tensor of_angles(std::int64_t length, std::int64_t dim, const RotaryOptions& o, DType dtype, F f) {
  std::vector<double> values;
  for (std::int64_t t = 0; t < length; ++t) {
    for (std::int64_t i = 0; i < dim / 2; ++i) {
      values.push_back(f(angle(t + o.offset, i, dim, o.base)));
    }
  }
  return from_values<double>(values, {length, dim / 2}).to(dtype);
}

}  // namespace

Tensor sinusoidal_position(std::int64_t length, std::int64_t dim, double base, DType dtype) {
  if (length < 1 || dim < 1) {
    throw ValueError("sinusoidal_position: expected at least 1 position and column, got " +
                     std::to_string(length) + " and " + std::to_string(dim));
  }
  std::vector<double> values;
  for (std::int64_t t = 0; t < length; ++t) {
    for (std::int64_t j = 0; j < dim; ++j) {
      const double a = angle(t, j / 2, dim, base);
      values.push_back(j % 2 == 0 ? std::sin(a) : std::cos(a));
    }
  }
  return from_values<double>(values, {length, dim}).to(dtype);
}

XTAPE_DEFINE_PARTS(SinusoidalPosition)

SinusoidalPosition::SinusoidalPosition(const SinusoidalPositionOptions& options)
    : options_(options) {}

Tensor SinusoidalPosition::forward(const Tensor& x) {
  if (!x.defined() || (x.dim() != 2 && x.dim() != 3)) {
    throw ShapeError("expected input of 2 or 3 dimensions, got " +
                     (x.defined() ? to_string(x.sizes()) : "undefined"));
  }
  const bool second = x.dim() == 3 && options_.batch_first;
  const Tensor p =
      sinusoidal_position(x.sizes()[second ? 1 : 0], x.sizes().back(), options_.base, x.dtype());
  return x + (x.dim() == 3 && !second ? unsqueeze(p, 1) : p);
}

Tensor rotary_position(const Tensor& x, const RotaryOptions& options) {
  if (!x.defined() || x.dim() < 2 || x.sizes().back() % 2 != 0) {
    throw ShapeError("rotary_position: expected [..., length, dim] with an even dim, got " +
                     (x.defined() ? to_string(x.sizes()) : "undefined"));
  }
  const std::int64_t length = x.sizes()[x.dim() - 2], dim = x.sizes().back();
  const Tensor c = of_angles(length, dim, options, x.dtype(), [](double a) { return std::cos(a); });
  const Tensor s = of_angles(length, dim, options, x.dtype(), [](double a) { return std::sin(a); });
  const Tensor pairs = options.interleaved ? unflatten(x, -1, {dim / 2, 2})
                                           : transpose(unflatten(x, -1, {2, dim / 2}), -2, -1);
  const Tensor a = select(pairs, -1, 0), b = select(pairs, -1, 1);
  const Tensor p = a * c - b * s, q = a * s + b * c;
  return options.interleaved ? flatten(stack({p, q}, -1), -2) : cat({p, q}, -1);
}

}  // namespace xtape::nn
