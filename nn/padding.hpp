// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "../autograd/export.hpp"
#include "../autograd/ops/joining.hpp"
#include "module.hpp"

// Padding of the last one, two or three dimensions of x [N, C, ...] or [C, ...], by one number on
// all sides or by {before, after} of the last dimension, then of the one before it, and so on.
namespace xtape::nn {
namespace detail {

/// What they have in common. Throws ShapeError where x has other dimensions or is too small,
/// ValueError where the numbers are not two for each dimension.
class XTAPE_API Padding : public Module {
 public:
  Shape padding;
  PadMode mode;
  double value;  ///< of PadMode::constant

  Tensor forward(const Tensor& x) override;

 protected:
  Padding(int dims, const Shape& padding, PadMode mode, double value = 0);
};

}  // namespace detail

#define XTAPE_PADDING(Class)                       \
  class XTAPE_API Class : public detail::Padding { \
   public:                                         \
    XTAPE_DECLARE_PARTS()                          \
    explicit Class(std::int64_t all_sides);        \
    explicit Class(const Shape& padding);          \
  };

/// Zeros.
XTAPE_PADDING(ZeroPad1d)
XTAPE_PADDING(ZeroPad2d)
XTAPE_PADDING(ZeroPad3d)
/// The mirror image of x, without its edge.
XTAPE_PADDING(ReflectionPad1d)
XTAPE_PADDING(ReflectionPad2d)
XTAPE_PADDING(ReflectionPad3d)
/// The edge of x, over and over.
XTAPE_PADDING(ReplicationPad1d)
XTAPE_PADDING(ReplicationPad2d)
XTAPE_PADDING(ReplicationPad3d)
/// x over again.
XTAPE_PADDING(CircularPad1d)
XTAPE_PADDING(CircularPad2d)
XTAPE_PADDING(CircularPad3d)
#undef XTAPE_PADDING

#define XTAPE_PADDING(Class)                       \
  class XTAPE_API Class : public detail::Padding { \
   public:                                         \
    XTAPE_DECLARE_PARTS()                          \
    Class(std::int64_t all_sides, double value);   \
    Class(const Shape& padding, double value);     \
  };

/// One number.
XTAPE_PADDING(ConstantPad1d)
XTAPE_PADDING(ConstantPad2d)
XTAPE_PADDING(ConstantPad3d)
#undef XTAPE_PADDING

}  // namespace xtape::nn
