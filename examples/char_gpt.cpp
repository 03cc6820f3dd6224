// SPDX-License-Identifier: BSD-3-Clause
// A small transformer that goes on writing, letter by letter. Reads tinyshakespeare_input.txt from
// --data-dir, or learns the sentences of a built-in grammar; the last tenth of a text is held out.
#include <xtape/xtape.hpp>

#include "common.hpp"

namespace nn = xtape::nn;
namespace optim = xtape::optim;
namespace data = xtape::data;
using xtape::Tensor;

constexpr std::int64_t kContext = 128, kWidth = 128, kHeads = 4, kLayers = 4;
constexpr std::int64_t kShortest = kContext + 1;  // a chunk and the letter after it
constexpr std::int64_t kBuiltIn = 60000;
constexpr int kEpochs = 5;
// Nats per letter on the grammar, whose own entropy is 0.32, and on Shakespeare's plays.
constexpr double kMostBuiltIn = 0.6, kMostReal = 1.8;

struct Net : nn::Module {
  nn::Embedding letter, place{kContext, kWidth};
  nn::Dropout drop{0.1};
  nn::TransformerEncoder layers{
      nn::TransformerEncoderLayer(kWidth, kHeads,
                                  {.dim_feedforward = 4 * kWidth,
                                   .activation = nn::TransformerActivation::gelu,
                                   .batch_first = true,
                                   .norm_first = true}),
      kLayers, nn::LayerNorm({kWidth})};
  nn::Linear next;
  XTAPE_PARTS(letter, place, drop, layers, next)

  explicit Net(std::int64_t letters) : letter(letters, kWidth), next(kWidth, letters) {
    for (const Tensor& p : parameters()) {
      if (p.dim() > 1) nn::init::normal_(p, 0, 0.02);
    }
  }
  /// Letters [batch, length] to scores of each one's successor, [batch, length, letters].
  Tensor forward(const Tensor& x) override {
    const Tensor places = xtape::arange(0, x.size(1), 1, xtape::int64);
    return next(layers(drop(letter(x) + place(places)), nn::EncoderMasks{.is_causal = true}));
  }
};

Tensor loss_of(Net& net, const data::Batch& batch) {
  return nn::cross_entropy(net(batch.x).flatten(0, 1), batch.y.flatten());
}

/// Mean nats per letter.
double evaluate(Net& net, const data::ChunkDataset& chunks) {
  const xtape::NoGrad no_grad;
  net.eval();
  data::DataLoader loader(chunks, {.batch_size = 32});
  double sum = 0;
  for (const auto& batch : loader) {
    sum += loss_of(net, batch).item<double>() * static_cast<double>(batch.x.size(0));
  }
  net.train();
  return sum / static_cast<double>(chunks.size());
}

/// Goes on after a line's end, each letter drawn by its probability.
std::string sample(Net& net, const data::Vocabulary& letters, std::int64_t count) {
  const xtape::NoGrad no_grad;
  net.eval();
  Tensor text = letters.encode("\n");
  while (text.size(0) < count) {
    const std::int64_t seen = std::min(text.size(0), kContext);
    const Tensor window = narrow(text, 0, text.size(0) - seen, seen).unsqueeze(0);
    const Tensor scores = net(window)[0][seen - 1];
    // The largest of the scores plus Gumbel noise is a draw from their softmax.
    const Tensor drawn = argmax(scores - log(-log(xtape::rand({letters.size()}))), 0, true);
    text = xtape::cat({text, drawn});
  }
  net.train();
  return letters.decode(text);
}

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  const xtape::Autocast autocast(flags.bf16);
  std::string text =
      flags.data_dir.empty()
          ? data::generate_text(kBuiltIn)
          : data::read_text(example::find_data(flags, "text", "tinyshakespeare_input.txt"));
  const auto limit = static_cast<std::size_t>((flags.limit + 1) * kShortest);
  if (flags.limit && limit < text.size()) text.resize(limit);
  const data::Vocabulary letters(text);
  const Tensor tokens = letters.encode(text);
  if (tokens.size(0) < 2 * kShortest) {
    throw std::runtime_error("the text has fewer than " + std::to_string(2 * kShortest) +
                             " letters");
  }
  const std::int64_t held_out = std::max(tokens.size(0) / 10, kShortest);
  const std::int64_t known = tokens.size(0) - held_out;
  // Chunks overlap by half, so that each letter is seen after a long and after a short past.
  const data::ChunkDataset train_set(narrow(tokens, 0, 0, known), kContext, kContext / 2);
  const data::ChunkDataset test_set(narrow(tokens, 0, known, held_out), kContext);
  run.say(std::to_string(known) + " letters to learn, " + std::to_string(letters.size()) +
          " different ones");

  Net net(letters.size());
  optim::AdamW optimizer(net.parameters(), {.lr = flags.lr, .betas = {0.9, 0.99}});
  data::DataLoader loader(train_set,
                          {.batch_size = flags.batch_size, .shuffle = true, .seed = flags.seed});
  const std::int64_t steps = std::max<std::int64_t>(flags.epochs * loader.size(), 1);
  const std::int64_t warm_up = std::max<std::int64_t>(steps / 20, 1);
  optim::LinearLR rise(optimizer, {.start_factor = 0.05, .total_iters = warm_up});
  optim::CosineAnnealingLR fall(optimizer, std::max<std::int64_t>(steps - warm_up, 1));
  optim::SequentialLR schedule(optimizer, {&rise, &fall}, {warm_up});
  run.resume(net, optimizer, {.schedule = &schedule, .loader = &loader});

  const auto end_epoch = [&] {
    run.end_epoch({{"val_nats", evaluate(net, test_set)}});
    run.say(sample(net, letters, 200));
  };
  while (run.next_epoch(loader.size())) {
    for (const auto& batch : loader) {
      optimizer.zero_grad();
      const Tensor loss = loss_of(net, batch);
      loss.backward();
      nn::clip_grad_norm_(net, 1);
      optimizer.step();
      schedule.step();
      if (!run.step(loss.item<double>(), batch.x.size(0))) break;
    }
    if (run.epoch_done()) end_epoch();
  }
  if (flags.epochs == 0) end_epoch();
  run.finish(net);
  run.expect_at_most("val_nats", flags.data_dir.empty() ? kMostBuiltIn : kMostReal);
}

void add_flags(CLI::App& app, example::Flags& flags) {
  app.add_flag("--bf16", flags.bf16, "Multiply numbers rounded to bfloat16");
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "char_gpt",
                       .purpose = "Writes letter by letter with a small transformer",
                       .epochs = kEpochs,
                       .batch_size = 16,
                       .lr = 2.5e-3,
                       .add_flags = add_flags},
                      train);
}
