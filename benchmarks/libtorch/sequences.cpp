// SPDX-License-Identifier: BSD-3-Clause

#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "training.hpp"

using torch::Tensor;
namespace nn = torch::nn;

namespace {

// Mean square distance to a target; the gradients' norm clipped at 1.
template <class Net, class Output>
void train_sequence(measure::Session& session, const char* name, Net net, Output output) {
  const std::int64_t length = session.size("length", 64), batch = session.size("batch", 32);
  const Tensor x = torch::randn({length, batch, 64}), target = torch::randn({length, batch, 256});
  std::vector<Tensor> parameters = net->parameters();
  torch::optim::Adam optimizer(parameters, torch::optim::AdamOptions(1e-3));
  session.run(name, [&] {
    for (Tensor& p : parameters) drop_grad(p);
    torch::mse_loss(output(x), target).backward();
    nn::utils::clip_grad_norm_(parameters, 1.0);
    optimizer.step();
  });
}

void lstm(measure::Session& session) {
  if (!session.wants("lstm")) return;
  nn::LSTM net(64, 256);
  train_sequence(session, "lstm", net,
                 [&](const Tensor& x) { return std::get<0>(net->forward(x)); });
}

void lstm_cell(measure::Session& session) {
  if (!session.wants("lstm_cell")) return;
  nn::LSTMCell net(64, 256);
  train_sequence(session, "lstm_cell", net, [&](const Tensor& x) {
    Tensor h = torch::zeros({x.size(1), 256}), c = torch::zeros({x.size(1), 256});
    std::vector<Tensor> outputs;
    for (const Tensor& row : x.unbind(0)) {
      std::tie(h, c) = net->forward(row, std::make_tuple(h, c));
      outputs.push_back(h);
    }
    return torch::stack(outputs);
  });
}

constexpr int kWidth = 128, kHeads = 4, kLetters = 65;

struct LayerImpl : nn::Module {
  LayerImpl()
      : norm1(nn::LayerNormOptions({kWidth})),
        norm2(nn::LayerNormOptions({kWidth})),
        in(kWidth, 3 * kWidth),
        out(kWidth, kWidth),
        wide(kWidth, 4 * kWidth),
        narrow(4 * kWidth, kWidth) {
    register_module("norm1", norm1);
    register_module("norm2", norm2);
    register_module("in", in);
    register_module("out", out);
    register_module("wide", wide);
    register_module("narrow", narrow);
  }
  Tensor attend(const Tensor& x, [[maybe_unused]] const Tensor& mask) {
    const std::int64_t batch = x.size(0), length = x.size(1);
    const auto parts = in(x).chunk(3, 2);
#if TORCH_VERSION_MAJOR >= 2
    const auto heads = [&](const Tensor& t) {
      return t.view({batch, length, kHeads, kWidth / kHeads}).transpose(1, 2);
    };
    const Tensor y = torch::scaled_dot_product_attention(heads(parts[0]), heads(parts[1]),
                                                         heads(parts[2]), {}, 0, true);
    return out(y.transpose(1, 2).reshape({batch, length, kWidth}));
#else
    const auto heads = [&](const Tensor& t) {
      return t.view({batch, length, kHeads, kWidth / kHeads})
          .transpose(1, 2)
          .reshape({batch * kHeads, length, kWidth / kHeads});
    };
    const Tensor q = heads(parts[0]), k = heads(parts[1]), v = heads(parts[2]);
    const double scale = 1 / std::sqrt(kWidth / kHeads);
    const Tensor scores = torch::baddbmm(mask, q, k.transpose(1, 2), 1, scale);
    const Tensor y = torch::bmm(torch::softmax(scores, -1), v);
    return out(y.view({batch, kHeads, length, kWidth / kHeads})
                   .transpose(1, 2)
                   .reshape({batch, length, kWidth}));
#endif
  }
  Tensor forward(const Tensor& given, const Tensor& mask) {
    const Tensor x = given + attend(norm1(given), mask);
    return x + narrow(torch::gelu(wide(norm2(x))));
  }

  nn::LayerNorm norm1, norm2;
  nn::Linear in, out, wide, narrow;
};
TORCH_MODULE(Layer);

struct GptImpl : nn::Module {
  explicit GptImpl(std::int64_t length)
      : letter(kLetters, kWidth),
        place(length, kWidth),
        norm(nn::LayerNormOptions({kWidth})),
        next(kWidth, kLetters) {
    register_module("letter", letter);
    register_module("place", place);
    register_module("norm", norm);
    register_module("next", next);
    for (int i = 0; i < 4; ++i) layers.push_back(register_module(std::to_string(i), Layer()));
    const auto forbidden = torch::full({length, length}, -std::numeric_limits<float>::infinity());
    mask = torch::triu(forbidden, 1);
    places = torch::arange(length);
  }
  Tensor forward(const Tensor& x) {
    Tensor y = letter(x) + place(places);
    for (Layer& layer : layers) y = layer(y, mask);
    return next(norm(y));
  }

  nn::Embedding letter, place;
  std::vector<Layer> layers;
  nn::LayerNorm norm;
  nn::Linear next;
  Tensor mask, places;
};
TORCH_MODULE(Gpt);

void gpt(measure::Session& session) {
  if (!session.wants("gpt")) return;
  const std::int64_t length = session.size("length", 128), batch = session.size("batch", 16);
  Gpt net(length);
  const Tensor x = classes(kLetters, {batch, length}), y = classes(kLetters, {batch * length});
  torch::optim::AdamW optimizer(net->parameters(), torch::optim::AdamWOptions(1e-3));
  train(session, "gpt", net->parameters(), std::move(optimizer), [&] {
    return nn::functional::cross_entropy(net->forward(x).view({batch * length, kLetters}), y);
  });
}

}  // namespace

void run_sequences(measure::Session& session) {
  torch::manual_seed(1);
  lstm(session);
  lstm_cell(session);
  gpt(session);
}
