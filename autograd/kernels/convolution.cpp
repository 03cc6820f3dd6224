// SPDX-License-Identifier: BSD-3-Clause
#include "convolution.hpp"

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "../deterministic.hpp"
#include "../parallel.hpp"
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

// f(shape, first image) for the whole batch; for one part after the other, by one thread each, in
// deterministic mode.
template <class F>
void each_part(const ConvolutionShape& s, F&& f) {
  if (!are_deterministic_algorithms_enabled() || s.batch == 0) return f(s, std::int64_t{0});
  in_parts(s.batch, part_of_batch(s.batch), [&](std::int64_t begin, std::int64_t end) {
    ConvolutionShape part = s;
    part.batch = end - begin;
    f(part, begin);
  });
}

}  // namespace

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
  return volume(s.x_sizes()) == 0 || volume(s.y_sizes()) == 0;
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
  return {s.out_channels, s.depth(), weight, s.depth()};
}

// What our own Winograd kernels are the fastest for is not rounded, in whichever memory: they take
// less time in float32 than two bytes would.
Precision precision_for(const ConvolutionShape& s, Precision asked) {
  return winograd::pays(s) ? Precision::full : asked;
}

// Whether our own Winograd kernels compute it, on all threads: they are deterministic anyway.
bool is_winograd(const ConvolutionShape& s, const Strides4& x_strides, const Strides4& y_strides) {
  return winograd::pays(s) && same_memory(s.x_sizes(), x_strides, channels_last(s.x_sizes())) &&
         same_memory(s.y_sizes(), y_strides, channels_last(s.y_sizes()));
}

// Each by the engine that serves it.

template <class T>
void forward(const ConvolutionShape& shape, const T* x, const Strides4& x_strides, const T* weight,
             const T* bias, T* y, const Strides4& y_strides, Precision precision) {
#ifdef XTAPE_HAS_ONEDNN
  if constexpr (std::is_same_v<T, float>) {
    if (!is_empty(shape)) {
      const Dense<const float> in(shape.x_sizes(), x, x_strides);
      const Dense<float> out(shape.y_sizes(), y, y_strides);
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
      const RoundedImages in(shape.x_sizes(), x, x_strides);
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
      const Dense<const float> in(shape.y_sizes(), gy, gy_strides);
      const Dense<float> out(shape.x_sizes(), gx, gx_strides);
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
      const RoundedImages in(shape.y_sizes(), gy, gy_strides);
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
      const Dense<const float> in(shape.x_sizes(), x, x_strides);
      const Dense<const float> gradient(shape.y_sizes(), gy, gy_strides);
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
      const RoundedImages in(shape.x_sizes(), x, x_strides);
      const RoundedImages gradient(shape.y_sizes(), gy, gy_strides);
      return backward_weight(shape, in.data(), in.strides(), gradient.data(), gradient.strides(),
                             gweight, Precision::full);
    }
  }
  generic::convolution_backward_weight(shape, x, x_strides, gy, gy_strides, gweight);
}

}  // namespace

template <class T>
bool prefers_channels_last() {
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
    if (is_winograd(shape, x_strides, y_strides)) {
      return winograd::convolution_forward(shape, x, weight, bias, y);
    }
  }
  each_part(shape, [&](const ConvolutionShape& part, std::int64_t first) {
    forward(part, x + first * x_strides[0], x_strides, weight, bias, y + first * y_strides[0],
            y_strides, precision_for(shape, precision));
  });
}

template <class T>
void convolution_backward_data(const ConvolutionShape& shape, const T* gy,
                               const Strides4& gy_strides, const T* weight, T* gx,
                               const Strides4& gx_strides, Precision precision) {
  if constexpr (std::is_same_v<T, float>) {
    if (is_winograd(shape, gx_strides, gy_strides)) {
      return winograd::convolution_backward_data(shape, gy, weight, gx);
    }
  }
  each_part(shape, [&](const ConvolutionShape& part, std::int64_t first) {
    backward_data(part, gy + first * gy_strides[0], gy_strides, weight, gx + first * gx_strides[0],
                  gx_strides, precision_for(shape, precision));
  });
}

template <class T>
void convolution_backward_weight(const ConvolutionShape& shape, const T* x,
                                 const Strides4& x_strides, const T* gy, const Strides4& gy_strides,
                                 T* gweight, T* gbias, Precision precision) {
  // Never by oneDNN, which sums it in float32: 3e-4 off over 64 images of 24x24 equal gradients.
  if (gbias) convolution_backward_bias(shape, gy, gy_strides, gbias);
  if constexpr (std::is_same_v<T, float>) {
    if (is_winograd(shape, x_strides, gy_strides)) {
      return winograd::convolution_backward_weight(shape, x, gy, gweight);
    }
  }
  const std::int64_t images = part_of_batch(shape.batch);
  const std::int64_t parts =
      are_deterministic_algorithms_enabled() ? (shape.batch + images - 1) / images : 1;
  const PartialSums<T> sums(parts, shape.out_channels * shape.depth(), gweight);
  each_part(shape, [&](const ConvolutionShape& part, std::int64_t first) {
    backward_weight(part, x + first * x_strides[0], x_strides, gy + first * gy_strides[0],
                    gy_strides, sums.of(first / images), precision_for(shape, precision));
  });
  sums.add_up();
}

#define XTAPE_INSTANTIATE(T)                                                                  \
  template XTAPE_API bool prefers_channels_last<T>();                                         \
  template XTAPE_API void convolution_forward<T>(const ConvolutionShape&, const T*,           \
                                                 const Strides4&, const T*, const T*, T*,     \
                                                 const Strides4&, Precision);                 \
  template XTAPE_API void convolution_backward_data<T>(const ConvolutionShape&, const T*,     \
                                                       const Strides4&, const T*, T*,         \
                                                       const Strides4&, Precision);           \
  template XTAPE_API void convolution_backward_weight<T>(const ConvolutionShape&, const T*,   \
                                                         const Strides4&, const T*,           \
                                                         const Strides4&, T*, T*, Precision); \
  template XTAPE_API void convolution_backward_bias<T>(const ConvolutionShape&, const T*,     \
                                                       const Strides4&, T*);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace xtape::kernels
