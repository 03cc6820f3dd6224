// SPDX-License-Identifier: BSD-3-Clause
#include "convolution.hpp"

#include <cmath>
#include <string>

#include "../autograd/error.hpp"
#include "../autograd/ops/random.hpp"

namespace xtape::nn {
namespace {

void require(bool valid, const std::string& rule, const std::string& got) {
  if (!valid) throw ValueError("Conv2d: expected " + rule + ", got " + got);
}

std::string text(const Size2& s) {
  return "[" + std::to_string(s.height) + ", " + std::to_string(s.width) + "]";
}

bool at_least(std::int64_t least, const Size2& s) { return s.height >= least && s.width >= least; }

void check(std::int64_t in, std::int64_t out, const Size2& kernel, const Conv2dOptions& o) {
  const std::string channels = std::to_string(in) + " in and " + std::to_string(out) + " out";
  require(in >= 1 && out >= 1, "at least 1 channel", channels);
  require(at_least(1, kernel), "kernel_size >= 1", text(kernel));
  require(at_least(1, o.stride), "stride >= 1", text(o.stride));
  require(at_least(0, o.padding), "padding >= 0", text(o.padding));
  require(at_least(1, o.dilation), "dilation >= 1", text(o.dilation));
  require(o.groups >= 1 && in % o.groups == 0 && out % o.groups == 0,
          "groups that divide the numbers of channels",
          std::to_string(o.groups) + " for " + channels);
}

}  // namespace

XTAPE_DEFINE_PARTS(Conv2d, weight, bias)

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, Size2 kernel_size,
               const Conv2dOptions& options)
    : options_(options) {
  check(in_channels, out_channels, kernel_size, options);
  const std::int64_t in = in_channels / options.groups;
  const std::int64_t fan = in * kernel_size.height * kernel_size.width;
  const double bound = 1 / std::sqrt(static_cast<double>(fan));
  const Shape shape{out_channels, in, kernel_size.height, kernel_size.width};
  weight = Parameter(uniform(-bound, bound, shape, options.dtype));
  if (options.bias) bias = Parameter(uniform(-bound, bound, {out_channels}, options.dtype));
}

Tensor Conv2d::forward(const Tensor& x) {
  const std::int64_t channels = weight.sizes()[1] * options_.groups;
  const int rank = x.defined() ? x.dim() : 0;
  if ((rank != 3 && rank != 4) || x.sizes()[rank - 3] != channels) {
    throw ShapeError("expected " + std::to_string(channels) +
                     " input channels, got input of shape " +
                     (x.defined() ? to_string(x.sizes()) : "undefined"));
  }
  return conv2d(x, weight, bias,
                {.stride = options_.stride,
                 .padding = options_.padding,
                 .dilation = options_.dilation,
                 .groups = options_.groups});
}

}  // namespace xtape::nn
