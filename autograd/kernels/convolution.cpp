// SPDX-License-Identifier: BSD-3-Clause
#include "convolution.hpp"

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "../deterministic.hpp"
#include "../parallel.hpp"
#include "gemm.hpp"
#include "images.hpp"
#include "parts.hpp"
#include "winograd.hpp"
#ifdef XTAPE_HAS_ONEDNN
#include "convolution_onednn.hpp"
#endif

namespace xtape::kernels {
namespace {

using xtape::detail::parallel_for;
template <class T>
using Scratch = xtape::detail::Scratch<T>;

Strides4 x_sizes(const ConvolutionShape& s) {
  return {s.batch, s.in_channels, s.in_height, s.in_width};
}

Strides4 y_sizes(const ConvolutionShape& s) {
  return {s.batch, s.out_channels, s.out_height, s.out_width};
}

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
        depth(channels * s.kernel_height * s.kernel_width),
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

// The batch is divided into at most 8 parts, however many threads there are.
std::int64_t images_of_part(const ConvolutionShape& s) {
  return std::max<std::int64_t>(1, (s.batch + 7) / 8);
}

std::int64_t parts_of(const ConvolutionShape& s) {
  const std::int64_t images = images_of_part(s);
  return (s.batch + images - 1) / images;
}

// f(shape, first image) for the whole batch; for one part after the other, by one thread each, in
// deterministic mode.
template <class F>
void each_part(const ConvolutionShape& s, F&& f) {
  if (!are_deterministic_algorithms_enabled() || s.batch == 0) return f(s, std::int64_t{0});
  in_parts(s.batch, images_of_part(s), [&](std::int64_t begin, std::int64_t end) {
    ConvolutionShape part = s;
    part.batch = end - begin;
    f(part, begin);
  });
}

}  // namespace

namespace generic {

template <class T>
void convolution_forward(const ConvolutionShape& s, const T* x, const Strides4& x_strides,
                         const T* weight, const T* bias, T* y, const Strides4& y_strides) {
  const Columns n(s);
  const Strides4 sizes = y_sizes(s), dense = channels_first(sizes);
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
  const Strides4 sizes = y_sizes(s), dense = channels_first(sizes);
  const T* const no_bias = nullptr;
  if (volume(x_sizes(s)) == 0) return;
  if (n.depth == 0 || volume(sizes) == 0) return fill(x_sizes(s), gx, gx_strides, no_bias);
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
  const Strides4 sizes = y_sizes(s), dense = channels_first(sizes);
  const std::int64_t count = s.out_channels * n.depth;
  std::fill_n(gweight, count, T(0));
  if (count == 0 || volume(sizes) == 0 || volume(x_sizes(s)) == 0) return;
  const bool direct = is_product(s, x_strides), dense_y = image_is_dense(sizes, gy_strides);
  const std::int64_t grain = images_of_part(s), parts = parts_of(s);
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

template <class T>
void convolution_backward_bias(const ConvolutionShape& s, const T* gy, const Strides4& gy_strides,
                               T* gbias) {
  parallel_for(s.out_channels, 16, [&](std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t kMost = 16;  // channels summed side by side, for channels-last memory
    double sums[kMost] = {};
    const std::int64_t step = gy_strides[1];
    for (std::int64_t b = 0; b < s.batch; ++b) {
      for (std::int64_t i = 0; i < s.out_height; ++i) {
        const T* row = gy + b * gy_strides[0] + begin * step + i * gy_strides[2];
        for (std::int64_t j = 0; j < s.out_width; ++j) {
          for (std::int64_t c = 0; c < end - begin; ++c)
            sums[c] += row[j * gy_strides[3] + c * step];
        }
      }
    }
    for (std::int64_t c = begin; c < end; ++c) gbias[c] = static_cast<T>(sums[c - begin]);
  });
}

#ifdef XTAPE_HAS_ONEDNN
namespace {

// Input or output of oneDNN: dense memory as it is, any other by way of a channels-last copy.
template <class T>
class Dense {
 public:
  Dense(const Strides4& sizes, T* data, const Strides4& strides)
      : sizes_(sizes),
        strides_(strides),
        data_(data),
        is_last_(same_memory(sizes, strides, channels_last(sizes))),
        is_first_(!is_last_ && same_memory(sizes, strides, channels_first(sizes))),
        copy_(copied() ? static_cast<std::size_t>(volume(sizes)) : 0) {}
  T* data() const { return copied() ? copy_.data() : data_; }
  onednn::Layout layout() const {
    return is_first_ ? onednn::Layout::channels_first : onednn::Layout::channels_last;
  }
  void read() const {
    if (copied()) copy_images<Value>(sizes_, data_, strides_, copy_.data(), channels_last(sizes_));
  }
  void write() const {
    if (copied()) copy_images<Value>(sizes_, copy_.data(), channels_last(sizes_), data_, strides_);
  }

 private:
  using Value = std::remove_const_t<T>;

  bool copied() const { return !is_last_ && !is_first_; }

  Strides4 sizes_, strides_;
  T* data_;
  bool is_last_, is_first_;
  Scratch<Value> copy_;
};

bool is_empty(const ConvolutionShape& s) {
  return volume(x_sizes(s)) == 0 || volume(y_sizes(s)) == 0;
}

}  // namespace
#endif

namespace {

// Pictures rounded to bfloat16, as float32: where no engine takes two bytes.
class RoundedImages {
 public:
  RoundedImages(const Strides4& sizes, const float* x, const Strides4& strides)
      : strides_(channels_last(sizes)), data_(static_cast<std::size_t>(volume(sizes))) {
    copy_images(sizes, x, strides, data_.data(), strides_);
    round_to_bfloat16(volume(sizes), data_.data(), data_.data());
  }
  const float* data() const { return data_.data(); }
  const Strides4& strides() const { return strides_; }

 private:
  Strides4 strides_;
  Scratch<float> data_;
};

Rounded<float> rounded_weight(const ConvolutionShape& s, const float* weight) {
  const std::int64_t depth = Columns(s).depth;
  return {s.out_channels, depth, weight, depth};
}

// Whether our own Winograd kernels compute it, on all threads: they are deterministic anyway.
bool is_winograd(const ConvolutionShape& s, const Strides4& x_strides, const Strides4& y_strides,
                 Precision precision) {
  return precision == Precision::full && winograd::pays(s) &&
         same_memory(x_sizes(s), x_strides, channels_last(x_sizes(s))) &&
         same_memory(y_sizes(s), y_strides, channels_last(y_sizes(s)));
}

// Each by the engine that serves it.

template <class T>
void forward(const ConvolutionShape& shape, const T* x, const Strides4& x_strides, const T* weight,
             const T* bias, T* y, const Strides4& y_strides, Precision precision) {
#ifdef XTAPE_HAS_ONEDNN
  if constexpr (std::is_same_v<T, float>) {
    if (!is_empty(shape)) {
      const Dense<const float> in(x_sizes(shape), x, x_strides);
      const Dense<float> out(y_sizes(shape), y, y_strides);
      in.read();
      if (onednn::convolution_forward(shape, in.data(), in.layout(), weight, bias, out.data(),
                                      out.layout(), precision)) {
        return out.write();
      }
    }
  }
#endif
  if constexpr (std::is_same_v<T, float>) {
    if (precision == Precision::bfloat16) {
      const RoundedImages in(x_sizes(shape), x, x_strides);
      const auto near = rounded_weight(shape, weight);
      return forward(shape, in.data(), in.strides(), near.data(), bias, y, y_strides,
                     Precision::full);
    }
  }
  generic::convolution_forward(shape, x, x_strides, weight, bias, y, y_strides);
}

template <class T>
void backward_data(const ConvolutionShape& shape, const T* gy, const Strides4& gy_strides,
                   const T* weight, T* gx, const Strides4& gx_strides, Precision precision) {
#ifdef XTAPE_HAS_ONEDNN
  if constexpr (std::is_same_v<T, float>) {
    if (!is_empty(shape)) {
      const Dense<const float> in(y_sizes(shape), gy, gy_strides);
      const Dense<float> out(x_sizes(shape), gx, gx_strides);
      in.read();
      if (onednn::convolution_backward_data(shape, in.data(), in.layout(), weight, out.data(),
                                            out.layout(), precision)) {
        return out.write();
      }
    }
  }
#endif
  if constexpr (std::is_same_v<T, float>) {
    if (precision == Precision::bfloat16) {
      const RoundedImages in(y_sizes(shape), gy, gy_strides);
      const auto near = rounded_weight(shape, weight);
      return backward_data(shape, in.data(), in.strides(), near.data(), gx, gx_strides,
                           Precision::full);
    }
  }
  generic::convolution_backward_data(shape, gy, gy_strides, weight, gx, gx_strides);
}

template <class T>
void backward_weight(const ConvolutionShape& shape, const T* x, const Strides4& x_strides,
                     const T* gy, const Strides4& gy_strides, T* gweight, Precision precision) {
#ifdef XTAPE_HAS_ONEDNN
  if constexpr (std::is_same_v<T, float>) {
    if (!is_empty(shape)) {
      const Dense<const float> in(x_sizes(shape), x, x_strides);
      const Dense<const float> gradient(y_sizes(shape), gy, gy_strides);
      in.read();
      gradient.read();
      if (onednn::convolution_backward_weight(shape, in.data(), in.layout(), gradient.data(),
                                              gradient.layout(), gweight, precision)) {
        return;
      }
    }
  }
#endif
  if constexpr (std::is_same_v<T, float>) {
    if (precision == Precision::bfloat16) {
      const RoundedImages in(x_sizes(shape), x, x_strides);
      const RoundedImages gradient(y_sizes(shape), gy, gy_strides);
      return backward_weight(shape, in.data(), in.strides(), gradient.data(), gradient.strides(),
                             gweight, Precision::full);
    }
  }
  generic::convolution_backward_weight(shape, x, x_strides, gy, gy_strides, gweight);
}

}  // namespace

template <class T>
bool prefers_channels_last([[maybe_unused]] const ConvolutionShape& shape) {
#ifdef XTAPE_HAS_ONEDNN
  return std::is_same_v<T, float>;
#else
  return false;
#endif
}

template <class T>
void convolution_forward(const ConvolutionShape& shape, const T* x, const Strides4& x_strides,
                         const T* weight, const T* bias, T* y, const Strides4& y_strides,
                         Precision precision) {
  if constexpr (std::is_same_v<T, float>) {
    if (is_winograd(shape, x_strides, y_strides, precision)) {
      return winograd::convolution_forward(shape, x, weight, bias, y);
    }
  }
  each_part(shape, [&](const ConvolutionShape& part, std::int64_t first) {
    forward(part, x + first * x_strides[0], x_strides, weight, bias, y + first * y_strides[0],
            y_strides, precision);
  });
}

template <class T>
void convolution_backward_data(const ConvolutionShape& shape, const T* gy,
                               const Strides4& gy_strides, const T* weight, T* gx,
                               const Strides4& gx_strides, Precision precision) {
  if constexpr (std::is_same_v<T, float>) {
    if (is_winograd(shape, gx_strides, gy_strides, precision)) {
      return winograd::convolution_backward_data(shape, gy, weight, gx);
    }
  }
  each_part(shape, [&](const ConvolutionShape& part, std::int64_t first) {
    backward_data(part, gy + first * gy_strides[0], gy_strides, weight, gx + first * gx_strides[0],
                  gx_strides, precision);
  });
}

template <class T>
void convolution_backward_weight(const ConvolutionShape& shape, const T* x,
                                 const Strides4& x_strides, const T* gy, const Strides4& gy_strides,
                                 T* gweight, T* gbias, Precision precision) {
  // Never by oneDNN, which sums it in float32: 3e-4 off over 64 images of 24x24 equal gradients.
  if (gbias) convolution_backward_bias(shape, gy, gy_strides, gbias);
  if constexpr (std::is_same_v<T, float>) {
    if (is_winograd(shape, x_strides, gy_strides, precision)) {
      return winograd::convolution_backward_weight(shape, x, gy, gweight);
    }
  }
  const std::int64_t parts = are_deterministic_algorithms_enabled() ? parts_of(shape) : 1;
  const PartialSums<T> sums(parts, shape.out_channels * Columns(shape).depth, gweight);
  each_part(shape, [&](const ConvolutionShape& part, std::int64_t first) {
    backward_weight(part, x + first * x_strides[0], x_strides, gy + first * gy_strides[0],
                    gy_strides, sums.of(first / images_of_part(shape)), precision);
  });
  sums.add_up();
}

#define XTAPE_INSTANTIATE(T)                                                                       \
  template XTAPE_API bool prefers_channels_last<T>(const ConvolutionShape&);                       \
  template XTAPE_API void convolution_forward<T>(const ConvolutionShape&, const T*,                \
                                                 const Strides4&, const T*, const T*, T*,          \
                                                 const Strides4&, Precision);                      \
  template XTAPE_API void convolution_backward_data<T>(const ConvolutionShape&, const T*,          \
                                                       const Strides4&, const T*, T*,              \
                                                       const Strides4&, Precision);                \
  template XTAPE_API void convolution_backward_weight<T>(const ConvolutionShape&, const T*,        \
                                                         const Strides4&, const T*,                \
                                                         const Strides4&, T*, T*, Precision);      \
  template XTAPE_API void convolution_backward_bias<T>(const ConvolutionShape&, const T*,          \
                                                       const Strides4&, T*);                       \
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
