// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/error.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/nn/convolution.hpp>

#include <algorithm>
#include <cmath>

#include "nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::says;
using nn_test::values;

template <class M>
void agrees(const std::string& name, const M& module) {
  nn_test::check_reference("convolutions.safetensors", name, module);
}

double largest(const Tensor& x) {
  double found = 0;
  for (const double v : values(x)) found = std::max(found, std::abs(v));
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_convolution)

BOOST_AUTO_TEST_CASE(agrees_with_pytorch) {
  agrees("conv1d", nn::Conv1d(4, 3, 3));
  agrees("conv1d_all",
         nn::Conv1d(4, 6, 3, {.stride = 2, .padding = 3, .dilation = 2, .groups = 2}));
  agrees("conv1d_same", nn::Conv1d(4, 3, 4, {.padding = same, .dilation = 3}));
  agrees("conv1d_plain", nn::Conv1d(4, 3, 3, {.bias = false}));
  agrees("conv2d_all",
         nn::Conv2d(4, 6, {3, 2},
                    {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2}));
  agrees("conv2d_same", nn::Conv2d(4, 3, {2, 4}, {.padding = same, .dilation = {2, 1}}));
  agrees("conv3d", nn::Conv3d(4, 3, {2, 3, 2}));
  agrees(
      "conv3d_all",
      nn::Conv3d(4, 6, 2,
                 {.stride = {2, 1, 2}, .padding = {1, 0, 2}, .dilation = {2, 1, 1}, .groups = 2}));
  agrees("conv3d_same", nn::Conv3d(4, 2, {2, 3, 4}, {.padding = same}));
}

BOOST_AUTO_TEST_CASE(padding_modes_agree_with_pytorch) {
  const std::pair<const char*, PadMode> modes[] = {{"reflect", PadMode::reflect},
                                                   {"replicate", PadMode::replicate},
                                                   {"circular", PadMode::circular}};
  for (const auto& [name, mode] : modes) {
    agrees(std::string("conv1d_") + name,
           nn::Conv1d(4, 3, 4, {.padding = same, .padding_mode = mode}));
    agrees(std::string("conv2d_") + name,
           nn::Conv2d(4, 3, 3, {.stride = 2, .padding = {2, 1}, .padding_mode = mode}));
  }
  agrees("conv3d_circular",
         nn::Conv3d(4, 2, 3, {.padding = {1, 2, 0}, .padding_mode = PadMode::circular}));
}

BOOST_AUTO_TEST_CASE(transposed_ones_agree_with_pytorch) {
  agrees("conv_transpose1d", nn::ConvTranspose1d(4, 3, 3));
  agrees(
      "conv_transpose1d_all",
      nn::ConvTranspose1d(
          4, 6, 3, {.stride = 2, .padding = 1, .output_padding = 2, .groups = 2, .dilation = 3}));
  agrees("conv_transpose2d", nn::ConvTranspose2d(4, 3, 4, {.stride = 2, .padding = 1}));
  agrees("conv_transpose2d_all", nn::ConvTranspose2d(4, 6, 3,
                                                     {.stride = {3, 2},
                                                      .padding = {1, 0},
                                                      .output_padding = {2, 1},
                                                      .groups = 2,
                                                      .dilation = {1, 2}}));
  agrees("conv_transpose2d_plain", nn::ConvTranspose2d(4, 3, 3, {.bias = false}));
}

// Sizes that a stride of 3 makes one of, all three come back.
BOOST_AUTO_TEST_CASE(output_of_a_size) {
  manual_seed(2);
  nn::ConvTranspose1d line(2, 3, 4, {.stride = 3, .padding = 1});
  for (const std::int64_t n : {14, 15, 16}) {
    const Tensor y = line(ones({1, 2, 5}), n);
    BOOST_TEST((y.shape() == Shape{1, 3, n}));
    nn::ConvTranspose1d same(2, 3, 4, {.stride = 3, .padding = 1, .output_padding = n - 14});
    nn::load_state(same, nn::state_dict(line));
    nn_test::check_values(y, values(same(ones({1, 2, 5}))));
  }
  nn::ConvTranspose2d plane(2, 3, {4, 2}, {.stride = {3, 2}, .dilation = {1, 4}});
  BOOST_TEST((plane(ones({2, 5, 5}), Size2(17, 16)).shape() == Shape{3, 17, 16}));
  BOOST_CHECK_EXCEPTION(line(ones({1, 2, 5}), 17), ValueError,
                        says("ConvTranspose1d: no output of size [17] comes from input of shape"));
  BOOST_CHECK_EXCEPTION(plane(ones({2, 5, 5}), Size2(15, 16)), ValueError,
                        says("ConvTranspose2d: no output of size [15, 16] comes from input"));
}

// fan is the size of weight[0]: of what one output sees, or of what one input reaches.
BOOST_AUTO_TEST_CASE(they_begin_as_in_pytorch) {
  manual_seed(1);
  const auto begins = [](const auto& layer, const Shape& shape, std::int64_t biases) {
    const double bound =
        1 / std::sqrt(static_cast<double>(shape.numel()) / static_cast<double>(shape[0]));
    BOOST_TEST((layer.weight.shape() == shape));
    BOOST_TEST(largest(layer.weight) <= bound);
    BOOST_TEST(largest(layer.weight) > 0.99 * bound);
    BOOST_TEST((layer.bias.shape() == Shape{biases}));
    BOOST_TEST(largest(layer.bias) <= bound);
    BOOST_TEST(largest(layer.bias) > 0.8 * bound);
  };
  begins(nn::Conv1d(20, 40, 5, {.groups = 2}), {40, 10, 5}, 40);
  begins(nn::Conv3d(8, 40, {1, 2, 3}), {40, 8, 1, 2, 3}, 40);
  begins(nn::ConvTranspose1d(20, 40, 5, {.groups = 2}), {20, 20, 5}, 40);
  begins(nn::ConvTranspose2d(8, 40, {2, 3}), {8, 40, 2, 3}, 40);
}

BOOST_AUTO_TEST_CASE(wrong_arguments) {
  BOOST_CHECK_EXCEPTION(nn::Conv1d(0, 2, 3), ValueError,
                        says("Conv1d: expected at least 1 channel, got 0 in and 2 out"));
  BOOST_CHECK_EXCEPTION(nn::Conv3d(1, 2, {3, 0, 3}), ValueError,
                        says("Conv3d: expected kernel_size >= 1, got [3, 0, 3]"));
  BOOST_CHECK_EXCEPTION(nn::Conv2d(1, 2, 3, {.stride = {1, 2}, .padding = same}), ValueError,
                        says("expected stride 1 where padding keeps the size, got [1, 2]"));
  BOOST_CHECK_EXCEPTION(nn::ConvTranspose2d(1, 2, 3, {.output_padding = {0, 1}}), ValueError,
                        says("output_padding below the stride or the dilation, got [0, 1]"));
  BOOST_CHECK_EXCEPTION(nn::ConvTranspose1d(3, 4, 3, {.groups = 2}), ValueError,
                        says("groups that divide the numbers of channels, got 2 for 3 in"));
  nn::Conv3d layer(2, 3, 3);
  BOOST_CHECK_EXCEPTION(layer(zeros({3, 5, 5, 5})), ShapeError,
                        says("Conv3d: expected 2 input channels, got input of shape [3, 5, 5, 5]"));
  nn::ConvTranspose1d transposed(2, 3, 3);
  BOOST_CHECK_EXCEPTION(transposed(zeros({3, 5})), ShapeError,
                        says("ConvTranspose1d: expected 2 input channels, got input of shape"));
}

// The operation says it, before anything is padded.
BOOST_AUTO_TEST_CASE(input_of_a_wrong_rank) {
  const auto refuses = [](auto call, const char* text) {
    BOOST_CHECK_EXCEPTION(call(), ShapeError, says(text));
  };
  nn::Conv2d plane(3, 4, 3), mirrored(3, 4, 3, {.padding = 1, .padding_mode = PadMode::reflect});
  const char* pictures = "conv2d: expected input [N, C, H, W] or [C, H, W], got shape [8, 3]";
  refuses([&] { return plane(zeros({8, 3})); }, pictures);
  refuses([&] { return mirrored(zeros({8, 3})); }, pictures);
  nn::ConvTranspose1d line(2, 3, 3);
  const char* sequences = "conv_transpose1d: expected input [N, C, L] or [C, L], got shape [5]";
  refuses([&] { return line(zeros({5})); }, sequences);
  refuses([&] { return line(zeros({5}), 7); }, sequences);
  for (nn::Conv2d* layer : {&plane, &mirrored}) {
    BOOST_CHECK_EXCEPTION((*layer)(Tensor()), ValueError, says("conv2d: got an undefined tensor"));
  }
  BOOST_CHECK_EXCEPTION(line(Tensor(), 7), ValueError,
                        says("conv_transpose1d: got an undefined tensor"));
}

BOOST_AUTO_TEST_SUITE_END()
