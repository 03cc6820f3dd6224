// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>
#include <xtape/autograd/kernels/pooling.hpp>
#include <xtape/autograd/parallel.hpp>

namespace {

using namespace xtape::kernels;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// batch, channels, in, out, kernel, stride, pad, dilation; the last ones leave an edge unused or
// reach over it, as ceil mode does.
const PoolingShape kShapes[] = {
    {2, 3, 6, 8, 3, 4, 2, 2, 2, 2},
    {2, 16, 7, 7, 3, 3, 3, 3, 2, 2},
    {1, 70, 5, 6, 5, 6, 3, 3, 1, 1, 1, 1},
    {3, 9, 9, 11, 3, 5, 3, 2, 2, 2, 1, 0, 2, 3},
    {2, 8, 5, 5, 3, 3, 2, 2, 2, 2},
    {2, 8, 5, 140, 2, 70, 2, 2, 2, 2},
    {1, 2, 40, 40, 2, 2, 18, 17, 20, 20, 1, 1},
    {2, 8, 4, 4, 1, 1, 4, 4, 1, 1},
    {1, 8, 8, 8, 3, 3, 2, 2, 3, 3},
    {0, 8, 4, 4, 2, 2, 2, 2, 2, 2},
};

enum class Order { channels_first, channels_last, gaps, reversed };
constexpr Order kOrders[] = {Order::channels_first, Order::channels_last, Order::gaps,
                             Order::reversed};

template <class T>
struct Images {
  Strides4 sizes, strides;
  std::vector<T> memory;
  std::int64_t offset = 0;

  Images(const Strides4& n, Order order, T value = T()) : sizes(n) {
    std::int64_t count = n[0] * n[1] * n[2] * n[3];
    strides = {n[1] * n[2] * n[3], n[2] * n[3], n[3], 1};
    if (order == Order::channels_last) strides = {strides[0], 1, n[3] * n[1], n[1]};
    if (order == Order::gaps) {
      for (std::int64_t& s : strides) s *= 2;
      count *= 2;
    }
    memory.resize(static_cast<std::size_t>(count), value);
    if (order == Order::reversed && count > 0) {
      offset = (n[2] - 1) * strides[2] + (n[3] - 1) * strides[3];
      strides[2] = -strides[2], strides[3] = -strides[3];
    }
  }
  T* data() { return memory.data() + offset; }
  T& at(std::int64_t b, std::int64_t c, std::int64_t h, std::int64_t w) {
    return data()[b * strides[0] + c * strides[1] + h * strides[2] + w * strides[3]];
  }
  template <class F>
  void each(F f) {
    for (std::int64_t b = 0; b < sizes[0]; ++b)
      for (std::int64_t c = 0; c < sizes[1]; ++c)
        for (std::int64_t h = 0; h < sizes[2]; ++h)
          for (std::int64_t w = 0; w < sizes[3]; ++w) f(b, c, h, w);
  }
};

Strides4 in_sizes(const PoolingShape& s) { return {s.batch, s.channels, s.in_height, s.in_width}; }
Strides4 out_sizes(const PoolingShape& s) {
  return {s.batch, s.channels, s.out_height, s.out_width};
}

// Calls f(position, h, w) for the elements of window (i, j) that lie inside.
template <class F>
void each_in_window(const PoolingShape& s, std::int64_t i, std::int64_t j, F f) {
  for (std::int64_t p = 0; p < s.kernel_height; ++p) {
    for (std::int64_t q = 0; q < s.kernel_width; ++q) {
      const std::int64_t h = i * s.stride_height - s.pad_top + p * s.dilation_height;
      const std::int64_t w = j * s.stride_width - s.pad_left + q * s.dilation_width;
      if (h >= 0 && h < s.in_height && w >= 0 && w < s.in_width) f(p * s.kernel_width + q, h, w);
    }
  }
}

// Few different values, so that there are ties, and every kind of special one.
template <class T>
void fill_with_ties(Images<T>& x, bool special) {
  std::mt19937 generator(1);
  x.each([&](auto b, auto c, auto h, auto w) {
    const auto n = generator() % 24;
    T value = static_cast<T>(n % 5) - 2;
    if (special && n == 20) value = T(NAN);
    if (special && n == 21) value = T(kInfinity);
    if (special && (n == 22 || c == 1)) value = -T(kInfinity);
    x.at(b, c, h, w) = value;
  });
}

template <class T>
void fill_normal(Images<T>& x, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<T> distribution;
  x.each([&](auto b, auto c, auto h, auto w) { x.at(b, c, h, w) = distribution(generator); });
}

template <class T>
bool same(T a, T b) {
  return a == b || (a != a && b != b);
}

template <class T>
bool close(T a, T b) {
  return std::fabs(a - b) <= 16 * std::numeric_limits<T>::epsilon() * std::max(T(1), std::fabs(b));
}

template <class T, class Index>
void check_max(const PoolingShape& s, Order in, Order out, bool special) {
  Images<T> x(in_sizes(s), in), y(out_sizes(s), out, T(99)), gy(out_sizes(s), out);
  Images<T> gx(in_sizes(s), in, T(99)), expected_gx(in_sizes(s), in), gathered(out_sizes(s), out);
  Images<Index> where(out_sizes(s), out, Index(77));
  fill_with_ties(x, special);
  fill_normal(gy, 2);
  max_pool_forward(s, x.data(), x.strides, y.data(), y.strides, where.data(), where.strides);
  max_pool_backward(s, gy.data(), gy.strides, where.data(), where.strides, gx.data(), gx.strides);
  max_pool_gather(s, x.data(), x.strides, where.data(), where.strides, gathered.data(),
                  gathered.strides);
  bool values = true, positions = true, gathers = true;
  y.each([&](auto b, auto c, auto i, auto j) {
    T best = 0;
    std::int64_t best_position = -1, best_h = 0, best_w = 0;
    each_in_window(s, i, j, [&](auto position, auto h, auto w) {
      const T value = x.at(b, c, h, w);
      if (best_position >= 0 && !(value > best) && value == value) return;
      best = value, best_position = position, best_h = h, best_w = w;
    });
    values = values && same(y.at(b, c, i, j), best);
    positions = positions && where.at(b, c, i, j) == best_position;
    gathers = gathers && same(gathered.at(b, c, i, j), best);
    expected_gx.at(b, c, best_h, best_w) += gy.at(b, c, i, j);
  });
  bool gradients = true;
  gx.each([&](auto b, auto c, auto h, auto w) {
    gradients = gradients && close(gx.at(b, c, h, w), expected_gx.at(b, c, h, w));
  });
  BOOST_TEST(values);
  BOOST_TEST(positions);
  BOOST_TEST(gathers);
  BOOST_TEST(gradients);
}

template <class T>
void check_average(const PoolingShape& s, AverageDivisor d, Order in, Order out) {
  Images<T> x(in_sizes(s), in), y(out_sizes(s), out, T(99)), gy(out_sizes(s), out);
  Images<T> gx(in_sizes(s), in, T(99)), expected_gx(in_sizes(s), in);
  fill_normal(x, 1);
  fill_normal(gy, 2);
  average_pool_forward(s, d, x.data(), x.strides, y.data(), y.strides);
  average_pool_backward(s, d, gy.data(), gy.strides, gx.data(), gx.strides);
  bool values = true, gradients = true;
  y.each([&](auto b, auto c, auto i, auto j) {
    // The definition: elements one by one, those in the padding too where they count.
    T sum = 0;
    std::int64_t count = 0;
    for (std::int64_t p = 0; p < s.kernel_height; ++p) {
      for (std::int64_t q = 0; q < s.kernel_width; ++q) {
        const std::int64_t h = i * s.stride_height - s.pad_top + p;
        const std::int64_t w = j * s.stride_width - s.pad_left + q;
        const bool inside = h >= 0 && h < s.in_height && w >= 0 && w < s.in_width;
        const bool padding = h < s.in_height + s.pad_top && w < s.in_width + s.pad_left;
        if (inside) sum += x.at(b, c, h, w);
        if (inside || (d.count_include_pad && padding)) ++count;
      }
    }
    if (d.divisor_override != 0) count = d.divisor_override;
    values = values && close(y.at(b, c, i, j), sum / static_cast<T>(count));
    for (std::int64_t p = 0; p < s.kernel_height; ++p) {
      for (std::int64_t q = 0; q < s.kernel_width; ++q) {
        const std::int64_t h = i * s.stride_height - s.pad_top + p;
        const std::int64_t w = j * s.stride_width - s.pad_left + q;
        if (h < 0 || h >= s.in_height || w < 0 || w >= s.in_width) continue;
        expected_gx.at(b, c, h, w) += gy.at(b, c, i, j) / static_cast<T>(count);
      }
    }
  });
  gx.each([&](auto b, auto c, auto h, auto w) {
    gradients = gradients && close(gx.at(b, c, h, w), expected_gx.at(b, c, h, w));
  });
  BOOST_TEST(values);
  BOOST_TEST(gradients);
}

template <class F>
void each_shape_and_order(F f) {
  int number = 0;
  for (const PoolingShape& s : kShapes) {
    for (const Order in : kOrders) {
      for (const Order out : kOrders) {
        BOOST_TEST_INFO_SCOPE("shape " << number << ", orders " << static_cast<int>(in) << " and "
                                       << static_cast<int>(out));
        f(s, in, out);
      }
    }
    ++number;
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kernels_pooling)

BOOST_AUTO_TEST_CASE(maximum) {
  each_shape_and_order([](const PoolingShape& s, Order in, Order out) {
    for (const bool special : {false, true}) {
      check_max<float, std::int32_t>(s, in, out, special);
      check_max<double, std::int32_t>(s, in, out, special);
      if (!pooling_index_fits_byte(s)) continue;
      check_max<float, std::uint8_t>(s, in, out, special);
      check_max<double, std::uint8_t>(s, in, out, special);
    }
  });
}

BOOST_AUTO_TEST_CASE(average) {
  each_shape_and_order([](PoolingShape s, Order in, Order out) {
    s.dilation_height = s.dilation_width = 1;
    for (const AverageDivisor d : {AverageDivisor{true, 0}, {false, 0}, {true, 7}}) {
      check_average<float>(s, d, in, out);
      check_average<double>(s, d, in, out);
    }
  });
}

BOOST_AUTO_TEST_CASE(byte_indices) {
  BOOST_TEST(pooling_index_fits_byte({1, 1, 15, 17, 1, 1, 15, 17}));
  BOOST_TEST(!pooling_index_fits_byte({1, 1, 16, 16, 1, 1, 16, 16}));
}

// Nothing of the window lies inside: no element gets a gradient.
BOOST_AUTO_TEST_CASE(window_without_elements) {
  const PoolingShape s{1, 1, 1, 1, 2, 1, 1, 1, 1, 1};
  const std::vector<float> x{3}, gy{5, 7};
  std::vector<float> y(2), gx(1);
  std::vector<std::uint8_t> where(2);
  const Strides4 strides{1, 1, 1, 1};
  max_pool_forward(s, x.data(), strides, y.data(), strides, where.data(), strides);
  BOOST_TEST(y == (std::vector<float>{3, -kInfinity}), boost::test_tools::per_element());
  max_pool_backward(s, gy.data(), strides, where.data(), strides, gx.data(), strides);
  BOOST_TEST(gx[0] == 5.0f);
}

// The same of channels side by side.
BOOST_AUTO_TEST_CASE(windows_of_channels_without_elements) {
  const PoolingShape s{1, 20, 1, 1, 2, 1, 1, 1, 1, 1};
  Images<float> x(in_sizes(s), Order::channels_last), y(out_sizes(s), Order::channels_last);
  Images<std::uint8_t> where(out_sizes(s), Order::channels_last);
  fill_normal(x, 3);
  max_pool_forward(s, x.data(), x.strides, y.data(), y.strides, where.data(), where.strides);
  for (std::int64_t c = 0; c < s.channels; ++c) {
    BOOST_TEST(y.at(0, c, 0, 0) == x.at(0, c, 0, 0));
    BOOST_TEST(where.at(0, c, 0, 0) == 0);
    BOOST_TEST(y.at(0, c, 1, 0) == -kInfinity);
    BOOST_TEST(where.at(0, c, 1, 0) == 255);
  }
}

// An expanded gradient, as that of a sum.
BOOST_AUTO_TEST_CASE(gradient_of_stride_zero) {
  const PoolingShape s{1, 8, 4, 4, 2, 2, 2, 2, 2, 2};
  Images<float> x(in_sizes(s), Order::channels_last), y(out_sizes(s), Order::channels_last);
  Images<float> gx(in_sizes(s), Order::channels_last, 9.0f);
  Images<std::uint8_t> where(out_sizes(s), Order::channels_last);
  fill_normal(x, 3);
  max_pool_forward(s, x.data(), x.strides, y.data(), y.strides, where.data(), where.strides);
  const float one = 1;
  max_pool_backward(s, &one, {0, 0, 0, 0}, where.data(), where.strides, gx.data(), gx.strides);
  BOOST_TEST(std::count(gx.memory.begin(), gx.memory.end(), 1.0f) == 32);
  BOOST_TEST(std::count(gx.memory.begin(), gx.memory.end(), 0.0f) == 96);
}

BOOST_AUTO_TEST_CASE(same_bits_for_any_number_of_threads) {
  const PoolingShape s{5, 70, 30, 30, 14, 14, 3, 3, 2, 2};
  const int before = xtape::num_threads();
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    xtape::set_num_threads(threads);
    Images<float> gy(out_sizes(s), Order::channels_last), gx(in_sizes(s), Order::channels_last);
    fill_normal(gy, 4);
    average_pool_backward(s, {}, gy.data(), gy.strides, gx.data(), gx.strides);
    if (first.empty()) first = gx.memory;
    BOOST_TEST((gx.memory == first));
  }
  xtape::set_num_threads(before);
}

BOOST_AUTO_TEST_SUITE_END()
