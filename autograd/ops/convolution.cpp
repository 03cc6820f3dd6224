// SPDX-License-Identifier: BSD-3-Clause
#include "convolution.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "../error.hpp"
#include "../kernels/convolution.hpp"
#include "../tape.hpp"
#include "arithmetic.hpp"
#include "joining.hpp"
#include "pictures.hpp"
#include "precision.hpp"
#include "reductions.hpp"
#include "shape.hpp"
#include "windows.hpp"

namespace xtape {
namespace {

using detail::strides4;
using kernels::ConvolutionShape;

// What the tape calls an operation and its gradients.
struct Names {
  const char *operation, *of_data, *of_weight;
};
constexpr Names kConv1d{"conv1d", "conv1d_backward_data", "conv1d_backward_weight"};
constexpr Names kConv2d{"conv2d", "conv2d_backward_data", "conv2d_backward_weight"};
constexpr Names kConv3d{"conv3d", "conv3d_backward_data", "conv3d_backward_weight"};
constexpr Names kConvTranspose1d{"conv_transpose1d", "conv_transpose1d_backward_data",
                                 "conv_transpose1d_backward_weight"};
constexpr Names kConvTranspose2d{"conv_transpose2d", "conv_transpose2d_backward_data",
                                 "conv_transpose2d_backward_weight"};

// With the names under which forward, backward_data and backward_weight record it.
struct Convolution : ConvolutionShape {
  Names names;
};

Tensor empty_images(DType dtype, const Shape& shape) {
  const bool last = detail::dispatch_floating(
      dtype, [&]<class T>(detail::Type<T>) { return kernels::prefers_channels_last<T>(); });
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
Tensor forward(const Convolution& s, const Tensor& x, const Tensor& weight, const Tensor& bias);
Tensor backward_data(const Convolution& s, const Tensor& gy, const Tensor& weight);
Tensor backward_weight(const Convolution& s, const Tensor& x, const Tensor& gy,
                       Tensor* gbias = nullptr);

Tensor forward(const Convolution& s, const Tensor& x, const Tensor& w, const Tensor& bias) {
  const Tensor weight = w.contiguous();
  const Tensor b = bias.defined() ? bias.contiguous() : bias;
  Tensor y = empty_images(x.dtype(), output_shape(s));
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::convolution_forward(s, x.data<T>(), strides4(x), weight.data<T>(),
                                 b.defined() ? b.data<T>() : nullptr, detail::fresh_data<T>(y),
                                 strides4(y), detail::precision_of(x.dtype()));
  });
  const TensorRef inputs[] = {x, weight, b};
  detail::record_named(s.names.operation, y, inputs, saves(x, weight), [s](Backward& t) {
    if (t.needs(0)) t.add(0, backward_data(s, t.g(), t.saved(1)));
    Tensor gbias;
    if (t.needs(1)) {
      t.add(1, backward_weight(s, t.saved(0), t.g(), t.needs(2) ? &gbias : nullptr));
    }
    if (t.needs(2)) t.add(2, gbias.defined() ? gbias : sum(t.g(), {0, 2, 3}));
  });
  return y;
}

Tensor backward_data(const Convolution& s, const Tensor& gy, const Tensor& w) {
  const Tensor weight = w.contiguous();
  Tensor gx = empty_images(gy.dtype(), input_shape(s));
  detail::dispatch_floating(gy.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::convolution_backward_data(s, gy.data<T>(), strides4(gy), weight.data<T>(),
                                       detail::fresh_data<T>(gx), strides4(gx),
                                       detail::precision_of(gy.dtype()));
  });
  const TensorRef inputs[] = {gy, weight};
  detail::record_named(s.names.of_data, gx, inputs, saves(gy, weight), [s](Backward& t) {
    if (t.needs(0)) t.add(0, forward(s, t.g(), t.saved(1), Tensor()));
    if (t.needs(1)) t.add(1, backward_weight(s, t.g(), t.saved(0)));
  });
  return gx;
}

// `gbias` is computed in the same pass where nothing is recorded.
Tensor backward_weight(const Convolution& s, const Tensor& x, const Tensor& gy, Tensor* gbias) {
  Tensor gw = detail::empty(x.dtype(), weight_shape(s));
  const bool with_bias = gbias && !is_grad_enabled();
  if (with_bias) *gbias = detail::empty(x.dtype(), Shape{s.out_channels});
  detail::dispatch_floating(x.dtype(), [&]<class T>(detail::Type<T>) {
    kernels::convolution_backward_weight(
        s, x.data<T>(), strides4(x), gy.data<T>(), strides4(gy), detail::fresh_data<T>(gw),
        with_bias ? detail::fresh_data<T>(*gbias) : nullptr, detail::precision_of(x.dtype()));
  });
  const TensorRef inputs[] = {x, gy};
  detail::record_named(s.names.of_weight, gw, inputs, saves(x, gy), [s](Backward& t) {
    if (t.needs(0)) t.add(0, backward_data(s, t.saved(1), t.g()));
    if (t.needs(1)) t.add(1, forward(s, t.saved(0), t.g(), Tensor()));
  });
  return gw;
}

// A convolution along one direction.
struct Axis {
  std::int64_t stride, padding, dilation, output_padding = 0;
};

// What was asked for, in any number of directions.
struct Request {
  Names names;
  std::span<const Axis> axes;  // as the last dimensions of the input
  std::int64_t groups;
  bool same_size = false;
  bool transposed = false;

  int dims() const { return static_cast<int>(axes.size()); }
  std::string error(const std::string& text) const {
    return std::string(names.operation) + ": " + text;
  }
};

constexpr const char* kPlaces[] = {"", "L", "H, W", "D, H, W"};
constexpr const char* kKernels[] = {"", "K", "KH, KW", "KD, KH, KW"};

void check_dtypes(const Request& r, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  detail::check_defined(r.names.operation, x);
  detail::check_defined(r.names.operation, weight);
  if (!is_floating(x.dtype()) || x.dtype() != weight.dtype() ||
      (bias.defined() && bias.dtype() != x.dtype())) {
    throw DTypeError(r.error(std::string("expected one floating dtype, got input ") +
                             name(x.dtype()) + ", weight " + name(weight.dtype()) +
                             (bias.defined() ? std::string(", bias ") + name(bias.dtype()) : "")));
  }
}

void check_numbers(const Request& r) {
  const bool valid = std::ranges::all_of(r.axes, [](const Axis& a) {
    return a.stride >= 1 && a.dilation >= 1 && a.padding >= 0 && a.output_padding >= 0;
  });
  if (!valid || r.groups < 1) {
    throw ValueError(r.error("stride, dilation and groups are at least 1, padding at least 0"));
  }
  for (const Axis& a : r.axes) {
    if (r.same_size && a.stride != 1) {
      throw ValueError(r.error("padding that keeps the size takes a stride of 1, not " +
                               std::to_string(a.stride)));
    }
    if (a.output_padding > 0 && a.output_padding >= std::max(a.stride, a.dilation)) {
      throw ValueError(r.error("output padding " + std::to_string(a.output_padding) +
                               " is not smaller than the stride or the dilation"));
    }
  }
}

void check_shapes(const Request& r, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (x.dim() != r.dims() + 1 && x.dim() != r.dims() + 2) {
    const std::string places = kPlaces[r.dims()];
    throw ShapeError(r.error("expected input [N, C, " + places + "] or [C, " + places +
                             "], got shape " + to_string(x.sizes())));
  }
  if (weight.dim() != r.dims() + 2 || weight.numel() == 0) {
    throw ShapeError(r.error(std::string("expected weight ") +
                             (r.transposed ? "[C, O / groups, " : "[O, C / groups, ") +
                             kKernels[r.dims()] + "], got shape " + to_string(weight.sizes())));
  }
  const std::int64_t channels = r.transposed ? weight.size(0) : weight.size(1) * r.groups;
  if (x.size(x.dim() - r.dims() - 1) != channels) {
    throw ShapeError(r.error("expected " + std::to_string(channels) +
                             " input channels, got input of shape " + to_string(x.sizes())));
  }
  if (weight.size(0) % r.groups != 0) {
    throw ShapeError(
        r.error(std::to_string(weight.size(0)) + (r.transposed ? " input" : " output") +
                " channels do not divide into " + std::to_string(r.groups) + " groups"));
  }
  const std::int64_t outputs = r.transposed ? weight.size(1) * r.groups : weight.size(0);
  if (bias.defined() && (bias.dim() != 1 || bias.size(0) != outputs)) {
    throw ShapeError(r.error("expected bias [" + std::to_string(outputs) + "], got shape " +
                             to_string(bias.sizes())));
  }
}

// Padding before the first element and the number of outputs along one direction.
struct Fit {
  std::int64_t before, out;
};

Fit fit(const Request& r, int axis, const Tensor& x, const Tensor& weight) {
  const Axis& a = r.axes[static_cast<std::size_t>(axis)];
  const std::int64_t in = x.size(x.dim() - r.dims() + axis);
  const std::int64_t reach = a.dilation * (weight.size(2 + axis) - 1);
  if (r.same_size) return {reach / 2, in};
  if (r.transposed) {
    return {a.padding, (in - 1) * a.stride - 2 * a.padding + reach + a.output_padding + 1};
  }
  const std::int64_t room = in + 2 * a.padding - reach - 1;
  return {a.padding, room < 0 ? 0 : room / a.stride + 1};
}

// Checks everything; nothing else below throws.
void check(const Request& r, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_dtypes(r, x, weight, bias);
  check_numbers(r);
  check_shapes(r, x, weight, bias);
  for (int i = 0; i < r.dims(); ++i) {
    if (fit(r, i, x, weight).out >= 1) continue;
    if (r.transposed) {
      throw ShapeError(r.error("nothing is left of the output for input of shape " +
                               to_string(x.sizes()) + " and kernel " +
                               to_string(weight.sizes().subspan(2))));
    }
    throw ShapeError(r.error("the kernel " + to_string(weight.sizes().subspan(2)) +
                             " does not fit the padded input of shape " + to_string(x.sizes())));
  }
}

// For x [N, C, H, W] and the two last directions of `r`; a single one gets a height of one.
Convolution convolution_of(const Request& r, const Tensor& x, const Tensor& weight) {
  const int last = r.dims() - 1;
  const auto side = [&](int axis) {
    const Fit f = fit(r, axis, x, weight);
    return std::pair{x.size(x.dim() - r.dims() + axis), f};
  };
  Convolution s;
  s.names = r.names;
  s.groups = r.groups;
  s.batch = x.size(0);
  s.in_channels = weight.size(1) * r.groups;
  s.out_channels = weight.size(0);
  const auto [width, across] = side(last);
  const Axis& a = r.axes[static_cast<std::size_t>(last)];
  s.in_width = width, s.out_width = across.out;
  s.kernel_width = weight.size(2 + last);
  s.stride_width = a.stride, s.pad_left = across.before, s.dilation_width = a.dilation;
  s.in_height = s.out_height = s.kernel_height = 1;
  if (last > 0) {
    const auto [height, down] = side(last - 1);
    const Axis& b = r.axes[static_cast<std::size_t>(last - 1)];
    s.in_height = height, s.out_height = down.out;
    s.kernel_height = weight.size(1 + last);
    s.stride_height = b.stride, s.pad_top = down.before, s.dilation_height = b.dilation;
  }
  if (r.transposed) {  // backward_data computes it, forward the gradient of its data
    std::swap(s.names.operation, s.names.of_data);
    std::swap(s.in_height, s.out_height);
    std::swap(s.in_width, s.out_width);
  }
  return s;
}

// Calls f(x with a batch), and takes the batch off the result where x had none.
template <class F>
Tensor with_batch(const Request& r, const Tensor& x, F f) {
  return x.dim() == r.dims() + 2 ? f(x) : squeeze(f(unsqueeze(x, 0)), 0);
}

Tensor transposed(const Convolution& s, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Tensor y = backward_data(s, x, weight);
  return bias.defined() ? y + bias.reshape({-1, 1, 1}) : y;
}

}  // namespace

namespace detail {

Tensor empty_channels_last(DType dtype, const Shape& s) {
  const Tensor memory = empty(dtype, Shape{s[0], s[2], s[3], s[1]});
  const auto m = memory.strides();
  return make_view(memory, memory.value()->data, s, Shape{m[0], m[3], m[1], m[2]});
}

}  // namespace detail

Tensor conv1d(const Tensor& input, const Tensor& weight, const Tensor& bias,
              const Conv1dOptions& o) {
  const Axis axes[] = {{o.stride, o.padding.length, o.dilation}};
  const Request r{kConv1d, axes, o.groups, o.padding.is_same};
  check(r, input, weight, bias);
  return with_batch(r, input, [&](const Tensor& x) {
    const Convolution s = convolution_of(r, x, weight);
    return squeeze(forward(s, unsqueeze(x, 2), unsqueeze(weight, 2), bias), 2);
  });
}

Tensor conv2d(const Tensor& input, const Tensor& weight, const Tensor& bias,
              const Conv2dOptions& o) {
  const Axis axes[] = {{o.stride.height, o.padding.height, o.dilation.height},
                       {o.stride.width, o.padding.width, o.dilation.width}};
  const Request r{kConv2d, axes, o.groups, o.padding.is_same};
  check(r, input, weight, bias);
  return with_batch(r, input, [&](const Tensor& x) {
    return forward(convolution_of(r, x, weight), x, weight, bias);
  });
}

// Each output depth is a picture whose channels are those of all depths that it sees: one conv2d
// over N OD pictures of C KD channels.
Tensor conv3d(const Tensor& input, const Tensor& weight, const Tensor& bias,
              const Conv3dOptions& o) {
  const Axis axes[] = {{o.stride.depth, o.padding.depth, o.dilation.depth},
                       {o.stride.height, o.padding.height, o.dilation.height},
                       {o.stride.width, o.padding.width, o.dilation.width}};
  const Request r{kConv3d, axes, o.groups, o.padding.is_same};
  check(r, input, weight, bias);
  return with_batch(r, input, [&](const Tensor& x) {
    const Axis& deep = axes[0];
    const auto [before, depths] = fit(r, 0, x, weight);
    const std::int64_t taps = weight.size(2);
    const std::int64_t after = std::max<std::int64_t>(
        0, (depths - 1) * deep.stride + deep.dilation * (taps - 1) + 1 - before - x.size(2));
    const Tensor padded = before + after == 0 ? x : pad(x, Shape{0, 0, 0, 0, before, after});
    const Tensor seen =  // [N, OD, C, KD, H, W]
        permute(detail::sliding_windows(padded, 2, taps, deep.stride, deep.dilation),
                {0, 2, 1, 5, 3, 4});
    const std::int64_t channels = x.size(1) * taps;
    const Tensor pictures = seen.reshape({x.size(0) * depths, channels, x.size(3), x.size(4)});
    const Tensor kernel =
        weight.reshape({weight.size(0), channels / r.groups, weight.size(3), weight.size(4)});
    const Request flat{kConv3d, r.axes.subspan(1), r.groups, r.same_size};
    const Tensor y = forward(convolution_of(flat, pictures, kernel), pictures, kernel, bias);
    return permute(unflatten(y, 0, {x.size(0), depths}), {0, 2, 1, 3, 4});
  });
}

Tensor conv_transpose1d(const Tensor& input, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose1dOptions& o) {
  const Axis axes[] = {{o.stride, o.padding, o.dilation, o.output_padding}};
  const Request r{kConvTranspose1d, axes, o.groups, false, true};
  check(r, input, weight, bias);
  return with_batch(r, input, [&](const Tensor& x) {
    const Convolution s = convolution_of(r, x, weight);
    return squeeze(transposed(s, unsqueeze(x, 2), unsqueeze(weight, 2), bias), 2);
  });
}

Tensor conv_transpose2d(const Tensor& input, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2dOptions& o) {
  const Axis axes[] = {
      {o.stride.height, o.padding.height, o.dilation.height, o.output_padding.height},
      {o.stride.width, o.padding.width, o.dilation.width, o.output_padding.width}};
  const Request r{kConvTranspose2d, axes, o.groups, false, true};
  check(r, input, weight, bias);
  return with_batch(r, input, [&](const Tensor& x) {
    return transposed(convolution_of(r, x, weight), x, weight, bias);
  });
}

}  // namespace xtape
