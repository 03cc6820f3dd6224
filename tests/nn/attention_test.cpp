// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/autograd/sweep.hpp>
#include <xtape/nn/attention.hpp>

#include <cmath>

#include "modules.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace nn_test;

const std::string kFile = "attention.safetensors";

Tensors parts(const nn::MultiheadAttentionResult& r) { return {r.output, r.weights}; }

// Where a query may not look.
Tensor later(std::int64_t n) { return gt(arange(n), unsqueeze(arange(n), 1)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_attention)

BOOST_AUTO_TEST_CASE(multihead_attention_is_pytorchs) {
  using Attention = nn::MultiheadAttention;
  check_reference(kFile, "mha", Attention(8, 2),
                  [](Attention& m, const Tensors& x) { return parts(m(x[0], x[1], x[2])); });
  check_reference(kFile, "mha_padding", Attention(8, 4, {.batch_first = true}),
                  [](Attention& m, const Tensors& x) {
                    return parts(m(x[0], x[1], x[2], {.key_padding_mask = x[3]}));
                  });
  check_reference(kFile, "mha_mask", Attention(8, 2), [](Attention& m, const Tensors& x) {
    return parts(m(x[0], x[1], x[2], {.attn_mask = x[3], .average_attn_weights = false}));
  });
  check_reference(
      kFile, "mha_unequal",
      Attention(8, 2,
                {.bias = false, .add_bias_kv = true, .add_zero_attn = true, .kdim = 6, .vdim = 3}),
      [](Attention& m, const Tensors& x) { return parts(m(x[0], x[1], x[2])); });
  for (const bool by_mask : {true, false}) {
    check_reference(kFile, "mha_causal", Attention(8, 2), [&](Attention& m, const Tensors& x) {
      return Tensors{m(x[0], x[0], x[0],
                       {.attn_mask = by_mask ? later(5) : Tensor(),
                        .is_causal = !by_mask,
                        .need_weights = false})
                         .output};
    });
  }
}

// With and without weights, fused and composed; with everything that a mask can be made of.
BOOST_AUTO_TEST_CASE(weights_change_nothing) {
  manual_seed(1);
  nn::MultiheadAttention m(
      6, 3, {.add_bias_kv = true, .add_zero_attn = true, .batch_first = true, .dtype = float64});
  const Tensor x = randn({2, 5, 6}, float64);
  const Tensor padding = tensor({{0, 0, 1, 0, 0}, {0, 0, 0, 0, 1}}).to(boolean);
  const auto [y, weights] = m(x, x, x, {.key_padding_mask = padding, .is_causal = true});
  const auto [z, none] = m(x, x, x,
                           {.key_padding_mask = padding,
                            .attn_mask = reshape(expand(later(5), {6, 5, 5}), {6, 5, 5}),
                            .need_weights = false});
  check_values(y, values(z), 1e-13);
  BOOST_TEST(!none.defined());
  BOOST_TEST((weights.shape() == Shape{2, 5, 7}));
  const std::vector<double> w = values(weights);
  double sum = 0;
  for (std::size_t j = 0; j < 7; ++j) sum += w[j];
  BOOST_TEST(std::abs(sum - 1) < 1e-13);
  BOOST_TEST(w[1] == 0);          // later than query 0
  BOOST_TEST(w[4 * 7 + 2] == 0);  // padded
  const auto [single, of_single] =
      m(x[0], x[0], x[0], {.key_padding_mask = padding[0], .is_causal = true});
  check_values(single, values(y[0]), 1e-13);
  BOOST_TEST((of_single.shape() == Shape{5, 7}));
}

BOOST_AUTO_TEST_CASE(dropout_of_weights_while_training) {
  manual_seed(1);
  nn::MultiheadAttention m(4, 2, {.dropout = 0.5});
  const Tensor x = randn({6, 3, 4});
  const auto run = [&] { return values(m(x, x, x, {.need_weights = false}).output); };
  BOOST_TEST((run() != run()));
  m.eval();
  BOOST_TEST((run() == run()));
}

BOOST_AUTO_TEST_CASE(names_of_attention_are_pytorchs) {
  check_names(nn::MultiheadAttention(4, 2).named_parameters(),
              {"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"});
  check_names(nn::MultiheadAttention(4, 2, {.add_bias_kv = true, .kdim = 3}).named_parameters(),
              {"q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_bias", "bias_k",
               "bias_v", "out_proj.weight", "out_proj.bias"});
}

BOOST_AUTO_TEST_CASE(attention_errors) {
  nn::MultiheadAttention m(4, 2);
  const Tensor x = zeros({5, 2, 4});
  BOOST_CHECK_EXCEPTION(m(zeros({5, 2, 3}), x, x), ShapeError,
                        says("MultiheadAttention: expected query, key and value of 4, 4 and 4 "
                             "features in 2 or 3 dimensions, got [5, 2, 3]"));
  BOOST_CHECK_EXCEPTION(m(x, x, x, {.attn_mask = zeros({4, 5})}), ShapeError,
                        says("expected an attn_mask of shape [5, 5] or [4, 5, 5], got [4, 5]"));
  BOOST_CHECK_EXCEPTION(m(x, x, x, {.key_padding_mask = zeros({5, 2})}), ShapeError,
                        says("expected a key_padding_mask of shape [2, 5], got [5, 2]"));
  BOOST_CHECK_EXCEPTION(
      m(x, x, x, {.attn_mask = ones({5, 5}, int64), .is_causal = true}), DTypeError,
      says("expected a boolean attn_mask, true where a key is left out, or floating numbers"));
  BOOST_CHECK_EXCEPTION(m(x, x, x, {.key_padding_mask = ones({2, 5}, uint8)}), DTypeError,
                        says("expected a boolean key_padding_mask"));
  BOOST_CHECK_EXCEPTION(nn::MultiheadAttention(4, 3), ValueError, says("heads that divide"));
  BOOST_CHECK_THROW(nn::MultiheadAttention(0, 1), ValueError);
  BOOST_CHECK_THROW(nn::MultiheadAttention(4, 2, {.dropout = 1}), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()
