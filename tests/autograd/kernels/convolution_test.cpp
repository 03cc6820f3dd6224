// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <thread>
#include <type_traits>
#include <vector>
#include <xtape/autograd/kernels/convolution.hpp>
#include <xtape/autograd/kernels/winograd.hpp>
#include <xtape/autograd/parallel.hpp>

namespace {

using xtape::kernels::ConvolutionShape;
using xtape::kernels::Strides4;

struct Options {
  std::int64_t stride = 1, pad = 0, dilation = 1, groups = 1;
  std::int64_t unused_edge = 0;  // rows and columns that no window reaches
  bool winograd = false;         // what the rule of the float32 engine gives to Winograd
};

struct Case {
  const char* name;
  std::int64_t batch, in, height, width, out, kernel_height, kernel_width;
  Options options;

  ConvolutionShape shape() const {
    const Options& o = options;
    const auto size = [&](std::int64_t n, std::int64_t k) {
      return (n + 2 * o.pad - (k - 1) * o.dilation - 1) / o.stride + 1;
    };
    return {batch,
            in,
            height,
            width,
            out,
            size(height - o.unused_edge, kernel_height),
            size(width - o.unused_edge, kernel_width),
            kernel_height,
            kernel_width,
            o.stride,
            o.stride,
            o.pad,
            o.pad,
            o.dilation,
            o.dilation,
            o.groups};
  }
};

const Case kCases[] = {
    {"one", 1, 1, 1, 1, 1, 1, 1, {}},
    {"gray", 3, 1, 9, 8, 5, 3, 3, {}},
    {"color", 2, 3, 7, 9, 4, 3, 2, {.pad = 1}},
    {"strided", 2, 6, 11, 8, 16, 3, 3, {.stride = 2, .pad = 1}},
    {"dilated", 2, 4, 12, 11, 3, 3, 3, {.pad = 2, .dilation = 2}},
    {"wide_pad", 1, 2, 3, 3, 2, 2, 2, {.stride = 3, .pad = 5}},
    {"grouped", 2, 8, 6, 7, 12, 3, 3, {.pad = 1, .groups = 4}},
    {"depthwise", 2, 16, 6, 7, 16, 3, 3, {.pad = 1, .groups = 16}},
    {"pointwise", 3, 16, 5, 6, 24, 1, 1, {}},
    {"whole_image", 4, 3, 5, 5, 7, 5, 5, {}},
    {"unused_edge", 2, 3, 12, 12, 8, 3, 3, {.stride = 2, .unused_edge = 5}},
    {"large_batch", 19, 16, 8, 8, 16, 3, 3, {.winograd = true}},
    {"winograd", 4, 32, 16, 15, 32, 3, 3, {.winograd = true}},
    {"winograd_pad", 6, 17, 12, 12, 24, 3, 3, {.pad = 1, .winograd = true}},
    {"winograd_odd", 6, 20, 13, 11, 35, 3, 3, {.pad = 1, .winograd = true}},
    {"winograd_unused_edge", 6, 20, 14, 14, 20, 3, 3, {.unused_edge = 2, .winograd = true}},
    {"less_padding_below", 6, 20, 13, 11, 35, 3, 3, {.pad = 1, .unused_edge = 1}},
    {"winograd_wider", 4, 16, 13, 18, 32, 3, 3, {.pad = 1, .winograd = true}},
    {"winograd_narrower", 5, 48, 14, 15, 16, 3, 3, {.winograd = true}},
    {"winograd_pad_2", 10, 16, 5, 6, 16, 3, 3, {.pad = 2, .winograd = true}},
    {"winograd_one_tile", 1, 16, 3, 4, 16, 3, 3, {.pad = 1, .winograd = true}},
};

// Memory orders that a view may have; `expanded` is one number for all places, as sum's gradient.
enum class Order { channels_first, channels_last, gaps, reversed, expanded };

// A tensor in memory of some order, with its values in plain NCHW order beside it.
template <class T>
struct Images {
  Strides4 sizes, strides;
  std::vector<T> memory;
  std::int64_t offset = 0;

  Images(const Strides4& n, Order order) : sizes(n) {
    std::int64_t count = n[0] * n[1] * n[2] * n[3];
    if (order == Order::channels_last) {
      strides = {n[1] * n[2] * n[3], 1, n[3] * n[1], n[1]};
    } else if (order == Order::gaps) {
      strides = {n[1] * n[2] * (2 * n[3] + 3), n[2] * (2 * n[3] + 3), 2 * n[3] + 3, 2};
      count = n[0] * strides[0];
    } else if (order == Order::expanded) {
      strides = {0, 1, 0, 0};
      count = n[1];
    } else {
      strides = {n[1] * n[2] * n[3], n[2] * n[3], n[3], 1};
    }
    // One element before the data: nothing may rely on alignment.
    memory.resize(static_cast<std::size_t>(count + 1));
    offset = 1;
    if (order == Order::reversed) {
      offset += (n[2] - 1) * strides[2] + (n[3] - 1) * strides[3];
      strides[2] = -strides[2];
      strides[3] = -strides[3];
    }
  }
  T* data() { return memory.data() + offset; }
  T& at(std::int64_t b, std::int64_t c, std::int64_t h, std::int64_t w) {
    return data()[b * strides[0] + c * strides[1] + h * strides[2] + w * strides[3]];
  }
  template <class F>
  void each(F f) {
    std::size_t i = 0;
    for (std::int64_t b = 0; b < sizes[0]; ++b)
      for (std::int64_t c = 0; c < sizes[1]; ++c)
        for (std::int64_t h = 0; h < sizes[2]; ++h)
          for (std::int64_t w = 0; w < sizes[3]; ++w) f(at(b, c, h, w), i++);
  }
  std::vector<double> plain() {
    std::vector<double> result;
    each([&](T x, std::size_t) { result.push_back(static_cast<double>(x)); });
    return result;
  }
};

// Rounded to float32, so that both float types see the same numbers.
void fill_normal(auto& target, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> distribution;
  if constexpr (requires { target.memory; }) {
    target.each([&](auto& x, std::size_t) { x = distribution(generator); });
  } else {
    for (auto& x : target) x = distribution(generator);
  }
}

// The definition: calls f(x index, weight index, y index) for every product that it sums.
template <class F>
void each_product(const ConvolutionShape& s, F f) {
  const std::int64_t channels = s.in_channels / s.groups, outs = s.out_channels / s.groups;
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t o = 0; o < s.out_channels; ++o)
      for (std::int64_t i = 0; i < s.out_height; ++i)
        for (std::int64_t j = 0; j < s.out_width; ++j)
          for (std::int64_t c = 0; c < channels; ++c)
            for (std::int64_t p = 0; p < s.kernel_height; ++p)
              for (std::int64_t q = 0; q < s.kernel_width; ++q) {
                const std::int64_t h = i * s.stride_height - s.pad_top + p * s.dilation_height;
                const std::int64_t w = j * s.stride_width - s.pad_left + q * s.dilation_width;
                if (h < 0 || h >= s.in_height || w < 0 || w >= s.in_width) continue;
                const std::int64_t x_channel = o / outs * channels + c;
                f(((b * s.in_channels + x_channel) * s.in_height + h) * s.in_width + w,
                  ((o * channels + c) * s.kernel_height + p) * s.kernel_width + q,
                  ((b * s.out_channels + o) * s.out_height + i) * s.out_width + j);
              }
}

// Sums, and the sums of their terms' magnitudes, which bound their rounding.
struct Sums {
  std::vector<double> value, magnitude;

  explicit Sums(std::size_t count) : value(count), magnitude(count) {}
  void add(std::int64_t index, double x) {
    value[static_cast<std::size_t>(index)] += x;
    magnitude[static_cast<std::size_t>(index)] += std::fabs(x);
  }
};

struct Reference {
  Sums y, biased_y, gx, gweight, gbias;

  Reference(const ConvolutionShape& s, const std::vector<double>& x,
            const std::vector<double>& weight, const std::vector<double>& bias,
            const std::vector<double>& gy)
      : y(gy.size()), biased_y(0), gx(x.size()), gweight(weight.size()), gbias(bias.size()) {
    each_product(s, [&](std::int64_t ix, std::int64_t iw, std::int64_t iy) {
      const double x_value = x[static_cast<std::size_t>(ix)];
      const double w_value = weight[static_cast<std::size_t>(iw)];
      const double g_value = gy[static_cast<std::size_t>(iy)];
      y.add(iy, x_value * w_value);
      gx.add(ix, g_value * w_value);
      gweight.add(iw, x_value * g_value);
    });
    biased_y = y;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(gy.size()); ++i) {
      const std::int64_t channel = i / (s.out_height * s.out_width) % s.out_channels;
      biased_y.add(i, bias[static_cast<std::size_t>(channel)]);
      gbias.add(channel, gy[static_cast<std::size_t>(i)]);
    }
  }
};

// The error of each element over the magnitude of its terms; with `shared` at least over the mean
// of magnitudes, since the outputs of a Winograd tile share their roundings: those of a corner,
// which has few terms, are its neighbours'.
void check_close(const std::vector<double>& got, const Sums& expected, double tolerance,
                 const char* what, bool shared = false) {
  BOOST_REQUIRE(got.size() == expected.value.size());
  double worst = 0, least = 0;
  for (const double magnitude : expected.magnitude) least += magnitude;
  least = shared ? least / static_cast<double>(got.size()) : 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) BOOST_FAIL(what << ": an element is not finite");
    const double error = std::fabs(got[i] - expected.value[i]);
    if (error > 0) worst = std::max(worst, error / std::max(expected.magnitude[i], least));
  }
  BOOST_TEST_INFO_SCOPE(what);
  BOOST_TEST(worst <= tolerance);
}

enum class Engine { chosen, generic };

// A few roundings of each term; Winograd F(4x4, 3x3) multiplies by factors up to 8 on the way.
template <class T>
double tolerance(bool winograd) {
  return (winograd ? 32 : 4) * static_cast<double>(std::numeric_limits<T>::epsilon());
}

template <class T>
struct Run {
  ConvolutionShape s;
  Engine engine;
  Images<T>&x, &gy, &y, &gx;
  std::vector<T>&weight, &bias, &gweight, &gbias;

  void forward(const T* b) {
    if (engine == Engine::generic) {
      xtape::kernels::generic::convolution_forward(s, x.data(), x.strides, weight.data(), b,
                                                   y.data(), y.strides);
    } else {
      xtape::kernels::convolution_forward(s, x.data(), x.strides, weight.data(), b, y.data(),
                                          y.strides);
    }
  }
  void backward_data() {
    if (engine == Engine::generic) {
      xtape::kernels::generic::convolution_backward_data(s, gy.data(), gy.strides, weight.data(),
                                                         gx.data(), gx.strides);
    } else {
      xtape::kernels::convolution_backward_data(s, gy.data(), gy.strides, weight.data(), gx.data(),
                                                gx.strides);
    }
  }
  void backward_weight(bool with_bias) {
    std::fill(gweight.begin(), gweight.end(), T(NAN));
    if (engine == Engine::chosen) {
      xtape::kernels::convolution_backward_weight(s, x.data(), x.strides, gy.data(), gy.strides,
                                                  gweight.data(),
                                                  with_bias ? gbias.data() : nullptr);
    } else {
      xtape::kernels::generic::convolution_backward_weight(s, x.data(), x.strides, gy.data(),
                                                           gy.strides, gweight.data());
      xtape::kernels::convolution_backward_bias(s, gy.data(), gy.strides, gbias.data());
    }
  }
};

// `known` is the reference for tensors that are not expanded, made by the first that needs it.
template <class T>
void check_case(const Case& c, Order x_order, Order y_order, Engine engine,
                std::optional<Reference>& known) {
  const ConvolutionShape s = c.shape();
  const Strides4 x_sizes{s.batch, s.in_channels, s.in_height, s.in_width};
  const Strides4 y_sizes{s.batch, s.out_channels, s.out_height, s.out_width};
  // Results may not be expanded; they take another order then.
  const auto result_order = [](Order o) { return o == Order::expanded ? Order::channels_last : o; };
  Images<T> x(x_sizes, x_order), gy(y_sizes, y_order);
  Images<T> y(y_sizes, result_order(y_order)), gx(x_sizes, result_order(x_order));
  std::vector<T> weight(static_cast<std::size_t>(s.out_channels * (s.in_channels / s.groups) *
                                                 s.kernel_height * s.kernel_width));
  std::vector<T> bias(static_cast<std::size_t>(s.out_channels)), gweight(weight.size()),
      gbias(bias.size(), T(NAN));
  fill_normal(x, 1);
  fill_normal(gy, 2);
  fill_normal(weight, 3);
  fill_normal(bias, 4);
  std::fill(y.memory.begin(), y.memory.end(), T(NAN));
  std::fill(gx.memory.begin(), gx.memory.end(), T(NAN));

  const auto make = [&] {
    return Reference(s, x.plain(), {weight.begin(), weight.end()}, {bias.begin(), bias.end()},
                     gy.plain());
  };
  std::optional<Reference> own;
  const bool expanded = x_order == Order::expanded || y_order == Order::expanded;
  std::optional<Reference>& slot = expanded ? own : known;
  if (!slot) slot = make();
  const Reference& expected = *slot;

  BOOST_TEST_INFO_SCOPE(c.name << ", orders " << static_cast<int>(x_order) << " and "
                               << static_cast<int>(y_order));
  const bool winograd = c.options.winograd && engine == Engine::chosen && std::is_same_v<T, float>;
  const double bound = tolerance<T>(winograd);
  Run<T> run{s, engine, x, gy, y, gx, weight, bias, gweight, gbias};
  run.forward(nullptr);
  check_close(y.plain(), expected.y, bound, "forward", winograd);
  run.forward(bias.data());
  check_close(y.plain(), expected.biased_y, bound, "forward with bias", winograd);
  run.backward_data();
  check_close(gx.plain(), expected.gx, bound, "backward data", winograd);
  run.backward_weight(true);
  check_close({gweight.begin(), gweight.end()}, expected.gweight, bound, "backward weight",
              winograd);
  check_close({gbias.begin(), gbias.end()}, expected.gbias, tolerance<T>(false), "backward bias");
  run.backward_weight(false);
  check_close({gweight.begin(), gweight.end()}, expected.gweight, bound, "without bias", winograd);
}

constexpr Order kOrders[] = {Order::channels_first, Order::channels_last, Order::gaps,
                             Order::reversed};

template <class T>
void check_cases(Engine engine) {
  for (const Case& c : kCases) {
    if (c.options.winograd && (engine == Engine::generic || !std::is_same_v<T, float>)) continue;
    std::optional<Reference> known;
    for (const Order order : kOrders) check_case<T>(c, order, order, engine, known);
    check_case<T>(c, Order::channels_first, Order::channels_last, engine, known);
    check_case<T>(c, Order::channels_last, Order::channels_first, engine, known);
    // Never both expanded: equal terms round alike, and their errors add up.
    check_case<T>(c, Order::channels_last, Order::expanded, engine, known);
    check_case<T>(c, Order::expanded, Order::channels_first, engine, known);
  }
}

void check_winograd(const Case& c) {
  namespace winograd = xtape::kernels::winograd;
  const ConvolutionShape s = c.shape();
  Images<float> x({s.batch, s.in_channels, s.in_height, s.in_width}, Order::channels_last);
  Images<float> y({s.batch, s.out_channels, s.out_height, s.out_width}, Order::channels_last);
  Images<float> gx = x, gy = y;
  std::vector<float> weight(static_cast<std::size_t>(s.out_channels * s.in_channels * 9));
  std::vector<float> gweight = weight, bias(static_cast<std::size_t>(s.out_channels));
  fill_normal(x, 1);
  fill_normal(gy, 2);
  fill_normal(weight, 3);
  fill_normal(bias, 4);
  const Reference expected(s, x.plain(), {weight.begin(), weight.end()}, {bias.begin(), bias.end()},
                           gy.plain());
  BOOST_TEST_INFO_SCOPE(c.name);
  const double bound = tolerance<float>(true);
  winograd::convolution_forward(s, x.data(), weight.data(), nullptr, y.data());
  check_close(y.plain(), expected.y, bound, "forward", true);
  winograd::convolution_forward(s, x.data(), weight.data(), bias.data(), y.data());
  check_close(y.plain(), expected.biased_y, bound, "forward with bias", true);
  winograd::convolution_backward_data(s, gy.data(), weight.data(), gx.data());
  check_close(gx.plain(), expected.gx, bound, "backward data", true);
  winograd::convolution_backward_weight(s, x.data(), gy.data(), gweight.data());
  check_close({gweight.begin(), gweight.end()}, expected.gweight, bound, "backward weight", true);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kernels_convolution)

BOOST_AUTO_TEST_CASE(float32_against_the_definition) { check_cases<float>(Engine::chosen); }
BOOST_AUTO_TEST_CASE(float64_against_the_definition) { check_cases<double>(Engine::chosen); }
BOOST_AUTO_TEST_CASE(generic_engine_float32) { check_cases<float>(Engine::generic); }

// On every processor and on few tiles too, where the rule takes another engine.
BOOST_AUTO_TEST_CASE(winograd_against_the_definition) {
  int served = 0;
  for (const Case& c : kCases) {
    if (!xtape::kernels::winograd::serves(c.shape())) continue;
    ++served;
    check_winograd(c);
  }
  BOOST_TEST(served >= 6);
}

BOOST_AUTO_TEST_CASE(winograd_with_any_number_of_tiles) {
  for (std::int64_t tiles = 1; tiles <= 34; ++tiles) {
    BOOST_TEST_INFO_SCOPE(tiles << " tiles");
    check_winograd({"", 1, 16, 4, 4 * tiles, 16, 3, 3, {.pad = 1}});
  }
}

BOOST_AUTO_TEST_CASE(winograd_is_chosen_from_16_tiles_on) {
  const auto pays = [](std::int64_t height, std::int64_t width) {
    return xtape::kernels::winograd::pays(Case{"", 1, 16, height, width, 16, 3, 3, {}}.shape());
  };
  BOOST_TEST(pays(18, 18) == pays(66, 66));  // 16 tiles as 256: both, or none without AVX-512
  BOOST_TEST(!pays(14, 22));                 // 15
}

void check_winograd_threads(std::int64_t batch) {
  namespace kernels = xtape::kernels;
  const int before = xtape::num_threads();
  const ConvolutionShape s = Case{"", batch, 16, 28, 27, 32, 3, 3, {.pad = 1}}.shape();
  Images<float> x({s.batch, s.in_channels, s.in_height, s.in_width}, Order::channels_last);
  Images<float> y({s.batch, s.out_channels, s.out_height, s.out_width}, Order::channels_last);
  Images<float> gx = x, gy = y;
  std::vector<float> weight(static_cast<std::size_t>(s.out_channels * s.in_channels * 9));
  std::vector<float> gweight = weight;
  fill_normal(x, 1);
  fill_normal(gy, 2);
  fill_normal(weight, 3);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    xtape::set_num_threads(threads);
    kernels::winograd::convolution_forward(s, x.data(), weight.data(), nullptr, y.data());
    kernels::winograd::convolution_backward_data(s, gy.data(), weight.data(), gx.data());
    kernels::winograd::convolution_backward_weight(s, x.data(), gy.data(), gweight.data());
    std::vector<float> all = y.memory;
    all.insert(all.end(), gx.memory.begin(), gx.memory.end());
    all.insert(all.end(), gweight.begin(), gweight.end());
    results.push_back(std::move(all));
  }
  xtape::set_num_threads(before);
  BOOST_TEST((results[0] == results[1] && results[0] == results[2]));
}

BOOST_AUTO_TEST_CASE(winograd_gives_the_same_bits_for_any_number_of_threads) {
  check_winograd_threads(9);  // 441 tiles: whatever the size of a panel, some have fewer
  check_winograd_threads(3);  // two pieces
}

// Padding alone gives outputs.
BOOST_AUTO_TEST_CASE(no_rows) {
  namespace kernels = xtape::kernels;
  const ConvolutionShape s = Case{"", 1, 16, 0, 64, 16, 3, 3, {.pad = 2}}.shape();
  BOOST_TEST(s.out_height == 2);
  BOOST_TEST(!kernels::winograd::serves(s));
  const Strides4 of_x{0, 1, 16 * 64, 16}, of_y{2 * 66 * 16, 1, 66 * 16, 16};
  std::vector<float> x(1), y(2 * 66 * 16, NAN), weight(16 * 16 * 9, 1.0f), bias(16, 2.0f);
  kernels::convolution_forward<float>(s, x.data(), of_x, weight.data(), bias.data(), y.data(),
                                      of_y);
  BOOST_TEST(y == std::vector<float>(y.size(), 2.0f), boost::test_tools::per_element());
  kernels::convolution_backward_data<float>(s, y.data(), of_y, weight.data(), x.data(), of_x);
  kernels::convolution_backward_weight<float>(s, x.data(), of_x, y.data(), of_y, weight.data(),
                                              bias.data());
  BOOST_TEST(weight == std::vector<float>(weight.size(), 0.0f), boost::test_tools::per_element());
  BOOST_TEST(bias == std::vector<float>(16, 2.0f * 2 * 66), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(empty_sizes) {
  namespace kernels = xtape::kernels;
  ConvolutionShape s = kCases[1].shape();
  s.batch = 0;
  const Strides4 strides{1, 1, 1, 1};
  std::vector<float> weight(45, 1.0f), gweight(45, NAN), gbias(5, NAN), none(1);
  kernels::convolution_forward(s, none.data(), strides, weight.data(), gbias.data(), none.data(),
                               strides);
  kernels::convolution_backward_data(s, none.data(), strides, weight.data(), none.data(), strides);
  kernels::convolution_backward_weight(s, none.data(), strides, none.data(), strides,
                                       gweight.data(), gbias.data());
  BOOST_TEST(gweight == std::vector<float>(45, 0.0f), boost::test_tools::per_element());
  BOOST_TEST(gbias == std::vector<float>(5, 0.0f), boost::test_tools::per_element());
  // Without input channels the output is the bias.
  s = {2, 0, 3, 3, 2, 1, 1, 3, 3};
  std::vector<float> y(4, NAN), bias{5, 6};
  kernels::convolution_forward<float>(s, none.data(), strides, weight.data(), bias.data(), y.data(),
                                      {2, 1, 1, 1});
  BOOST_TEST(y == (std::vector<float>{5, 6, 5, 6}), boost::test_tools::per_element());
  s = {48, 0, 3, 3, 16, 1, 1, 3, 3};  // as many tiles as the rules for Winograd ask for
  std::vector<float> many(48 * 16, NAN);
  kernels::convolution_forward<float>(s, none.data(), {0, 1, 0, 0}, none.data(), nullptr,
                                      many.data(), {16, 1, 16, 16});
  BOOST_TEST(many == std::vector<float>(48 * 16, 0.0f), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(same_bits_every_time) {
  namespace kernels = xtape::kernels;
  const int before = xtape::num_threads();
  for (const int threads : {1, 2}) {
    xtape::set_num_threads(threads);
    for (const Case& c : kCases) {
      const ConvolutionShape s = c.shape();
      Images<float> x({s.batch, s.in_channels, s.in_height, s.in_width}, Order::channels_last);
      Images<float> gy({s.batch, s.out_channels, s.out_height, s.out_width}, Order::channels_last);
      fill_normal(x, 1);
      fill_normal(gy, 2);
      const std::int64_t weights =
          s.out_channels * (s.in_channels / s.groups) * s.kernel_height * s.kernel_width;
      std::vector<float> first, gw(static_cast<std::size_t>(weights)),
          gb(static_cast<std::size_t>(s.out_channels));
      for (int repeat = 0; repeat < 4; ++repeat) {
        kernels::convolution_backward_weight(s, x.data(), x.strides, gy.data(), gy.strides,
                                             gw.data(), gb.data());
        if (repeat == 0) first = gw;
        BOOST_TEST((gw == first));
      }
    }
  }
  xtape::set_num_threads(before);
}

// Winograd's copies of a large batch are made of some images after the others.
BOOST_AUTO_TEST_CASE(a_large_batch_is_that_of_its_parts) {
  namespace kernels = xtape::kernels;
  const ConvolutionShape all = Case{"", 5, 24, 96, 96, 24, 3, 3, {.pad = 1}}.shape();
  const Strides4 sizes{all.batch, all.in_channels, all.in_height, all.in_width};
  Images<float> x(sizes, Order::channels_last), gy(sizes, Order::channels_last);
  fill_normal(x, 1);
  fill_normal(gy, 2);
  std::vector<float> weight(24 * 24 * 9);
  fill_normal(weight, 3);
  struct Results {
    Images<float> y, gx;
    std::vector<float> gweight;
  };
  const auto run = [&](std::vector<std::int64_t> parts) {
    Results r{{sizes, Order::channels_last}, {sizes, Order::channels_last}, {}};
    std::int64_t first = 0;
    for (const std::int64_t images : parts) {
      ConvolutionShape s = all;
      s.batch = images;
      const std::int64_t at = first * x.strides[0];
      kernels::convolution_forward<float>(s, x.data() + at, x.strides, weight.data(), nullptr,
                                          r.y.data() + at, r.y.strides);
      kernels::convolution_backward_data<float>(s, gy.data() + at, gy.strides, weight.data(),
                                                r.gx.data() + at, r.gx.strides);
      std::vector<float> gw(weight.size(), NAN);
      kernels::convolution_backward_weight<float>(s, x.data() + at, x.strides, gy.data() + at,
                                                  gy.strides, gw.data(), nullptr);
      if (r.gweight.empty()) r.gweight.resize(gw.size());
      for (std::size_t i = 0; i < gw.size(); ++i) r.gweight[i] += gw[i];
      first += images;
    }
    return r;
  };
  const Results whole = run({5}), parts = run({3, 2});
  BOOST_TEST((whole.y.memory == parts.y.memory));
  BOOST_TEST((whole.gx.memory == parts.gx.memory));
  Sums expected(weight.size());
  std::copy(parts.gweight.begin(), parts.gweight.end(), expected.value.begin());
  std::fill(expected.magnitude.begin(), expected.magnitude.end(), 5.0 * 96 * 96);  // of its terms
  check_close({whole.gweight.begin(), whole.gweight.end()}, expected, tolerance<float>(false),
              "backward weight");
}

BOOST_AUTO_TEST_CASE(several_threads_at_once) {
  const Case& c = kCases[12];
  std::vector<std::thread> workers;
  std::vector<std::vector<double>> results(4);
  for (auto& result : results) {
    workers.emplace_back([&] {
      xtape::set_num_threads(1);
      const ConvolutionShape s = c.shape();
      Images<float> x({s.batch, s.in_channels, s.in_height, s.in_width}, Order::channels_last);
      Images<float> y({s.batch, s.out_channels, s.out_height, s.out_width}, Order::channels_last);
      fill_normal(x, 1);
      std::vector<float> weight(static_cast<std::size_t>(s.out_channels * s.in_channels * 9));
      fill_normal(weight, 2);
      for (int i = 0; i < 10; ++i) {
        xtape::kernels::convolution_forward<float>(s, x.data(), x.strides, weight.data(), nullptr,
                                                   y.data(), y.strides);
      }
      result = y.plain();
    });
  }
  for (auto& worker : workers) worker.join();
  for (const auto& result : results) BOOST_TEST((result == results[0] && !result.empty()));
}

BOOST_AUTO_TEST_SUITE_END()
