// SPDX-License-Identifier: BSD-3-Clause
#include "padding.hpp"

#include <string>

#include "../autograd/error.hpp"

namespace xtape::nn {
namespace detail {

Padding::Padding(int dims, const Shape& p, PadMode m, double v) : padding(p), mode(m), value(v) {
  if (p.rank() != 2 * dims) {
    throw ValueError("padding: expected " + std::to_string(2 * dims) + " numbers, got " +
                     to_string(p));
  }
}

Tensor Padding::forward(const Tensor& x) {
  const int dims = padding.rank() / 2, rank = x.defined() ? x.dim() : 0;
  if (rank != dims + 1 && rank != dims + 2) {
    throw ShapeError("expected " + std::to_string(dims + 1) + " or " + std::to_string(dims + 2) +
                     " dimensions, got input of shape " +
                     (x.defined() ? to_string(x.sizes()) : "undefined"));
  }
  return mode == PadMode::constant ? pad(x, padding, value) : pad(x, padding, mode);
}

}  // namespace detail

#define XTAPE_PADDING(Class, dims, mode)                                  \
  XTAPE_DEFINE_PARTS(Class)                                               \
  Class::Class(std::int64_t all) : Class(Shape::filled(2 * dims, all)) {} \
  Class::Class(const Shape& padding) : Padding(dims, padding, PadMode::mode) {}

XTAPE_PADDING(ZeroPad1d, 1, constant)
XTAPE_PADDING(ZeroPad2d, 2, constant)
XTAPE_PADDING(ZeroPad3d, 3, constant)
XTAPE_PADDING(ReflectionPad1d, 1, reflect)
XTAPE_PADDING(ReflectionPad2d, 2, reflect)
XTAPE_PADDING(ReflectionPad3d, 3, reflect)
XTAPE_PADDING(ReplicationPad1d, 1, replicate)
XTAPE_PADDING(ReplicationPad2d, 2, replicate)
XTAPE_PADDING(ReplicationPad3d, 3, replicate)
XTAPE_PADDING(CircularPad1d, 1, circular)
XTAPE_PADDING(CircularPad2d, 2, circular)
XTAPE_PADDING(CircularPad3d, 3, circular)
#undef XTAPE_PADDING

#define XTAPE_PADDING(Class, dims)                                                     \
  XTAPE_DEFINE_PARTS(Class)                                                            \
  Class::Class(std::int64_t all, double v) : Class(Shape::filled(2 * dims, all), v) {} \
  Class::Class(const Shape& padding, double v) : Padding(dims, padding, PadMode::constant, v) {}

XTAPE_PADDING(ConstantPad1d, 1)
XTAPE_PADDING(ConstantPad2d, 2)
XTAPE_PADDING(ConstantPad3d, 3)
#undef XTAPE_PADDING

}  // namespace xtape::nn
