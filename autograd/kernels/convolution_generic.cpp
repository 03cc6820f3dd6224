// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstddef>

#include "../parallel.hpp"
#include "convolution.hpp"
#include "gemm.hpp"
#include "images.hpp"
#include "parts.hpp"

// By im2col: for each image and group a matrix whose columns are the numbers that an output sees.
namespace xtape::kernels {
namespace {

using xtape::detail::parallel_for;
template <class T>
using Scratch = xtape::detail::Scratch<T>;

template <class T>
void fill(const Strides4& n, T* y, const Strides4& s, const T* per_channel) {
  for (std::int64_t b = 0; b < n[0]; ++b) {
    for (std::int64_t c = 0; c < n[1]; ++c) {
      const T value = per_channel ? per_channel[c] : T(0);
      for (std::int64_t h = 0; h < n[2]; ++h) {
        T* row = y + b * s[0] + c * s[1] + h * s[2];
        for (std::int64_t w = 0; w < n[3]; ++w) row[w * s[3]] = value;
      }
    }
  }
}

// Sizes of the matrices that a convolution becomes: columns [depth, places] of one image and group.
struct Columns {
  std::int64_t channels, depth, places, out_channels;

  explicit Columns(const ConvolutionShape& s)
      : channels(s.in_channels / s.groups),
        depth(s.depth()),
        places(s.out_height * s.out_width),
        out_channels(s.out_channels / s.groups) {}
};

// The output columns j whose input column j * stride + first lies in [0, in).
struct Span {
  std::int64_t begin, end;

  Span(std::int64_t first, std::int64_t stride, std::int64_t in, std::int64_t out) {
    const auto ceil_div = [&](std::int64_t x) { return x <= 0 ? 0 : (x + stride - 1) / stride; };
    begin = std::min(out, ceil_div(-first));
    end = std::clamp(ceil_div(in - first), begin, out);
  }
};

// Calls f(column row, input row or null, span, first) for every row of `columns`.
template <class T, class F>
void each_row(const ConvolutionShape& s, T* x, const Strides4& xs, F f) {
  const std::int64_t channels = s.in_channels / s.groups;
  std::int64_t row = 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t p = 0; p < s.kernel_height; ++p) {
      for (std::int64_t q = 0; q < s.kernel_width; ++q) {
        const std::int64_t first = q * s.dilation_width - s.pad_left;
        const Span span(first, s.stride_width, s.in_width, s.out_width);
        for (std::int64_t i = 0; i < s.out_height; ++i, row += s.out_width) {
          const std::int64_t h = i * s.stride_height - s.pad_top + p * s.dilation_height;
          const bool inside = h >= 0 && h < s.in_height;
          f(row, inside ? x + c * xs[1] + h * xs[2] : nullptr, span, first);
        }
      }
    }
  }
}

template <class T>
void gather_columns(const ConvolutionShape& s, const T* x, const Strides4& xs, T* columns) {
  const std::int64_t step = s.stride_width * xs[3];
  each_row(s, x, xs, [&](std::int64_t row, const T* in, const Span& span, std::int64_t first) {
    T* out = columns + row;
    if (in == nullptr) {
      std::fill_n(out, s.out_width, T(0));
      return;
    }
    std::fill_n(out, span.begin, T(0));
    for (std::int64_t j = span.begin; j < span.end; ++j) out[j] = in[first * xs[3] + j * step];
    std::fill(out + span.end, out + s.out_width, T(0));
  });
}

template <class T>
void scatter_columns(const ConvolutionShape& s, const T* columns, T* x, const Strides4& xs) {
  const std::int64_t step = s.stride_width * xs[3];
  each_row(s, x, xs, [&](std::int64_t row, T* out, const Span& span, std::int64_t first) {
    if (out == nullptr) return;
    const T* in = columns + row;
    for (std::int64_t j = span.begin; j < span.end; ++j) out[first * xs[3] + j * step] += in[j];
  });
}

// A 1x1 kernel needs no columns: the image is the matrix already.
bool is_product(const ConvolutionShape& s, const Strides4& x_strides) {
  const Strides4 sizes{1, s.in_channels, s.in_height, s.in_width};
  return s.kernel_height == 1 && s.kernel_width == 1 && s.stride_height == 1 &&
         s.stride_width == 1 && s.pad_top == 0 && s.pad_left == 0 && s.out_height == s.in_height &&
         s.out_width == s.in_width && same_memory(sizes, x_strides, channels_first(sizes));
}

bool image_is_dense(const Strides4& sizes, const Strides4& strides) {
  const Strides4 image{1, sizes[1], sizes[2], sizes[3]};
  return same_memory(image, strides, channels_first(image));
}

}  // namespace

namespace generic {

template <class T>
void convolution_forward(const ConvolutionShape& s, const T* x, const Strides4& x_strides,
                         const T* weight, const T* bias, T* y, const Strides4& y_strides) {
  const Columns n(s);
  const Strides4 sizes = s.y_sizes(), dense = channels_first(sizes);
  if (n.depth == 0 || volume(sizes) == 0) return fill(sizes, y, y_strides, bias);
  const bool direct = is_product(s, x_strides), dense_y = image_is_dense(sizes, y_strides);
  parallel_for(s.batch, 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> columns(direct ? 0 : n.depth * n.places);
    const Scratch<T> image(dense_y ? 0 : s.out_channels * n.places);
    for (std::int64_t b = begin; b < end; ++b) {
      T* target = dense_y ? y + b * y_strides[0] : image.data();
      for (std::int64_t g = 0; g < s.groups; ++g) {
        const T* source = x + b * x_strides[0] + g * n.channels * x_strides[1];
        T* out = target + g * n.out_channels * n.places;
        if (!direct) gather_columns(s, source, x_strides, columns.data());
        for (std::int64_t o = 0; bias && o < n.out_channels; ++o) {
          std::fill_n(out + o * n.places, n.places, bias[g * n.out_channels + o]);
        }
        gemm(false, false, n.out_channels, n.places, n.depth, T(1),
             weight + g * n.out_channels * n.depth, n.depth, direct ? source : columns.data(),
             n.places, bias ? T(1) : T(0), out, n.places);
      }
      if (!dense_y) copy_image(sizes, target, dense, y + b * y_strides[0], y_strides);
    }
  });
}

template <class T>
void convolution_backward_data(const ConvolutionShape& s, const T* gy, const Strides4& gy_strides,
                               const T* weight, T* gx, const Strides4& gx_strides) {
  const Columns n(s);
  const Strides4 sizes = s.y_sizes(), dense = channels_first(sizes);
  const T* const no_bias = nullptr;
  if (volume(s.x_sizes()) == 0) return;
  if (n.depth == 0 || volume(sizes) == 0) return fill(s.x_sizes(), gx, gx_strides, no_bias);
  const bool dense_y = image_is_dense(sizes, gy_strides);
  parallel_for(s.batch, 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<T> columns(n.depth * n.places);
    const Scratch<T> image(dense_y ? 0 : s.out_channels * n.places);
    for (std::int64_t b = begin; b < end; ++b) {
      const T* source = gy + b * gy_strides[0];
      if (!dense_y) {
        copy_image(sizes, source, gy_strides, image.data(), dense);
        source = image.data();
      }
      T* target = gx + b * gx_strides[0];
      fill({1, s.in_channels, s.in_height, s.in_width}, target, gx_strides, no_bias);
      for (std::int64_t g = 0; g < s.groups; ++g) {
        gemm(true, false, n.depth, n.places, n.out_channels, T(1),
             weight + g * n.out_channels * n.depth, n.depth, source + g * n.out_channels * n.places,
             n.places, T(0), columns.data(), n.places);
        scatter_columns(s, columns.data(), target + g * n.channels * gx_strides[1], gx_strides);
      }
    }
  });
}

template <class T>
void convolution_backward_weight(const ConvolutionShape& s, const T* x, const Strides4& x_strides,
                                 const T* gy, const Strides4& gy_strides, T* gweight) {
  const Columns n(s);
  const Strides4 sizes = s.y_sizes(), dense = channels_first(sizes);
  const std::int64_t count = s.out_channels * n.depth;
  std::fill_n(gweight, count, T(0));
  if (count == 0 || volume(sizes) == 0 || volume(s.x_sizes()) == 0) return;
  const bool direct = is_product(s, x_strides), dense_y = image_is_dense(sizes, gy_strides);
  const std::int64_t grain = part_of_batch(s.batch), parts = (s.batch + grain - 1) / grain;
  const PartialSums<T> sums(parts, count, gweight);
  parallel_for(parts, 1, [&](std::int64_t first, std::int64_t last) {
    const Scratch<T> columns(direct ? 0 : n.depth * n.places);
    const Scratch<T> image(dense_y ? 0 : s.out_channels * n.places);
    for (std::int64_t part = first; part < last; ++part) {
      T* sum = sums.of(part);
      for (std::int64_t b = part * grain; b < std::min(s.batch, (part + 1) * grain); ++b) {
        const T* g_image = gy + b * gy_strides[0];
        if (!dense_y) {
          copy_image(sizes, g_image, gy_strides, image.data(), dense);
          g_image = image.data();
        }
        for (std::int64_t g = 0; g < s.groups; ++g) {
          const T* source = x + b * x_strides[0] + g * n.channels * x_strides[1];
          if (!direct) gather_columns(s, source, x_strides, columns.data());
          gemm(false, true, n.out_channels, n.depth, n.places, T(1),
               g_image + g * n.out_channels * n.places, n.places, direct ? source : columns.data(),
               n.places, b == part * grain ? T(0) : T(1), sum + g * n.out_channels * n.depth,
               n.depth);
        }
      }
    }
  });
  sums.add_up();
}

}  // namespace generic

#define XTAPE_INSTANTIATE(T)                                                                       \
  template XTAPE_API void generic::convolution_forward<T>(const ConvolutionShape&, const T*,       \
                                                          const Strides4&, const T*, const T*, T*, \
                                                          const Strides4&);                        \
  template XTAPE_API void generic::convolution_backward_data<T>(                                   \
      const ConvolutionShape&, const T*, const Strides4&, const T*, T*, const Strides4&);          \
  template XTAPE_API void generic::convolution_backward_weight<T>(                                 \
      const ConvolutionShape&, const T*, const Strides4&, const T*, const Strides4&, T*);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace xtape::kernels
