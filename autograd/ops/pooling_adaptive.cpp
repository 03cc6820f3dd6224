// SPDX-License-Identifier: BSD-3-Clause
// Pooling over a given number of windows.
#include <string>

#include "../error.hpp"
#include "../kernels/adaptive_pooling.hpp"
#include "../tape.hpp"
#include "indexing.hpp"
#include "pictures.hpp"
#include "pooling.hpp"
#include "shape.hpp"
#include "taps.hpp"

namespace xtape {
namespace {

using detail::Pictures;
using kernels::EvenWindow;

// The size asked for, -1 being that of the input.
Size2 output_size(const Pictures& p, Size2 wanted) {
  const std::int64_t height = p.x.size(2), width = p.x.size(3);
  const Size2 size{wanted.height == -1 ? height : wanted.height,
                   wanted.width == -1 ? width : wanted.width};
  if (size.height < 1 || size.width < 1) {
    throw ValueError(std::string(p.operation) + ": output sizes are at least 1, or -1");
  }
  if (height < 1 || width < 1) {
    throw ShapeError(std::string(p.operation) + ": nothing to pool in input of shape " +
                     to_string(p.given));
  }
  return size;
}

Tensor even_means(const Tensor& x, int dim, std::int64_t count) {
  const std::int64_t size = x.size(dim);
  if (count == size) return x;
  detail::TapTable means;
  for (std::int64_t i = 0; i < count; ++i) {
    const EvenWindow window(i, count, size);
    const double weight = 1 / static_cast<double>(window.end - window.begin);
    for (std::int64_t k = window.begin; k < window.end; ++k) means.add(k, weight);
    means.end_row();
  }
  return means.apply(x, dim);
}

// Windows of one size go by the kernel that keeps the order in memory, one window by a mean.
Tensor average(const Pictures& p, Size2 wanted) {
  const Size2 out = output_size(p, wanted);
  const std::int64_t height = p.x.size(2), width = p.x.size(3);
  if (out.height == 1 && out.width == 1) return p.as_given(mean(p.x, {2, 3}, true));
  if (height % out.height == 0 && width % out.width == 0) {
    return p.as_given(avg_pool2d(p.x, {height / out.height, width / out.width}));
  }
  return p.as_given(even_means(even_means(p.x, 2, out.height), 3, out.width));
}

ValuesAndIndices maximum(const Pictures& p, Size2 wanted) {
  const Size2 out = output_size(p, wanted);
  const Tensor x = p.x.contiguous();
  const Tensor indices = detail::empty(int64, Shape{x.size(0), x.size(1), out.height, out.width});
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::even_maxima(x.size(0) * x.size(1), x.size(2), x.size(3), out.height, out.width,
                         x.data<T>(), detail::fresh_data<std::int64_t>(indices));
  });
  const Tensor y = gather(flatten(x, 2, 3), 2, flatten(indices, 2, 3));
  return {p.as_given(y.reshape(indices.shape())), p.as_given(indices)};
}

}  // namespace

Tensor adaptive_avg_pool1d(const Tensor& x, std::int64_t size) {
  return average(Pictures("adaptive_avg_pool1d", x, 1), {1, size});
}

Tensor adaptive_avg_pool2d(const Tensor& x, Size2 size) {
  return average(Pictures("adaptive_avg_pool2d", x, 2), size);
}

ValuesAndIndices adaptive_max_pool1d_with_indices(const Tensor& x, std::int64_t size) {
  return maximum(Pictures("adaptive_max_pool1d", x, 1), {1, size});
}

ValuesAndIndices adaptive_max_pool2d_with_indices(const Tensor& x, Size2 size) {
  return maximum(Pictures("adaptive_max_pool2d", x, 2), size);
}

Tensor adaptive_max_pool1d(const Tensor& x, std::int64_t size) {
  return adaptive_max_pool1d_with_indices(x, size).values;
}

Tensor adaptive_max_pool2d(const Tensor& x, Size2 size) {
  return adaptive_max_pool2d_with_indices(x, size).values;
}

}  // namespace xtape
