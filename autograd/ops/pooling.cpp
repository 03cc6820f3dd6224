// SPDX-License-Identifier: BSD-3-Clause
#include "pooling.hpp"

#include <string>

#include "../error.hpp"
#include "../kernels/pooling.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

using kernels::AverageDivisor;
using kernels::PoolingShape;
using kernels::Strides4;

Strides4 strides4(const Tensor& x) {
  const auto s = x.strides();
  return {s[0], s[1], s[2], s[3]};
}

// Channels-last in, channels-last out.
Tensor empty_pooled(const Tensor& like, const Shape& shape) {
  const bool last = like.strides()[1] == 1 && like.size(1) > 1 && detail::is_dense(like);
  return last ? detail::empty_channels_last(like.dtype(), shape)
              : detail::empty(like.dtype(), shape);
}

Shape input_shape(const PoolingShape& s) { return {s.batch, s.channels, s.in_height, s.in_width}; }
Shape output_shape(const PoolingShape& s) {
  return {s.batch, s.channels, s.out_height, s.out_width};
}

// Indices lie in memory as the pooled values do; a uint8 tensor holds their bytes.
template <class F>
void with_index_type(const PoolingShape& s, F f) {
  if (kernels::pooling_index_fits_byte(s)) {
    f(std::uint8_t{});
  } else {
    f(std::int32_t{});
  }
}

template <class Index>
Index* index_data(const Tensor& bytes) {
  return reinterpret_cast<Index*>(bytes.value()->data);
}

Tensor max_backward(const PoolingShape& s, Strides4 order, const Tensor& gy, const Tensor& indices);

Tensor max_gather(const PoolingShape& s, Strides4 order, const Tensor& x, const Tensor& indices) {
  Tensor y = empty_pooled(x, output_shape(s));
  with_index_type(s, [&]<class Index>(Index) {
    detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
      kernels::max_pool_gather(s, x.data<T>(), strides4(x), index_data<const Index>(indices), order,
                               detail::fresh_data<T>(y), strides4(y));
    });
  });
  record("max_pool2d_gather", y, {x}, saves(indices),
         [s, order](Backward& t) { t.add(0, max_backward(s, order, t.g(), t.saved(0))); });
  return y;
}

Tensor max_backward(const PoolingShape& s, Strides4 order, const Tensor& gy,
                    const Tensor& indices) {
  Tensor gx = empty_pooled(gy, input_shape(s));
  with_index_type(s, [&]<class Index>(Index) {
    detail::dispatch_floating(gy.dtype(), [&]<class T>(detail::Type<T>) {
      kernels::max_pool_backward(s, gy.data<T>(), strides4(gy), index_data<const Index>(indices),
                                 order, detail::fresh_data<T>(gx), strides4(gx));
    });
  });
  record("max_pool2d_backward", gx, {gy}, saves(indices),
         [s, order](Backward& t) { t.add(0, max_gather(s, order, t.g(), t.saved(0))); });
  return gx;
}

Tensor average_backward(const PoolingShape& s, AverageDivisor divisor, const Tensor& gy);

Tensor average(const PoolingShape& s, AverageDivisor divisor, const Tensor& x) {
  Tensor y = empty_pooled(x, output_shape(s));
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::average_pool_forward(s, divisor, x.data<T>(), strides4(x), detail::fresh_data<T>(y),
                                  strides4(y));
  });
  record("avg_pool2d", y, {x}, saves(),
         [s, divisor](Backward& t) { t.add(0, average_backward(s, divisor, t.g())); });
  return y;
}

Tensor average_backward(const PoolingShape& s, AverageDivisor divisor, const Tensor& gy) {
  Tensor gx = empty_pooled(gy, input_shape(s));
  detail::dispatch_floating(gy.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::average_pool_backward(s, divisor, gy.data<T>(), strides4(gy),
                                   detail::fresh_data<T>(gx), strides4(gx));
  });
  record("avg_pool2d_backward", gx, {gy}, saves(),
         [s, divisor](Backward& t) { t.add(0, average(s, divisor, t.g())); });
  return gx;
}

// PyTorch's rule: in ceil mode the last window still begins inside the input or its left padding.
std::int64_t output_size(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                         std::int64_t padding, std::int64_t dilation, bool ceil_mode) noexcept {
  const std::int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1;
  if (room < 0 && !ceil_mode) return 0;
  std::int64_t out = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
  if (ceil_mode && (out - 1) * stride >= in + padding) --out;
  return out;
}

struct Window {
  Size2 kernel, stride, padding, dilation;
  bool ceil_mode;
};

PoolingShape pooling_shape(const char* operation, const Tensor& x, const Window& w) {
  const std::string what(operation);
  if (w.kernel.height < 1 || w.kernel.width < 1 || w.stride.height < 1 || w.stride.width < 1 ||
      w.dilation.height < 1 || w.dilation.width < 1 || w.padding.height < 0 ||
      w.padding.width < 0) {
    throw ValueError(what +
                     ": kernel size, stride and dilation are at least 1, padding at least 0");
  }
  if (2 * w.padding.height > w.kernel.height || 2 * w.padding.width > w.kernel.width) {
    throw ValueError(what + ": padding is at most half of the kernel size");
  }
  if (x.dim() != 4) {
    throw ShapeError(what + ": expected input [N, C, H, W] or [C, H, W], got shape " +
                     to_string(x.sizes()));
  }
  PoolingShape s;
  s.batch = x.size(0);
  s.channels = x.size(1);
  s.in_height = x.size(2);
  s.in_width = x.size(3);
  s.kernel_height = w.kernel.height;
  s.kernel_width = w.kernel.width;
  s.stride_height = w.stride.height;
  s.stride_width = w.stride.width;
  s.pad_top = w.padding.height;
  s.pad_left = w.padding.width;
  s.dilation_height = w.dilation.height;
  s.dilation_width = w.dilation.width;
  s.out_height = output_size(s.in_height, s.kernel_height, s.stride_height, s.pad_top,
                             s.dilation_height, w.ceil_mode);
  s.out_width = output_size(s.in_width, s.kernel_width, s.stride_width, s.pad_left,
                            s.dilation_width, w.ceil_mode);
  if (s.out_height < 1 || s.out_width < 1) {
    throw ShapeError(what + ": the window [" + std::to_string(s.kernel_height) + ", " +
                     std::to_string(s.kernel_width) + "] does not fit the input of shape " +
                     to_string(x.sizes()));
  }
  return s;
}

void check_floating(const char* operation, const Tensor& x) {
  detail::check_defined(operation, x);
  if (!is_floating(x.dtype())) {
    throw DTypeError(std::string(operation) + ": expected a floating tensor, got " +
                     x.description());
  }
}

Size2 or_kernel(Size2 stride, Size2 kernel) {
  return stride.height == 0 && stride.width == 0 ? kernel : stride;
}

}  // namespace

Tensor max_pool2d(const Tensor& x, Size2 kernel, const MaxPool2dOptions& o) {
  check_floating("max_pool2d", x);
  if (x.dim() == 3) return squeeze(max_pool2d(unsqueeze(x, 0), kernel, o), 0);
  const PoolingShape s = pooling_shape(
      "max_pool2d", x, {kernel, or_kernel(o.stride, kernel), o.padding, o.dilation, o.ceil_mode});
  Tensor y = empty_pooled(x, output_shape(s));
  const Strides4 order = strides4(y);
  Tensor indices;
  with_index_type(s, [&]<class Index>(Index) {
    const auto bytes = y.numel() * static_cast<std::int64_t>(sizeof(Index));
    indices = detail::empty(uint8, Shape{bytes});
    detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
      kernels::max_pool_forward(s, x.data<T>(), strides4(x), detail::fresh_data<T>(y), order,
                                index_data<Index>(indices), order);
    });
  });
  record("max_pool2d", y, {x}, saves(indices),
         [s, order](Backward& t) { t.add(0, max_backward(s, order, t.g(), t.saved(0))); });
  return y;
}

Tensor avg_pool2d(const Tensor& x, Size2 kernel, const AvgPool2dOptions& o) {
  check_floating("avg_pool2d", x);
  if (o.divisor_override < 0) throw ValueError("avg_pool2d: the divisor is positive");
  if (x.dim() == 3) return squeeze(avg_pool2d(unsqueeze(x, 0), kernel, o), 0);
  const PoolingShape s = pooling_shape(
      "avg_pool2d", x, {kernel, or_kernel(o.stride, kernel), o.padding, 1, o.ceil_mode});
  return average(s, {o.count_include_pad, o.divisor_override}, x);
}

}  // namespace xtape
