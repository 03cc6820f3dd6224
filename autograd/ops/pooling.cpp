// SPDX-License-Identifier: BSD-3-Clause
#include "pooling.hpp"

#include <string>

#include "../error.hpp"
#include "../kernels/pooling.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "math.hpp"
#include "pictures.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

using detail::Pictures;
using detail::strides4;
using kernels::AverageDivisor;
using kernels::PoolingShape;
using kernels::Strides4;

// What the tape calls an operation and its gradients.
struct Names {
  const char *operation, *backward, *gather = nullptr;
};
constexpr Names kMaxPool1d{"max_pool1d", "max_pool1d_backward", "max_pool1d_gather"};
constexpr Names kMaxPool2d{"max_pool2d", "max_pool2d_backward", "max_pool2d_gather"};
constexpr Names kAvgPool1d{"avg_pool1d", "avg_pool1d_backward"};
constexpr Names kAvgPool2d{"avg_pool2d", "avg_pool2d_backward"};
constexpr Names kLPPool1d{"lp_pool1d", "lp_pool1d_backward"};
constexpr Names kLPPool2d{"lp_pool2d", "lp_pool2d_backward"};

struct Pooling : PoolingShape {
  Names names;
};

// The input with what it is called.
struct Input : Pictures {
  Input(const Names& n, const Tensor& x, int dimensions)
      : Pictures(n.operation, x, dimensions), names(n) {}
  Names names;
};

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

Tensor max_backward(const Pooling& s, Strides4 order, const Tensor& gy, const Tensor& indices);

Tensor max_gather(const Pooling& s, Strides4 order, const Tensor& x, const Tensor& indices) {
  Tensor y = empty_pooled(x, output_shape(s));
  with_index_type(s, [&]<class Index>(Index) {
    detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
      kernels::max_pool_gather(s, x.data<T>(), strides4(x), index_data<const Index>(indices), order,
                               detail::fresh_data<T>(y), strides4(y));
    });
  });
  const TensorRef inputs[] = {x};
  detail::record_named(s.names.gather, y, inputs, saves(indices), [s, order](Backward& t) {
    t.add(0, max_backward(s, order, t.g(), t.saved(0)));
  });
  return y;
}

Tensor max_backward(const Pooling& s, Strides4 order, const Tensor& gy, const Tensor& indices) {
  Tensor gx = empty_pooled(gy, input_shape(s));
  with_index_type(s, [&]<class Index>(Index) {
    detail::dispatch_floating(gy.dtype(), [&]<class T>(detail::Type<T>) {
      kernels::max_pool_backward(s, gy.data<T>(), strides4(gy), index_data<const Index>(indices),
                                 order, detail::fresh_data<T>(gx), strides4(gx));
    });
  });
  const TensorRef inputs[] = {gy};
  detail::record_named(s.names.backward, gx, inputs, saves(indices), [s, order](Backward& t) {
    t.add(0, max_gather(s, order, t.g(), t.saved(0)));
  });
  return gx;
}

Tensor average_backward(const Pooling& s, AverageDivisor divisor, const Tensor& gy);

Tensor average(const Pooling& s, AverageDivisor divisor, const Tensor& x) {
  Tensor y = empty_pooled(x, output_shape(s));
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::average_pool_forward(s, divisor, x.data<T>(), strides4(x), detail::fresh_data<T>(y),
                                  strides4(y));
  });
  const TensorRef inputs[] = {x};
  detail::record_named(s.names.operation, y, inputs, saves(), [s, divisor](Backward& t) {
    t.add(0, average_backward(s, divisor, t.g()));
  });
  return y;
}

Tensor average_backward(const Pooling& s, AverageDivisor divisor, const Tensor& gy) {
  Tensor gx = empty_pooled(gy, input_shape(s));
  detail::dispatch_floating(gy.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::average_pool_backward(s, divisor, gy.data<T>(), strides4(gy),
                                   detail::fresh_data<T>(gx), strides4(gx));
  });
  const TensorRef inputs[] = {gy};
  detail::record_named(s.names.backward, gx, inputs, saves(),
                       [s, divisor](Backward& t) { t.add(0, average(s, divisor, t.g())); });
  return gx;
}

// PyTorch's rule: in ceil mode the last window still begins inside the input or its left padding.
std::int64_t output_size(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                         std::int64_t padding, std::int64_t dilation, bool ceil_mode) noexcept {
  const std::int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1;
  const std::int64_t steps = room + (ceil_mode ? stride - 1 : 0);
  if (steps < 0) return 0;
  std::int64_t out = steps / stride + 1;
  if (ceil_mode && (out - 1) * stride >= in + padding) --out;
  return out;
}

struct Window {
  Size2 kernel, stride, padding, dilation;
  bool ceil_mode;
};

// A window over a sequence: a picture of height one.
Window window_of(std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                 std::int64_t dilation, bool ceil_mode) {
  return {{1, kernel}, {1, stride == 0 ? kernel : stride}, {0, padding}, {1, dilation}, ceil_mode};
}

Size2 or_kernel(Size2 stride, Size2 kernel) {
  return stride.height == 0 && stride.width == 0 ? kernel : stride;
}

void check_window(const char* operation, const Window& w) {
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
}

// For pictures.x [N, C, H, W]; errors name the shape that was given.
Pooling pooling_of(const Input& pictures, const Window& w) {
  check_window(pictures.operation, w);
  const Tensor& x = pictures.x;
  Pooling s;
  s.names = pictures.names;
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
    const Shape kernel =
        pictures.dims == 1 ? Shape{s.kernel_width} : Shape{s.kernel_height, s.kernel_width};
    throw ShapeError(std::string(pictures.operation) + ": the window " + to_string(kernel) +
                     " does not fit the input of shape " + to_string(pictures.given));
  }
  return s;
}

// Where the maxima are in their planes, from their places in the windows.
Tensor plane_positions(const PoolingShape& s, Strides4 order, const Tensor& places) {
  Tensor positions = detail::empty(int64, output_shape(s));
  std::int64_t* to = detail::fresh_data<std::int64_t>(positions);
  with_index_type(s, [&]<class Index>(Index) {
    const Index none = static_cast<Index>(-1);
    const Index* from = index_data<const Index>(places);
    for (std::int64_t plane = 0; plane < s.batch * s.channels; ++plane) {
      const Index* first = from + plane / s.channels * order[0] + plane % s.channels * order[1];
      for (std::int64_t i = 0; i < s.out_height; ++i) {
        for (std::int64_t j = 0; j < s.out_width; ++j) {
          const Index place = first[i * order[2] + j * order[3]];
          const std::int64_t row =
              i * s.stride_height - s.pad_top + place / s.kernel_width * s.dilation_height;
          const std::int64_t column =
              j * s.stride_width - s.pad_left + place % s.kernel_width * s.dilation_width;
          *to++ = place == none ? -1 : row * s.in_width + column;
        }
      }
    }
  });
  return positions;
}

ValuesAndIndices max_pool(const Input& pictures, const Window& w, bool with_indices) {
  const Pooling s = pooling_of(pictures, w);
  const Tensor& x = pictures.x;
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
  const TensorRef inputs[] = {x};
  detail::record_named(s.names.operation, y, inputs, saves(indices), [s, order](Backward& t) {
    t.add(0, max_backward(s, order, t.g(), t.saved(0)));
  });
  return {pictures.as_given(y),
          with_indices ? pictures.as_given(plane_positions(s, order, indices)) : Tensor()};
}

Tensor avg_pool(const Input& pictures, const Window& w, AverageDivisor divisor) {
  return pictures.as_given(average(pooling_of(pictures, w), divisor, pictures.x));
}

Tensor lp_pool(const Input& pictures, double p, const Window& w) {
  if (!(p > 0)) {
    throw ValueError(std::string(pictures.operation) + ": norm_type is above 0");
  }
  const Pooling s = pooling_of(pictures, w);
  const auto count = static_cast<double>(s.kernel_height * s.kernel_width);
  const Tensor sums = average(s, {true, 0}, pow(pictures.x, p)) * count;
  return pictures.as_given(p == 1 ? sums : pow(sums, 1 / p));
}

Window window_of(std::int64_t kernel, const MaxPool1dOptions& o) {
  return window_of(kernel, o.stride, o.padding, o.dilation, o.ceil_mode);
}
Window window_of(Size2 kernel, const MaxPool2dOptions& o) {
  return {kernel, or_kernel(o.stride, kernel), o.padding, o.dilation, o.ceil_mode};
}

}  // namespace

namespace detail {

Pictures::Pictures(const char* name, const Tensor& input, int dimensions)
    : operation(name), dims(dimensions), given((check_defined(name, input), input.shape())) {
  if (!is_floating(input.dtype())) {
    throw DTypeError(std::string(operation) + ": expected a floating tensor, got " +
                     input.description());
  }
  if (given.rank() != dims + 1 && given.rank() != dims + 2) {
    throw ShapeError(std::string(operation) + ": expected input " +
                     (dims == 1 ? "[N, C, L] or [C, L]" : "[N, C, H, W] or [C, H, W]") +
                     ", got shape " + to_string(given));
  }
  x = given.rank() == dims + 1 ? unsqueeze(input, 0) : input;
  if (dims == 1) x = unsqueeze(x, 2);
}

Tensor Pictures::as_given(const Tensor& y) const {
  const Tensor z = dims == 1 ? squeeze(y, 2) : y;
  return given.rank() == dims + 1 ? squeeze(z, 0) : z;
}

}  // namespace detail

Tensor max_pool1d(const Tensor& x, std::int64_t kernel, const MaxPool1dOptions& o) {
  return max_pool(Input(kMaxPool1d, x, 1), window_of(kernel, o), false).values;
}

Tensor max_pool2d(const Tensor& x, Size2 kernel, const MaxPool2dOptions& o) {
  return max_pool(Input(kMaxPool2d, x, 2), window_of(kernel, o), false).values;
}

ValuesAndIndices max_pool1d_with_indices(const Tensor& x, std::int64_t kernel,
                                         const MaxPool1dOptions& o) {
  return max_pool(Input(kMaxPool1d, x, 1), window_of(kernel, o), true);
}

ValuesAndIndices max_pool2d_with_indices(const Tensor& x, Size2 kernel, const MaxPool2dOptions& o) {
  return max_pool(Input(kMaxPool2d, x, 2), window_of(kernel, o), true);
}

Tensor avg_pool1d(const Tensor& x, std::int64_t kernel, const AvgPool1dOptions& o) {
  return avg_pool(Input(kAvgPool1d, x, 1), window_of(kernel, o.stride, o.padding, 1, o.ceil_mode),
                  {o.count_include_pad, 0});
}

Tensor avg_pool2d(const Tensor& x, Size2 kernel, const AvgPool2dOptions& o) {
  const Input pictures(kAvgPool2d, x, 2);
  if (o.divisor_override < 0) throw ValueError("avg_pool2d: the divisor is positive");
  return avg_pool(pictures, {kernel, or_kernel(o.stride, kernel), o.padding, 1, o.ceil_mode},
                  {o.count_include_pad, o.divisor_override});
}

Tensor lp_pool1d(const Tensor& x, double p, std::int64_t kernel, const LPPool1dOptions& o) {
  const Input pictures(kLPPool1d, x, 1);
  const Window w = window_of(kernel, o.stride, 0, 1, o.ceil_mode);
  return lp_pool(pictures, p, w);
}

Tensor lp_pool2d(const Tensor& x, double p, Size2 kernel, const LPPool2dOptions& o) {
  const Input pictures(kLPPool2d, x, 2);
  return lp_pool(pictures, p, {kernel, or_kernel(o.stride, kernel), 0, 1, o.ceil_mode});
}

}  // namespace xtape
