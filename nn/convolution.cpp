// SPDX-License-Identifier: BSD-3-Clause
#include "convolution.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/random.hpp"

namespace xtape::nn {
namespace {

Shape sizes(std::int64_t n) { return {n}; }
Shape sizes(const Size1& s) { return {s.length}; }
Shape sizes(const Size2& s) { return {s.height, s.width}; }
Shape sizes(const Size3& s) { return {s.depth, s.height, s.width}; }

// What is checked and made in the same way in any number of directions.
struct Layer {
  const char* name;
  std::int64_t in, out, groups;
  Shape kernel;

  void require(bool valid, const std::string& rule, const std::string& got) const {
    if (!valid) throw ValueError(std::string(name) + ": expected " + rule + ", got " + got);
  }
  void at_least(std::int64_t least, const char* what, const Shape& got) const {
    require(std::all_of(got.begin(), got.end(), [=](std::int64_t n) { return n >= least; }),
            std::string(what) + " >= " + std::to_string(least), to_string(got));
  }
  template <class Options>
  void check(const Options& o) const {
    const std::string channels = std::to_string(in) + " in and " + std::to_string(out) + " out";
    require(in >= 1 && out >= 1, "at least 1 channel", channels);
    at_least(1, "kernel_size", kernel);
    at_least(1, "stride", sizes(o.stride));
    at_least(0, "padding", sizes(o.padding));
    at_least(1, "dilation", sizes(o.dilation));
    require(groups >= 1 && in % groups == 0 && out % groups == 0,
            "groups that divide the numbers of channels",
            std::to_string(groups) + " for " + channels);
  }

  // weight [first, second / groups, kernel] and bias [out].
  template <class Options>
  void initialise(Parameter& weight, Parameter& bias, std::int64_t first, std::int64_t second,
                  const Options& o) const {
    Shape shape{first, second / groups};
    for (const std::int64_t n : kernel) shape.push_back(n);
    const double fan = static_cast<double>(second / groups * kernel.numel());
    const double bound = 1 / std::sqrt(fan);
    weight = Parameter(uniform(-bound, bound, shape, o.dtype));
    if (o.bias) bias = Parameter(uniform(-bound, bound, {out}, o.dtype));
  }
};

template <class Options>
void check_same(const Layer& layer, const Options& o) {
  const Shape stride = sizes(o.stride);
  layer.require(!o.padding.is_same || stride == Shape::filled(stride.rank(), 1),
                "stride 1 where padding keeps the size", to_string(stride));
}

template <class Options>
void check_output_padding(const Layer& layer, const Options& o) {
  const Shape added = sizes(o.output_padding), stride = sizes(o.stride);
  const Shape dilation = sizes(o.dilation);
  layer.at_least(0, "output_padding", added);
  for (int i = 0; i < added.rank(); ++i) {
    layer.require(added[i] == 0 || added[i] < std::max(stride[i], dilation[i]),
                  "output_padding below the stride or the dilation", to_string(added));
  }
}

// False where x is undefined or of a wrong rank, which the operation refuses in its own words.
bool has_rank(const Tensor& x, const Tensor& weight) {
  return x.defined() && (x.dim() == weight.dim() || x.dim() == weight.dim() - 1);
}

void check_channels(const Tensor& x, const Tensor& weight, std::int64_t channels) {
  if (!has_rank(x, weight) || x.sizes()[x.dim() - weight.dim() + 1] == channels) return;
  throw ShapeError("expected " + std::to_string(channels) + " input channels, got input of shape " +
                   to_string(x.sizes()));
}

// x surrounded as `o` says, which leaves nothing to pad in o.padding.
template <class Options>
Tensor surrounded(const Tensor& x, const Tensor& weight, Options& o) {
  const Shape zeros = sizes(o.padding), dilation = sizes(o.dilation);
  Shape padding;
  for (int i = zeros.rank() - 1; i >= 0; --i) {
    const std::int64_t reach = dilation[i] * (weight.sizes()[2 + i] - 1);
    padding.push_back(o.padding.is_same ? reach / 2 : zeros[i]);
    padding.push_back(o.padding.is_same ? reach - reach / 2 : zeros[i]);
  }
  const PadMode mode = o.padding_mode;
  o.padding = 0;
  o.padding_mode = PadMode::constant;
  return pad(x, padding, mode);
}

// f(x, weight, bias, options of the operation)
template <class OperationOptions, class F, class Options>
Tensor convolved(F f, const Tensor& input, const Parameter& weight, const Parameter& bias,
                 Options o) {
  check_channels(input, weight, weight.sizes()[1] * o.groups);
  const bool surrounds = o.padding_mode != PadMode::constant && has_rank(input, weight);
  const Tensor x = surrounds ? surrounded(input, weight, o) : input;
  return f(
      x, weight, bias,
      OperationOptions{
          .stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups});
}

template <class OperationOptions, class F, class Options>
Tensor transposed(F f, const Tensor& x, const Parameter& weight, const Parameter& bias,
                  const Options& o) {
  check_channels(x, weight, weight.sizes()[0]);
  return f(x, weight, bias,
           OperationOptions{.stride = o.stride,
                            .padding = o.padding,
                            .output_padding = o.output_padding,
                            .groups = o.groups,
                            .dilation = o.dilation});
}

// The output padding, direction by direction, that leads to outputs of the size `out`.
template <class Options>
Shape output_padding_for(const char* layer, const Tensor& x, const Tensor& weight, const Shape& out,
                         const Options& o) {
  if (!has_rank(x, weight)) return sizes(o.output_padding);
  check_channels(x, weight, weight.sizes()[0]);
  const Shape stride = sizes(o.stride), padding = sizes(o.padding), dilation = sizes(o.dilation);
  Shape result;
  for (int i = 0; i < out.rank(); ++i) {
    const std::int64_t in = x.sizes()[x.dim() - out.rank() + i], kernel = weight.sizes()[2 + i];
    const std::int64_t least =
        (in - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel - 1) + 1;
    const std::int64_t n = out[i] - least;
    if (n < 0 || (n > 0 && n >= std::max(stride[i], dilation[i]))) {
      throw ValueError(std::string(layer) + ": no output of size " + to_string(out) +
                       " comes from input of shape " + to_string(x.sizes()));
    }
    result.push_back(n);
  }
  return result;
}

}  // namespace

XTAPE_DEFINE_PARTS(Conv1d, weight, bias)
XTAPE_DEFINE_PARTS(Conv2d, weight, bias)
XTAPE_DEFINE_PARTS(Conv3d, weight, bias)
XTAPE_DEFINE_PARTS(ConvTranspose1d, weight, bias)
XTAPE_DEFINE_PARTS(ConvTranspose2d, weight, bias)

Conv1d::Conv1d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size,
               const Conv1dOptions& o)
    : options_(o) {
  const Layer layer{"Conv1d", in_channels, out_channels, o.groups, sizes(kernel_size)};
  layer.check(o);
  check_same(layer, o);
  layer.initialise(weight, bias, out_channels, in_channels, o);
}

Tensor Conv1d::forward(const Tensor& x) {
  return convolved<xtape::Conv1dOptions>(conv1d, x, weight, bias, options_);
}

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, Size2 kernel_size,
               const Conv2dOptions& o)
    : options_(o) {
  const Layer layer{"Conv2d", in_channels, out_channels, o.groups, sizes(kernel_size)};
  layer.check(o);
  check_same(layer, o);
  layer.initialise(weight, bias, out_channels, in_channels, o);
}

Tensor Conv2d::forward(const Tensor& x) {
  return convolved<xtape::Conv2dOptions>(conv2d, x, weight, bias, options_);
}

Conv3d::Conv3d(std::int64_t in_channels, std::int64_t out_channels, Size3 kernel_size,
               const Conv3dOptions& o)
    : options_(o) {
  const Layer layer{"Conv3d", in_channels, out_channels, o.groups, sizes(kernel_size)};
  layer.check(o);
  check_same(layer, o);
  layer.initialise(weight, bias, out_channels, in_channels, o);
}

Tensor Conv3d::forward(const Tensor& x) {
  return convolved<xtape::Conv3dOptions>(conv3d, x, weight, bias, options_);
}

ConvTranspose1d::ConvTranspose1d(std::int64_t in_channels, std::int64_t out_channels,
                                 std::int64_t kernel_size, const ConvTranspose1dOptions& o)
    : options_(o) {
  const Layer layer{"ConvTranspose1d", in_channels, out_channels, o.groups, sizes(kernel_size)};
  layer.check(o);
  check_output_padding(layer, o);
  layer.initialise(weight, bias, in_channels, out_channels, o);
}

Tensor ConvTranspose1d::forward(const Tensor& x) {
  return transposed<xtape::ConvTranspose1dOptions>(conv_transpose1d, x, weight, bias, options_);
}

Tensor ConvTranspose1d::forward(const Tensor& x, std::int64_t output_size) {
  ConvTranspose1dOptions o = options_;
  o.output_padding = output_padding_for("ConvTranspose1d", x, weight, {output_size}, o)[0];
  return transposed<xtape::ConvTranspose1dOptions>(conv_transpose1d, x, weight, bias, o);
}

ConvTranspose2d::ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels,
                                 Size2 kernel_size, const ConvTranspose2dOptions& o)
    : options_(o) {
  const Layer layer{"ConvTranspose2d", in_channels, out_channels, o.groups, sizes(kernel_size)};
  layer.check(o);
  check_output_padding(layer, o);
  layer.initialise(weight, bias, in_channels, out_channels, o);
}

Tensor ConvTranspose2d::forward(const Tensor& x) {
  return transposed<xtape::ConvTranspose2dOptions>(conv_transpose2d, x, weight, bias, options_);
}

Tensor ConvTranspose2d::forward(const Tensor& x, Size2 output_size) {
  ConvTranspose2dOptions o = options_;
  const Shape added = output_padding_for("ConvTranspose2d", x, weight, sizes(output_size), o);
  o.output_padding = {added[0], added[1]};
  return transposed<xtape::ConvTranspose2dOptions>(conv_transpose2d, x, weight, bias, o);
}

}  // namespace xtape::nn
