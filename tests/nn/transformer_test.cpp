// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/arithmetic.hpp>
#include <xtape/autograd/ops/creation.hpp>
#include <xtape/autograd/ops/random.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/nn/transformer.hpp>

#include "modules.hpp"
#include "reference.hpp"

namespace {

using namespace xtape;
using namespace nn_test;

const std::string kFile = "attention.safetensors";

nn::TransformerLayerOptions options(bool norm_first) {
  return {.dim_feedforward = 16, .dropout = 0, .norm_first = norm_first};
}

Tensor later(std::int64_t n) { return gt(arange(n), unsqueeze(arange(n), 1)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_transformer)

BOOST_AUTO_TEST_CASE(encoder_is_pytorchs) {
  using Layer = nn::TransformerEncoderLayer;
  check_reference(kFile, "encoder_layer_last", Layer(8, 2, options(false)));
  nn::TransformerLayerOptions o = options(true);
  o.activation = nn::TransformerActivation::gelu;
  check_reference(kFile, "encoder_layer_first", Layer(8, 2, o));
  check_reference(kFile, "encoder",
                  nn::TransformerEncoder(Layer(8, 2, options(false)), 2, nn::LayerNorm(8)),
                  [](nn::TransformerEncoder& m, const Tensors& x) {
                    return Tensors{m(x[0], {.src_key_padding_mask = x[1]})};
                  });
}

BOOST_AUTO_TEST_CASE(decoder_is_pytorchs) {
  using Layer = nn::TransformerDecoderLayer;
  check_reference(
      kFile, "decoder_layer_last", Layer(8, 2, options(false)),
      [](Layer& m, const Tensors& x) { return Tensors{m(x[0], x[1], {.tgt_mask = later(5)})}; });
  nn::TransformerLayerOptions o = options(true);
  o.batch_first = true;
  check_reference(kFile, "decoder_layer_first", Layer(8, 2, o), [](Layer& m, const Tensors& x) {
    return Tensors{m(x[0], x[1], {.tgt_is_causal = true})};
  });
  check_reference(kFile, "decoder", nn::TransformerDecoder(Layer(8, 2, options(false)), 2),
                  [](nn::TransformerDecoder& m, const Tensors& x) {
                    return Tensors{m(x[0], x[1], {.tgt_mask = later(5)})};
                  });
}

BOOST_AUTO_TEST_CASE(names_of_transformers_are_pytorchs) {
  const nn::TransformerEncoder encoder(nn::TransformerEncoderLayer(4, 2, options(false)), 1,
                                       nn::LayerNorm(4));
  check_names(encoder.named_parameters(),
              {"layers.0.self_attn.in_proj_weight", "layers.0.self_attn.in_proj_bias",
               "layers.0.self_attn.out_proj.weight", "layers.0.self_attn.out_proj.bias",
               "layers.0.linear1.weight", "layers.0.linear1.bias", "layers.0.linear2.weight",
               "layers.0.linear2.bias", "layers.0.norm1.weight", "layers.0.norm1.bias",
               "layers.0.norm2.weight", "layers.0.norm2.bias", "norm.weight", "norm.bias"});
}

// Copies begin with the layer's values, and are apart.
BOOST_AUTO_TEST_CASE(layers_are_copies) {
  const nn::TransformerEncoderLayer layer(4, 2, options(false));
  nn::TransformerEncoder encoder(layer, 2);
  check_values(encoder.layers[1].linear1.weight, values(layer.linear1.weight));
  BOOST_TEST(encoder.layers[0].linear1.weight.value() != encoder.layers[1].linear1.weight.value());
  BOOST_CHECK_EXCEPTION(nn::TransformerEncoder(layer, 0), ValueError,
                        says("TransformerEncoder: expected at least 1 layer, got 0"));
}

BOOST_AUTO_TEST_CASE(dropout_in_layers) {
  manual_seed(1);
  nn::TransformerEncoderLayer layer(4, 2, {.dim_feedforward = 8});
  const Tensor x = randn({5, 3, 4});
  BOOST_TEST((values(layer(x)) != values(layer(x))));
  layer.eval();
  BOOST_TEST((values(layer(x)) == values(layer(x))));
}

BOOST_AUTO_TEST_SUITE_END()
