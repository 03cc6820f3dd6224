// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/random.hpp>
#include <xtape/nn/activations.hpp>
#include <xtape/nn/attention.hpp>
#include <xtape/nn/containers.hpp>
#include <xtape/nn/convolution.hpp>
#include <xtape/nn/dropout.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/pooling.hpp>
#include <xtape/nn/recurrent.hpp>
#include <xtape/nn/summary.hpp>

#include "nn_test.hpp"

namespace {

using namespace xtape;

struct Net : nn::Module {
  nn::Sequential body{nn::Linear(3, 500), nn::ReLU(), nn::Dropout(0.5)};
  std::vector<nn::Linear> heads = std::vector<nn::Linear>(2, nn::Linear(500, 4));
  nn::Linear unused{2, 2};
  nn::Buffer mean{zeros({2}, float64)};
  nn::Parameter scale{ones({1})};
  XTAPE_PARTS(body, heads, unused, mean, scale)
  Tensor forward(const Tensor& x) override {
    rand({2});
    heads[1](body(x));
    return heads[0](body(x));
  }
  Net() {
    heads[1].weight.tie(heads[0].weight);
    unused.requires_grad_(false);
  }
};

struct Sequences : nn::Module {
  nn::LSTM lstm{3, 5};
  nn::MultiheadAttention attention{8, 2, {.bias = false}};
  XTAPE_PARTS(lstm, attention)
  Tensor forward(const Tensor& x) override {
    const Tensor z = zeros({4, 2, 8});
    return attention(z, z, z).output.sum() + lstm(x).output;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_summary)

BOOST_AUTO_TEST_CASE(rows_of_every_module) {
  Net net;
  const nn::Summary s = nn::summary(net, ones({7, 3}));
  BOOST_REQUIRE(s.rows.size() == 8u);
  BOOST_TEST(s.rows[0].name.empty());
  BOOST_TEST(s.rows[0].type == "Net");
  BOOST_TEST((s.rows[0].output == Shape{7, 4}));
  BOOST_TEST(s.rows[0].parameters == 1);
  BOOST_TEST(s.rows[0].bytes == 4 + 16);
  BOOST_TEST(s.rows[2].name == "body.0");
  BOOST_TEST((s.rows[2].output == Shape{7, 500}));
  BOOST_TEST(s.rows[2].parameters == 2000);
  BOOST_TEST(s.rows[2].depth == 2);
  BOOST_TEST(s.rows[5].name == "heads.0");
  BOOST_TEST(s.rows[5].parameters == 2004);
  BOOST_TEST(s.rows[6].parameters == 4);  // its weight is that of heads.0
  BOOST_TEST(!s.rows[7].called);
  BOOST_TEST(s.parameters == 1 + 2000 + 2004 + 4 + 6);
  BOOST_TEST(s.trainable == s.parameters - 6);
  BOOST_TEST(s.bytes == 4 * s.parameters + 16);
}

BOOST_AUTO_TEST_CASE(the_table) {
  Net net;
  const std::string expected =
      "module     class       output    parameters   bytes  multiply-adds\n"
      "------------------------------------------------------------------\n"
      "           Net         [7, 4]             1      20              0\n"
      "  body     Sequential  [7, 500]           0       0              0\n"
      "    0      Linear      [7, 500]       2,000   8,000         21,000\n"
      "    1      ReLU        [7, 500]           0       0              0\n"
      "    2      Dropout     [7, 500]           0       0              0\n"
      "  heads.0  Linear      [7, 4]         2,004   8,016         14,000\n"
      "  heads.1  Linear      [7, 4]             4      16         14,000\n"
      "  unused   Linear      -                  6      24              0\n"
      "------------------------------------------------------------------\n"
      "total                                 4,015  16,076         49,000\n"
      "trainable                             4,009\n";
  BOOST_TEST(nn::summary(net, ones({7, 3})).str() == expected);
}

// By hand, layer by layer.
BOOST_AUTO_TEST_CASE(multiply_adds_of_layers) {
  const auto of = [](auto module, const Shape& x) {
    return nn::summary(module, zeros(x)).rows[0].multiply_adds;
  };
  BOOST_TEST(of(nn::Linear(3, 5), {2, 7, 3}) == 2 * 7 * 3 * 5);
  BOOST_TEST(of(nn::Conv1d(4, 6, 3, {.stride = 2, .groups = 2}), {2, 4, 9}) == 2 * 6 * 4 * 2 * 3);
  BOOST_TEST(of(nn::Conv2d(3, 5, {2, 3}), {2, 3, 6, 7}) == 2 * 5 * 5 * 5 * 3 * 2 * 3);
  BOOST_TEST(of(nn::Conv3d(3, 5, {2, 3, 1}), {2, 3, 4, 6, 7}) == 2 * 5 * 3 * 4 * 7 * 3 * 2 * 3 * 1);
  // Transposed, each input meets the weights.
  BOOST_TEST(of(nn::ConvTranspose1d(4, 6, 3, {.stride = 2, .groups = 2}), {2, 4, 9}) ==
             2 * 4 * 9 * 3 * 3);
  BOOST_TEST(of(nn::ConvTranspose2d(3, 5, {2, 3}), {2, 3, 6, 7}) == 2 * 3 * 6 * 7 * 5 * 2 * 3);
  BOOST_TEST(of(nn::MaxPool2d(2), {2, 3, 6, 7}) == 0);
  Sequences net;  // 4 steps of 2
  const nn::Summary s = nn::summary(net, zeros({4, 2, 3}));
  BOOST_TEST(s.rows[1].multiply_adds == 4 * 2 * 4 * 5 * (3 + 5));
  BOOST_TEST(s.rows[2].multiply_adds + s.rows[3].multiply_adds ==
             4 * 4 * 2 * 8 * 8 + 2 * 2 * 4 * 4 * (4 + 4));
  BOOST_TEST(s.multiply_adds ==
             s.rows[1].multiply_adds + s.rows[2].multiply_adds + s.rows[3].multiply_adds);
}

BOOST_AUTO_TEST_CASE(nothing_is_disturbed) {
  manual_seed(3);
  Net net;
  net.body.eval();
  const Generator before = default_generator();
  nn::summary(net, ones({7, 3}));
  BOOST_TEST(default_generator().position == before.position);
  BOOST_TEST(net.is_training());
  BOOST_TEST(net.heads[0].is_training());
  BOOST_TEST(!net.body.is_training());
  BOOST_TEST(!net.body[2].is_training());
  BOOST_CHECK_THROW(nn::summary(net, ones({7, 2})), std::exception);
  BOOST_TEST(net.is_training());
  BOOST_TEST(net(ones({1, 3})).requires_grad());
}

BOOST_AUTO_TEST_SUITE_END()
