// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/nn/pooling.hpp>

#include "nn_test.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using nn_test::Tensors;

template <class M>
void agrees(const std::string& name, const M& module) {
  nn_test::check_reference("pooling.safetensors", name, module);
}

// `f(module, x)` gives the values and the indices.
template <class M, class F>
void agrees(const std::string& name, const M& module, F f) {
  nn_test::check_reference("pooling.safetensors", name, module, [&](M& m, const Tensors& x) {
    const ValuesAndIndices both = f(m, x[0]);
    nn_test::check_values(m(x[0]), nn_test::values(both.values));
    return Tensors{both.values, both.indices};
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_pooling)

BOOST_AUTO_TEST_CASE(maxima_agree_with_pytorch) {
  agrees("max_1d", nn::MaxPool1d(3, {.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true}),
         [](const nn::MaxPool1d& m, const Tensor& x) {
           return max_pool1d_with_indices(x, m.kernel_size, m.options);
         });
  agrees("max_2d",
         nn::MaxPool2d(
             {3, 2}, {.stride = {2, 3}, .padding = {1, 0}, .dilation = {1, 2}, .ceil_mode = true}),
         [](const nn::MaxPool2d& m, const Tensor& x) {
           return max_pool2d_with_indices(x, m.kernel_size, m.options);
         });
  agrees("max_2d_plain", nn::MaxPool2d(2));
  agrees("adaptive_max_1d", nn::AdaptiveMaxPool1d(4),
         [](const nn::AdaptiveMaxPool1d& m, const Tensor& x) {
           return adaptive_max_pool1d_with_indices(x, m.output_size);
         });
  agrees("adaptive_max_2d", nn::AdaptiveMaxPool2d({3, 5}),
         [](const nn::AdaptiveMaxPool2d& m, const Tensor& x) {
           return adaptive_max_pool2d_with_indices(x, m.output_size);
         });
}

BOOST_AUTO_TEST_CASE(means_agree_with_pytorch) {
  agrees("avg_1d", nn::AvgPool1d(3, {.stride = 2, .padding = 1, .ceil_mode = true}));
  agrees(
      "avg_1d_inside",
      nn::AvgPool1d(4, {.stride = 3, .padding = 2, .ceil_mode = true, .count_include_pad = false}));
  agrees("avg_2d", nn::AvgPool2d({3, 2}, {.stride = {2, 3}, .padding = {1, 0}, .ceil_mode = true}));
  agrees(
      "avg_2d_inside",
      nn::AvgPool2d(3, {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false}));
  agrees("avg_2d_divisor", nn::AvgPool2d(3, {.stride = 2, .padding = 1, .divisor_override = 5}));
  agrees("adaptive_avg_1d", nn::AdaptiveAvgPool1d(4));
  agrees("adaptive_avg_1d_more", nn::AdaptiveAvgPool1d(15));
  agrees("adaptive_avg_2d", nn::AdaptiveAvgPool2d({3, 5}));
  agrees("adaptive_avg_2d_kept", nn::AdaptiveAvgPool2d({-1, 2}));
  agrees("adaptive_avg_2d_one", nn::AdaptiveAvgPool2d(1));
}

BOOST_AUTO_TEST_CASE(norms_agree_with_pytorch) {
  agrees("lp_1d", nn::LPPool1d(3, 2, {.stride = 3, .ceil_mode = true}));
  agrees("lp_2d", nn::LPPool2d(2, {2, 3}, {.stride = 2, .ceil_mode = true}));
  agrees("lp_2d_one", nn::LPPool2d(1, 2));
}

BOOST_AUTO_TEST_SUITE_END()
