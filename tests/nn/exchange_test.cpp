// SPDX-License-Identifier: BSD-3-Clause
#include <xtape/autograd/ops/activations.hpp>
#include <xtape/autograd/ops/reductions.hpp>
#include <xtape/autograd/ops/shape.hpp>
#include <xtape/data/safetensors.hpp>
#include <xtape/nn/convolution.hpp>
#include <xtape/nn/linear.hpp>
#include <xtape/nn/normalization.hpp>
#include <xtape/nn/recurrent.hpp>
#include <xtape/nn/transformer.hpp>

#include <algorithm>

#include "modules.hpp"
#include "reference.hpp"
// Boost.Test comes before it.
#include "../data/files.hpp"

namespace {

using namespace xtape;
using namespace nn_test;

// A module of each family, as tests/reference/nn/generate.py has it.
struct Model : nn::Module {
  nn::Conv2d conv{1, 4, 3};
  nn::BatchNorm2d norm{4};
  nn::LSTM lstm{24, 8, {.num_layers = 2, .batch_first = true, .bidirectional = true}};
  nn::TransformerEncoder encoder{
      nn::TransformerEncoderLayer(16, 4,
                                  {.dim_feedforward = 32, .dropout = 0, .batch_first = true}),
      2, nn::LayerNorm(16)};
  nn::Linear out{16, 3};
  XTAPE_PARTS(conv, norm, lstm, encoder, out)

  Tensor forward(const Tensor& x) override {
    const Tensor rows = flatten(permute(relu(norm(conv(x))), {0, 2, 1, 3}), 2);
    return out(mean(encoder(lstm(rows).output), {1}));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_exchange)

// PyTorch's state_dict, name by name, gives PyTorch's outputs and gradients.
BOOST_AUTO_TEST_CASE(weights_come_from_pytorch) {
  check_reference("exchange.safetensors", "model_train", Model());
  check_reference("exchange.safetensors", "model_eval", Model(), false);
}

// And a file of ours holds the same names and shapes.
BOOST_AUTO_TEST_CASE(weights_go_to_pytorch) {
  const Model model;
  ::test::Folder folder;
  data::write_safetensors(folder / "model", nn::state_dict(model));
  const auto ours = data::read_safetensors(folder / "model").tensors;
  const ReferenceCase reference("exchange.safetensors", "model_eval", float32);
  BOOST_TEST(ours.size() == reference.state().size());
  for (const auto& [name, tensor] : reference.state()) {
    const auto found = std::ranges::find(ours, name, &nn::NamedTensors::value_type::first);
    BOOST_REQUIRE_MESSAGE(found != ours.end(), name << " is missing");
    BOOST_TEST((found->second.shape() == tensor.shape()), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
