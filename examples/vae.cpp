// SPDX-License-Identifier: BSD-3-Clause
// A variational autoencoder (Kingma and Welling, ICLR 2014) packs each handwritten digit into two
// numbers, and draws new ones from a normal distribution of them. Reads MNIST's files from
// --data-dir, or learns on built-in digits. Leaves samples.png, plane.png (what each place of the
// plane looks like) and codes.svg (where the digits lie in it).
#include <xtape/xtape.hpp>

#include "digits.hpp"

namespace nn = xtape::nn;
namespace optim = xtape::optim;
namespace data = xtape::data;
using xtape::Tensor;

constexpr std::int64_t kPixels = 28 * 28, kHidden = 512, kLatent = 2;
constexpr int kEpochs = 15;
constexpr double kMostBuiltIn = 230, kMostReal = 147;  // nats per picture
constexpr std::int64_t kAcross = 15;                   // pictures of plane.png in a row

/// A normal distribution for each picture.
struct Code {
  Tensor mean, log_variance;  // [n, kLatent]
};

struct Net : nn::Module {
  nn::Sequential encoder{nn::Linear(kPixels, kHidden), nn::ReLU(), nn::Linear(kHidden, kHidden / 2),
                         nn::ReLU(), nn::Linear(kHidden / 2, 2 * kLatent)};
  nn::Sequential decoder{nn::Linear(kLatent, kHidden / 2), nn::ReLU(),
                         nn::Linear(kHidden / 2, kHidden), nn::ReLU(),
                         nn::Linear(kHidden, kPixels)};
  XTAPE_PARTS(encoder, decoder)

  Code encode(const Tensor& images) {
    const Tensor both = encoder(images.flatten(1));
    return {narrow(both, 1, 0, kLatent), narrow(both, 1, kLatent, kLatent)};
  }
  /// Pictures [n, 1, 28, 28] of places in the plane [n, kLatent].
  Tensor draw(const Tensor& z) { return sigmoid(decoder(z)).view({-1, 1, 28, 28}); }
};

/// The bound on -log p(pictures), in nats per picture, as its two parts.
struct Bound {
  Tensor reconstruction;  // what the code does not say of the picture
  Tensor divergence;      // what the code says: KL from the normal distribution
};

Bound bound(Net& net, const Tensor& images) {
  const Code code = net.encode(images);
  // The noise is not learned: gradients flow through what it is multiplied by and added to.
  const Tensor z = code.mean + exp(0.5 * code.log_variance) * xtape::randn(code.mean.shape());
  const auto count = static_cast<double>(images.size(0));
  const Tensor misses =
      nn::binary_cross_entropy_with_logits(net.decoder(z), images.flatten(1), nn::Reduction::sum);
  const Tensor terms = square(code.mean) + exp(code.log_variance) - code.log_variance - 1;
  return {misses / count, sum(terms) * (0.5 / count)};
}

example::Values evaluate(Net& net, const data::Digits& digits) {
  const xtape::NoGrad no_grad;
  data::DataLoader loader(data::TensorDataset(digits.images), {.batch_size = 500});
  double reconstruction = 0, divergence = 0;
  for (const auto& [x, none] : loader) {
    const Bound b = bound(net, x);
    const double share =
        static_cast<double>(x.size(0)) / static_cast<double>(digits.images.size(0));
    reconstruction += share * b.reconstruction.item<double>();
    divergence += share * b.divergence.item<double>();
  }
  return {{"test_loss", reconstruction + divergence},
          {"reconstruction", reconstruction},
          {"divergence", divergence}};
}

/// Samples, the plane from -2.4 to 2.4, and the codes of the test pictures.
void write_pictures(const example::Run& run, Net& net, const data::Digits& test) {
  const xtape::NoGrad no_grad;
  data::save_image(run.path("samples.png"), net.draw(xtape::randn({64, kLatent})),
                   {.columns = 8, .scale = 2});
  const Tensor steps = xtape::linspace(-2.4, 2.4, kAcross);
  const Tensor right = steps.expand({kAcross, kAcross}), up = -right.t();
  data::save_image(run.path("plane.png"),
                   net.draw(xtape::stack({right.flatten(), up.flatten()}, 1)),
                   {.columns = kAcross, .scale = 2});
  const std::int64_t shown = std::min<std::int64_t>(test.images.size(0), 1000);
  data::Plot({.title = "codes of test digits", .x_label = "z1", .y_label = "z2", .height = 600})
      .scatter(net.encode(narrow(test.images, 0, 0, shown)).mean, narrow(test.labels, 0, 0, shown))
      .save(run.path("codes.svg"));
}

void train(example::Run& run) {
  const example::Flags& flags = run.flags;
  const auto [train_set, test_set] = example::load_digits(run, 12000, 2000);
  Net net;
  optim::Adam optimizer(net.parameters(), {.lr = flags.lr});
  data::DataLoader loader(data::TensorDataset(train_set.images),
                          {.batch_size = flags.batch_size, .shuffle = true, .seed = flags.seed});
  optim::CosineAnnealingLR schedule(optimizer,
                                    std::max<std::int64_t>(flags.epochs * loader.size(), 1));
  run.resume(net, optimizer, {.schedule = &schedule, .loader = &loader});

  while (run.next_epoch(loader.size())) {
    for (const auto& [x, none] : loader) {
      optimizer.zero_grad();
      const Bound b = bound(net, x);
      const Tensor loss = b.reconstruction + b.divergence;
      loss.backward();
      optimizer.step();
      schedule.step();
      if (!run.step(loss.item<double>(), x.size(0))) break;
    }
    if (run.epoch_done()) run.end_epoch(evaluate(net, test_set));
  }
  if (flags.epochs == 0) run.end_epoch(evaluate(net, test_set));
  write_pictures(run, net, test_set);
  run.finish(net);
  run.expect_at_most("test_loss", flags.data_dir.empty() ? kMostBuiltIn : kMostReal);
}

int main(int argc, char** argv) {
  return example::run(argc, argv,
                      {.name = "vae",
                       .purpose = "Packs handwritten digits into two numbers, and draws new ones",
                       .epochs = kEpochs,
                       .batch_size = 128,
                       .lr = 1e-3},
                      train);
}
