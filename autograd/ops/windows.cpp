// SPDX-License-Identifier: BSD-3-Clause
#include "windows.hpp"

#include <string>

#include "../error.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "creation.hpp"
#include "indexing.hpp"
#include "joining.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

// Windows along one dimension.
struct Sliding {
  std::int64_t size, step, dilation;

  /// How many fit into n elements.
  std::int64_t count(std::int64_t n) const noexcept {
    const std::int64_t reach = dilation * (size - 1) + 1;
    return n < reach ? 0 : (n - reach) / step + 1;
  }
};

// Windows [..., count at dim, ..., size] added up to [..., n at dim, ...].
Tensor sum_windows(const Tensor& g, int dim, std::int64_t n, const Sliding& w) {
  const std::int64_t count = g.sizes()[dim];
  Tensor places = detail::empty(int64, Shape{count * w.size});
  std::int64_t* place = detail::fresh_data<std::int64_t>(places);
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t k = 0; k < w.size; ++k) *place++ = i * w.step + k * w.dilation;
  }
  const Tensor elements = flatten(movedim(g, -1, dim + 1), dim, dim + 1);
  Shape whole = elements.shape();
  whole[dim] = n;
  return index_add(zeros(whole, g.dtype()), dim, places, elements);
}

Tensor windows(const Tensor& x, int dim, const Sliding& w) {
  Shape sizes(x.sizes()), strides(x.strides());
  const std::int64_t n = sizes[dim];
  sizes.push_back(w.size);
  strides.push_back(strides[dim] * w.dilation);
  sizes[dim] = w.count(n);
  strides[dim] *= w.step;
  Tensor y = detail::make_view(x, x.value()->data, sizes, strides);
  record("unfold", y, {x}, saves(),
         [dim, n, w](Backward& t) { t.add(0, sum_windows(t.g(), dim, n, w)); });
  return y;
}

// The two directions of a picture.
struct Plane {
  Sliding rows, columns;
  Size2 padding;
};

Plane plane(const char* operation, Size2 kernel, const UnfoldOptions& o) {
  const auto positive = [](Size2 s) { return s.height > 0 && s.width > 0; };
  if (!positive(kernel) || !positive(o.stride) || !positive(o.dilation) || o.padding.height < 0 ||
      o.padding.width < 0) {
    throw ValueError(std::string(operation) +
                     ": kernel_size, stride and dilation must be positive, padding not negative");
  }
  return {{kernel.height, o.stride.height, o.dilation.height},
          {kernel.width, o.stride.width, o.dilation.width},
          o.padding};
}

[[noreturn]] void no_window(const char* operation, std::span<const std::int64_t> sizes) {
  throw ShapeError(std::string(operation) + ": no window fits into shape " + to_string(sizes));
}

}  // namespace

namespace detail {

Tensor sliding_windows(const Tensor& x, int dim, std::int64_t size, std::int64_t step,
                       std::int64_t dilation) {
  return windows(x, dim, {size, step, dilation});
}

}  // namespace detail

Tensor unfold(const Tensor& x, std::int64_t dim, std::int64_t size, std::int64_t step) {
  detail::check_defined("unfold", x);
  const int d = detail::wrap_dim("unfold", dim, x.dim());
  const std::int64_t n = x.dim() == 0 ? 1 : x.sizes()[d];
  if (size < 1 || step < 1 || size > n) {
    throw ValueError("unfold: windows of " + std::to_string(size) + " with step " +
                     std::to_string(step) + " do not fit into dimension " + std::to_string(d) +
                     " of shape " + to_string(x.sizes()));
  }
  return windows(x.dim() == 0 ? x.reshape({1}) : x, d, {size, step, 1});
}

Tensor unfold(const Tensor& x, Size2 kernel_size, const UnfoldOptions& options) {
  detail::check_defined("unfold", x);
  if (x.dim() == 3) return squeeze(unfold(unsqueeze(x, 0), kernel_size, options), 0);
  if (x.dim() != 4) {
    throw ShapeError("unfold: expected [N, C, H, W] or [C, H, W], got " + to_string(x.sizes()));
  }
  const Plane p = plane("unfold", kernel_size, options);
  const Tensor whole =
      pad(x, {p.padding.width, p.padding.width, p.padding.height, p.padding.height});
  if (p.rows.count(whole.sizes()[2]) == 0 || p.columns.count(whole.sizes()[3]) == 0) {
    no_window("unfold", x.sizes());
  }
  const Tensor y = permute(windows(windows(whole, 2, p.rows), 3, p.columns), {0, 1, 4, 5, 2, 3});
  return y.reshape(
      {x.sizes()[0], x.sizes()[1] * p.rows.size * p.columns.size, y.sizes()[4] * y.sizes()[5]});
}

Tensor fold(const Tensor& x, Size2 output_size, Size2 kernel_size, const UnfoldOptions& options) {
  detail::check_defined("fold", x);
  if (x.dim() == 2) {
    return squeeze(fold(unsqueeze(x, 0), output_size, kernel_size, options), 0);
  }
  if (x.dim() != 3) {
    throw ShapeError("fold: expected [N, C KH KW, windows] or without N, got " +
                     to_string(x.sizes()));
  }
  const Plane p = plane("fold", kernel_size, options);
  const std::int64_t height = output_size.height + 2 * p.padding.height;
  const std::int64_t width = output_size.width + 2 * p.padding.width;
  const std::int64_t rows = p.rows.count(height), columns = p.columns.count(width);
  const std::int64_t area = p.rows.size * p.columns.size;
  if (rows * columns == 0) no_window("fold", Shape{output_size.height, output_size.width});
  if (x.sizes()[1] % area != 0 || x.sizes()[2] != rows * columns) {
    throw ShapeError("fold: " + std::to_string(rows * columns) + " windows of " +
                     std::to_string(area) + " elements for each channel do not fit the shape " +
                     to_string(x.sizes()));
  }
  const std::int64_t channels = x.sizes()[1] / area;
  const Tensor y =
      permute(x.reshape({x.sizes()[0], channels, p.rows.size, p.columns.size, rows, columns}),
              {0, 1, 4, 5, 2, 3});
  const Tensor whole = sum_windows(sum_windows(y, 3, width, p.columns), 2, height, p.rows);
  return narrow(narrow(whole, 2, p.padding.height, output_size.height), 3, p.padding.width,
                output_size.width);
}

}  // namespace xtape
