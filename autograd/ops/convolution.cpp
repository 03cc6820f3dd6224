// SPDX-License-Identifier: BSD-3-Clause
#include "convolution.hpp"

#include <string>

#include "../error.hpp"
#include "../kernels/convolution.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "reductions.hpp"
#include "shape.hpp"

namespace xtape {
namespace {

using kernels::ConvolutionShape;
using kernels::Strides4;

Strides4 strides4(const Tensor& x) {
  const auto s = x.strides();
  return {s[0], s[1], s[2], s[3]};
}

Tensor empty_images(DType dtype, const ConvolutionShape& s, const Shape& shape) {
  const bool last = detail::dispatch_floating(
      dtype, [&]<class T>(detail::Type<T>) { return kernels::prefers_channels_last<T>(s); });
  return last ? detail::empty_channels_last(dtype, shape) : detail::empty(dtype, shape);
}

Shape input_shape(const ConvolutionShape& s) {
  return {s.batch, s.in_channels, s.in_height, s.in_width};
}
Shape output_shape(const ConvolutionShape& s) {
  return {s.batch, s.out_channels, s.out_height, s.out_width};
}
Shape weight_shape(const ConvolutionShape& s) {
  return {s.out_channels, s.in_channels / s.groups, s.kernel_height, s.kernel_width};
}

// The three are linear in each argument, and the gradients of each are the two others.
Tensor forward(const ConvolutionShape& s, const Tensor& x, const Tensor& weight,
               const Tensor& bias);
Tensor backward_data(const ConvolutionShape& s, const Tensor& gy, const Tensor& weight);
Tensor backward_weight(const ConvolutionShape& s, const Tensor& x, const Tensor& gy,
                       Tensor* gbias = nullptr);

Tensor forward(const ConvolutionShape& s, const Tensor& x, const Tensor& w, const Tensor& bias) {
  const Tensor weight = w.contiguous();
  const Tensor b = bias.defined() ? bias.contiguous() : bias;
  Tensor y = empty_images(x.dtype(), s, output_shape(s));
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::convolution_forward(s, x.data<T>(), strides4(x), weight.data<T>(),
                                 b.defined() ? b.data<T>() : nullptr, detail::fresh_data<T>(y),
                                 strides4(y));
  });
  record("conv2d", y, {x, weight, b}, saves(x, weight), [s](Backward& t) {
    if (t.needs(0)) t.add(0, backward_data(s, t.g(), t.saved(1)));
    Tensor gbias;
    if (t.needs(1)) {
      t.add(1, backward_weight(s, t.saved(0), t.g(), t.needs(2) ? &gbias : nullptr));
    }
    if (t.needs(2)) t.add(2, gbias.defined() ? gbias : sum(t.g(), {0, 2, 3}));
  });
  return y;
}

Tensor backward_data(const ConvolutionShape& s, const Tensor& gy, const Tensor& w) {
  const Tensor weight = w.contiguous();
  Tensor gx = empty_images(gy.dtype(), s, input_shape(s));
  detail::dispatch_floating(gy.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::convolution_backward_data(s, gy.data<T>(), strides4(gy), weight.data<T>(),
                                       detail::fresh_data<T>(gx), strides4(gx));
  });
  record("conv2d_backward_data", gx, {gy, weight}, saves(gy, weight), [s](Backward& t) {
    if (t.needs(0)) t.add(0, forward(s, t.g(), t.saved(1), Tensor()));
    if (t.needs(1)) t.add(1, backward_weight(s, t.g(), t.saved(0)));
  });
  return gx;
}

// `gbias` is computed in the same pass where nothing is recorded.
Tensor backward_weight(const ConvolutionShape& s, const Tensor& x, const Tensor& gy,
                       Tensor* gbias) {
  Tensor gw = detail::empty(x.dtype(), weight_shape(s));
  const bool with_bias = gbias && !is_grad_enabled();
  if (with_bias) *gbias = detail::empty(x.dtype(), Shape{s.out_channels});
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::convolution_backward_weight(s, x.data<T>(), strides4(x), gy.data<T>(), strides4(gy),
                                         detail::fresh_data<T>(gw),
                                         with_bias ? detail::fresh_data<T>(*gbias) : nullptr);
  });
  record("conv2d_backward_weight", gw, {x, gy}, saves(x, gy), [s](Backward& t) {
    if (t.needs(0)) t.add(0, backward_data(s, t.saved(1), t.g()));
    if (t.needs(1)) t.add(1, forward(s, t.saved(0), t.g(), Tensor()));
  });
  return gw;
}

void check_dtypes(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  detail::check_defined("conv2d", x);
  detail::check_defined("conv2d", weight);
  if (!is_floating(x.dtype()) || x.dtype() != weight.dtype() ||
      (bias.defined() && bias.dtype() != x.dtype())) {
    throw DTypeError(std::string("conv2d: expected one floating dtype, got input ") +
                     name(x.dtype()) + ", weight " + name(weight.dtype()) +
                     (bias.defined() ? std::string(", bias ") + name(bias.dtype()) : ""));
  }
}

std::int64_t output_size(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                         std::int64_t padding, std::int64_t dilation) noexcept {
  const std::int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

void check_shapes(const Tensor& x, const Tensor& weight, const Tensor& bias,
                  const Conv2dOptions& o) {
  if (o.stride.height < 1 || o.stride.width < 1 || o.dilation.height < 1 || o.dilation.width < 1 ||
      o.padding.height < 0 || o.padding.width < 0 || o.groups < 1) {
    throw ValueError("conv2d: stride, dilation and groups are at least 1, padding at least 0");
  }
  if (x.dim() != 4) {
    throw ShapeError("conv2d: expected input [N, C, H, W] or [C, H, W], got shape " +
                     to_string(x.sizes()));
  }
  if (weight.dim() != 4 || weight.numel() == 0) {
    throw ShapeError("conv2d: expected weight [O, C / groups, KH, KW], got shape " +
                     to_string(weight.sizes()));
  }
  const std::int64_t channels = weight.size(1) * o.groups;
  if (x.size(1) != channels) {
    throw ShapeError("conv2d: expected " + std::to_string(channels) +
                     " input channels, got input of shape " + to_string(x.sizes()));
  }
  if (weight.size(0) % o.groups != 0) {
    throw ShapeError("conv2d: " + std::to_string(weight.size(0)) +
                     " output channels do not divide into " + std::to_string(o.groups) + " groups");
  }
  if (bias.defined() && (bias.dim() != 1 || bias.size(0) != weight.size(0))) {
    throw ShapeError("conv2d: expected bias [" + std::to_string(weight.size(0)) + "], got shape " +
                     to_string(bias.sizes()));
  }
}

}  // namespace

namespace detail {

Tensor empty_channels_last(DType dtype, const Shape& s) {
  const Tensor memory = empty(dtype, Shape{s[0], s[2], s[3], s[1]});
  const auto m = memory.strides();
  return make_view(memory, memory.value()->data, s, Shape{m[0], m[3], m[1], m[2]});
}

}  // namespace detail

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& o) {
  check_dtypes(x, weight, bias);
  if (x.dim() == 3) return squeeze(conv2d(unsqueeze(x, 0), weight, bias, o), 0);
  check_shapes(x, weight, bias, o);
  ConvolutionShape s;
  s.batch = x.size(0);
  s.in_channels = x.size(1);
  s.in_height = x.size(2);
  s.in_width = x.size(3);
  s.out_channels = weight.size(0);
  s.kernel_height = weight.size(2);
  s.kernel_width = weight.size(3);
  s.stride_height = o.stride.height;
  s.stride_width = o.stride.width;
  s.pad_top = o.padding.height;
  s.pad_left = o.padding.width;
  s.dilation_height = o.dilation.height;
  s.dilation_width = o.dilation.width;
  s.groups = o.groups;
  s.out_height =
      output_size(s.in_height, s.kernel_height, s.stride_height, s.pad_top, s.dilation_height);
  s.out_width =
      output_size(s.in_width, s.kernel_width, s.stride_width, s.pad_left, s.dilation_width);
  if (s.out_height < 1 || s.out_width < 1) {
    throw ShapeError("conv2d: the kernel " + to_string(weight.sizes().subspan(2)) +
                     " does not fit the padded input of shape " + to_string(x.sizes()));
  }
  return forward(s, x, weight, bias);
}

}  // namespace xtape
