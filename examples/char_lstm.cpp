// SPDX-License-Identifier: BSD-3-Clause
// A stacked LSTM that goes on writing, letter by letter, trained by truncated backpropagation: the
// text is read as parallel streams, and the state after one stretch is the state before the next.
// Reads tinyshakespeare_input.txt from --data-dir, or learns the sentences of a built-in grammar;
// the last tenth of a text is held out.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
namespace optim = xtape::optim;
namespace data = xtape::data;
using xtape::Tensor;

constexpr std::int64_t kEmbedding = 64, kHidden = 256, kLayers = 2;
constexpr std::int64_t kStretch = 64;  // letters that gradients reach back
constexpr std::int64_t kBuiltIn = 60000;
constexpr int kEpochs = 8;
// Nats per letter on the grammar, whose own entropy is 0.32, and on Shakespeare's plays.
constexpr double kMostBuiltIn = 0.4, kMostReal = 1.75;

struct Net : nn::Module {
  nn::Embedding letter;
  nn::LSTM lstm{kEmbedding, kHidden, {.num_layers = kLayers, .dropout = 0.1}};
  nn::Linear next;
  XTAPE_PARTS(letter, lstm, next)

  explicit Net(std::int64_t letters) : letter(letters, kEmbedding), next(kHidden, letters) {
    nn::init::orthogonal_gates_(lstm);
    nn::init::forget_bias_(lstm);
  }
  /// Letters [length, streams] to scores of each one's successor, [length, streams, letters].
  auto forward(const Tensor& x, const nn::LSTMState& before) {
    auto [y, after] = lstm(letter(x), before);
    struct Result {
      Tensor scores;
      nn::LSTMState state;
    };
    return Result{next(y), after};
  }
};

Tensor loss_of(const Tensor& scores, const Tensor& y) {
  return nn::cross_entropy(scores.flatten(0, 1), y.flatten());
}

/// Mean nats per letter of one stream.
double evaluate(Net& net, const Tensor& tokens) {
  const xtape::NoGrad no_grad;
  net.eval();
  const data::Batch text = data::token_streams(tokens, 1);
  double sum = 0;
  nn::truncated_bptt(text.x.size(0), 1024, nn::LSTMState(), [&](auto at, auto count, auto before) {
    const auto [scores, after] = net(narrow(text.x, 0, at, count), before);
    const Tensor loss = loss_of(scores, narrow(text.y, 0, at, count));
    sum += loss.template item<double>() * static_cast<double>(count);
    return after;
  });
  net.train();
  return sum / static_cast<double>(text.x.size(0));
}

/// Goes on after a line's end, each letter drawn by its probability.
std::string sample(Net& net, const data::Vocabulary& letters, std::int64_t count) {
  const xtape::NoGrad no_grad;
  net.eval();
  Tensor drawn = letters.encode("\n"), text = drawn;
  nn::LSTMState state;
  while (text.size(0) < count) {
    const auto [scores, after] = net(drawn.unsqueeze(1), state);
    // The largest of the scores plus Gumbel noise is a draw from their softmax.
    drawn = argmax(scores.flatten() - log(-log(xtape::rand({letters.size()}))), 0, true);
    text = xtape::cat({text, drawn});
    state = after;
  }
  net.train();
  return letters.decode(text);
}

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  std::string text =
      flags.data_dir.empty()
          ? data::generate_text(kBuiltIn)
          : data::read_text(example::find_data(flags, "text", "tinyshakespeare_input.txt"));
  // --limit counts stretches of every stream.
  const auto limit =
      static_cast<std::size_t>((flags.limit * flags.batch_size * kStretch + 1) * 10 / 9 + 1);
  if (flags.limit && limit < text.size()) text.resize(limit);
  const data::Vocabulary letters(text);
  const Tensor tokens = letters.encode(text);
  const std::int64_t held_out = tokens.size(0) / 10, known = tokens.size(0) - held_out;
  if (held_out < 2 || known <= flags.batch_size) {
    throw std::runtime_error("the text is too short for " + std::to_string(flags.batch_size) +
                             " streams and a held-out tenth");
  }
  const data::Batch streams = data::token_streams(narrow(tokens, 0, 0, known), flags.batch_size);
  const Tensor test = narrow(tokens, 0, known, held_out);
  const std::int64_t length = streams.x.size(0), stretches = (length + kStretch - 1) / kStretch;
  run.say(std::to_string(known) + " letters to learn, " + std::to_string(letters.size()) +
          " different ones");

  Net net(letters.size());
  optim::Adam optimizer(net.parameters(), {.lr = flags.lr});
  optim::CosineAnnealingLR schedule(optimizer, std::max<std::int64_t>(flags.epochs * stretches, 1));
  run.resume(net, optimizer, {.schedule = &schedule});

  const auto end_epoch = [&] {
    run.end_epoch({{"val_nats", evaluate(net, test)}});
    run.say(sample(net, letters, 200));
  };
  while (run.next_epoch(stretches)) {
    bool go_on = true;
    nn::truncated_bptt(length, kStretch, nn::LSTMState(), [&](auto at, auto count, auto before) {
      if (!go_on) return before;
      optimizer.zero_grad();
      const auto [scores, after] = net(narrow(streams.x, 0, at, count), before);
      const Tensor loss = loss_of(scores, narrow(streams.y, 0, at, count));
      loss.backward();
      nn::clip_grad_norm_(net, 1);
      optimizer.step();
      schedule.step();
      go_on = run.step(loss.template item<double>(), count * flags.batch_size);
      return after;
    });
    if (run.epoch_done()) end_epoch();
  }
  if (flags.epochs == 0) end_epoch();
  run.finish(net);
  run.expect_at_most("val_nats", flags.data_dir.empty() ? kMostBuiltIn : kMostReal);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "char_lstm",
                       .purpose = "Writes letter by letter with a stacked LSTM",
                       .epochs = kEpochs,
                       .batch_size = 16,
                       .lr = 4e-3},
                      train);
}
