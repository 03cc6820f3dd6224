// SPDX-License-Identifier: BSD-3-Clause
// What max pooling left, put back where it was.
#include <string>

#include "../error.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "pictures.hpp"
#include "pooling.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

using detail::Pictures;

// Of one direction: `wanted`, or as far as the windows reach.
std::int64_t unpooled_size(const char* operation, std::int64_t in, std::int64_t kernel,
                           std::int64_t stride, std::int64_t padding, std::int64_t wanted) {
  if (kernel < 1 || stride < 0 || padding < 0 || wanted < 0) {
    throw ValueError(std::string(operation) +
                     ": expected a kernel of at least 1 and nothing negative");
  }
  if (wanted > 0) return wanted;
  return (in - 1) * (stride == 0 ? kernel : stride) - 2 * padding + kernel;
}

Tensor unpooled(const Pictures& p, const Tensor& indices, Size2 size) {
  detail::check_defined(p.operation, indices);
  if (indices.shape() != p.given) {
    throw ShapeError(std::string(p.operation) + ": expected indices of shape " +
                     to_string(p.given) + ", got " + indices.description());
  }
  if (size.height < 1 || size.width < 1) {
    throw ShapeError(std::string(p.operation) + ": nothing is left of input of shape " +
                     to_string(p.given));
  }
  const std::int64_t n = p.x.size(0), c = p.x.size(1);
  const Tensor places = zeros({n, c, size.height * size.width}, p.x.dtype());
  const Tensor y = scatter(places, 2, indices.reshape({n, c, p.x.size(2) * p.x.size(3)}),
                           reshape(p.x, {n, c, p.x.size(2) * p.x.size(3)}));
  return p.as_given(reshape(y, {n, c, size.height, size.width}));
}

}  // namespace

Tensor max_unpool1d(const Tensor& x, const Tensor& indices, std::int64_t kernel_size,
                    const MaxUnpool1dOptions& o) {
  const Pictures p("max_unpool1d", x, 1);
  return unpooled(p, indices,
                  {1, unpooled_size(p.operation, p.x.size(3), kernel_size, o.stride, o.padding,
                                    o.output_size)});
}

Tensor max_unpool2d(const Tensor& x, const Tensor& indices, Size2 kernel_size,
                    const MaxUnpool2dOptions& o) {
  const Pictures p("max_unpool2d", x, 2);
  return unpooled(p, indices,
                  {unpooled_size(p.operation, p.x.size(2), kernel_size.height, o.stride.height,
                                 o.padding.height, o.output_size.height),
                   unpooled_size(p.operation, p.x.size(3), kernel_size.width, o.stride.width,
                                 o.padding.width, o.output_size.width)});
}

}  // namespace xtape
