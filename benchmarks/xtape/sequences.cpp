// SPDX-License-Identifier: BSD-3-Clause

#include <vector>

#include "training.hpp"

using xtape::Shape;
using xtape::Tensor;
namespace nn = xtape::nn;

namespace {

// Mean square distance to a target; the gradients' norm clipped at 1.
template <class Output>
void train_sequence(measure::Session& session, const char* name, nn::Module& net, Output output) {
  const std::int64_t length = session.size("length", 64), batch = session.size("batch", 32);
  const Tensor x = xtape::randn({length, batch, 64}), target = xtape::randn({length, batch, 256});
  const std::vector<Tensor> parameters = net.parameters();
  xtape::optim::Adam optimizer(parameters, {.lr = 1e-3});
  session.run(name, [&] {
    optimizer.zero_grad();
    nn::mse_loss(output(x), target).backward();
    nn::clip_grad_norm_(parameters, 1);
    optimizer.step();
  });
}

void lstm(measure::Session& session) {
  if (!session.wants("lstm")) return;
  nn::LSTM net(64, 256);
  train_sequence(session, "lstm", net, [&](const Tensor& x) { return net(x, {}).output; });
}

void lstm_cell(measure::Session& session) {
  if (!session.wants("lstm_cell")) return;
  nn::LSTMCell net(64, 256);
  train_sequence(session, "lstm_cell", net, [&](const Tensor& x) {
    const Shape shape{x.size(1), 256};
    nn::LSTMState state{xtape::zeros(shape), xtape::zeros(shape)};
    std::vector<Tensor> outputs;
    for (std::int64_t t = 0; t < x.size(0); ++t) {
      state = net(x[t], state);
      outputs.push_back(state.h);
    }
    return xtape::stack(outputs);
  });
}

constexpr std::int64_t kWidth = 128, kHeads = 4, kLetters = 65;

struct Gpt : nn::Module {
  nn::Embedding letter{kLetters, kWidth}, place;
  nn::TransformerEncoder layers{
      nn::TransformerEncoderLayer(kWidth, kHeads,
                                  {.dim_feedforward = 4 * kWidth,
                                   .dropout = 0,
                                   .activation = nn::TransformerActivation::gelu,
                                   .batch_first = true,
                                   .norm_first = true}),
      4, nn::LayerNorm({kWidth})};
  nn::Linear next{kWidth, kLetters};
  XTAPE_PARTS(letter, place, layers, next)

  explicit Gpt(std::int64_t length) : place(length, kWidth) {}
  Tensor forward(const Tensor& x) override {
    const Tensor places = xtape::arange(0, x.size(1), 1, xtape::int64);
    return next(layers(letter(x) + place(places), nn::EncoderMasks{.is_causal = true}));
  }
};

void gpt(measure::Session& session) {
  if (!session.wants("gpt")) return;
  const std::int64_t length = session.size("length", 128), batch = session.size("batch", 16);
  Gpt net(length);
  const Tensor x = xtape::randint(0, kLetters, {batch, length});
  const Tensor y = xtape::randint(0, kLetters, {batch * length});
  train(session, "gpt", xtape::optim::AdamW(net.parameters(), {.lr = 1e-3}),
        [&] { return nn::cross_entropy(net(x).flatten(0, 1), y); });
}

}  // namespace

void run_sequences(measure::Session& session) {
  xtape::manual_seed(1);
  lstm(session);
  lstm_cell(session);
  gpt(session);
}
